import Suite
import Testing

/// RFC 3665 §2: each REGISTER is challenged, as the first of §2.1 is.
@Suite("RFC 3665: registration flows", .timeLimit(.minutes(2)))
struct RegistrationFlowTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let desk = "<sip:desk@[local_ip]:[local_port]>"
    private static let car = "<sip:car@[local_ip]:[local_port]>"
    private static let mail = "<mailto:somebody@elsewhere.example>"

    private func register(as account: RunningSuite.Account, port: Int = LocalPort.ten(), _ steps: SippScript) async throws {
        try await Sipp(steps, as: account, in: suite, port: port).succeeds()
    }

    @Test("§2.1, §2.2, §2.3: registered, another contact and an e-mail address added, all asked for, one taken away")
    func contactList() async throws {
        let account = try await suite.makeAccount()
        try await register(
            as: account,
            .caller(
                .registers(1, [Self.desk], seconds: 300, lists: ["sip:desk@.*expires=(300|299)"]),
                .registers(3, [Self.car + ";expires=120;q=0.5"], lists: ["sip:desk@", "sip:car@", "q=0.5"]),
                .registers(5, [Self.mail], lists: ["sip:desk@", "sip:car@", "mailto:somebody@elsewhere.example"]),
                .registers(7, lists: ["sip:desk@", "sip:car@", "mailto:somebody@"]),
                .registers(9, [Self.car], seconds: 0, lists: ["sip:desk@", "mailto:somebody@"], gone: ["sip:car@"])))
        #expect(try await suite.isRegistered(account))
    }

    @Test("§2.2: who has registered an e-mail address, too, is called at its phone")
    func calledAtItsPhone() async throws {
        let (account, port) = (try await suite.makeAccount(), LocalPort.ten())
        try await register(
            as: account, port: port,
            .caller(.registers(1, [Self.mail], lists: ["mailto:"]), .registers(3, ["<sip:[user]@[local_ip]:[local_port];transport=[transport]>"], lists: ["mailto:"])))
        let phone = try await Sipp(.callee(.rings, .answers, .isHungUpOn), as: account, in: suite, port: port).listening()
        try await suite.calling(account.number, .caller(.calls(), .isAnswered(), .pauses(200), .hangsUp(3))).succeeds()
        try await phone.succeeds()
    }

    @Test("§2.4: cancelled: with * all contacts go at once")
    func cancelled() async throws {
        let account = try await suite.makeAccount()
        try await register(
            as: account,
            .caller(
                .registers(1, [Self.desk, Self.car], lists: ["sip:desk@", "sip:car@"]), .registers(3, ["*"], seconds: 0, gone: ["sip:desk@", "sip:car@"]),
                .registers(5, gone: ["sip:desk@", "sip:car@"])))
        #expect(try await !suite.isRegistered(account))
    }

    @Test("§2.5: a wrong password registers nobody, and takes nobody's contacts away")
    func unsuccessful() async throws {
        let account = try await suite.makeAccount()
        let forged = RunningSuite.Account(id: account.id, number: account.number, password: "not-" + account.password)
        try await register(as: forged, .caller(.registers(1, [Self.desk], gets: 403)))
        #expect(try await !suite.isRegistered(account))
        try await register(as: account, .caller(.registers(1, [Self.desk])))
        try await register(as: forged, .caller(.registers(1, ["*"], seconds: 0, gets: 403)))
        #expect(try await suite.isRegistered(account))
    }

    @Test("RFC 3261 §10.2.8: for too short a time it is 423, and the second try is as long as Min-Expires says")
    func tooBrief() async throws {
        let account = try await suite.makeAccount()
        try await register(
            as: account,
            .caller(.registers(1, [Self.desk], seconds: 10, lists: ["Min-Expires: 60"], gets: 423), .registers(3, [Self.desk], seconds: 60, lists: ["sip:desk@"])))
        #expect(try await suite.isRegistered(account))
    }
}
