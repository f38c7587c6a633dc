import Suite
import Testing

@Suite("Registration by programs nobody here wrote", .timeLimit(.minutes(2)))
struct RegistrationTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("RFC 3261 §10, RFC 7616: sipp registers with digest, and leaves", arguments: [Sipp.Transport.udp, .tcp])
    func sippRegisters(over transport: Sipp.Transport) async throws {
        let account = try await suite.makeAccount()
        let port = LocalPort.ten()
        #expect(try await !suite.isRegistered(account))
        try await Sipp("register", as: account, in: suite, port: port, transport: transport).succeeds()
        #expect(try await suite.isRegistered(account))
        try await Sipp("register", as: account, in: suite, port: port, transport: transport, expires: 0).succeeds()
        #expect(try await !suite.isRegistered(account))
    }

    @Test("RFC 3261 §22.4: a wrong password is refused")
    func wrongPassword() async throws {
        let account = try await suite.makeAccount()
        let forged = RunningSuite.Account(id: account.id, number: account.number, password: "not-" + account.password)
        try await Sipp("register_refused", as: forged, in: suite).succeeds()
        #expect(try await !suite.isRegistered(account))
    }

    @Test("A user that does not exist is refused as a wrong password is")
    func unknownUser() async throws {
        let nobody = RunningSuite.Account(id: "", number: "190000", password: "anything")
        try await Sipp("register_refused", as: nobody, in: suite).succeeds()
    }

    @Test("baresip registers", arguments: [Sipp.Transport.udp, .tcp])
    func baresipRegisters(over transport: Sipp.Transport) async throws {
        let account = try await suite.makeAccount()
        let phone = try Baresip(as: account, in: suite, transport: transport, life: .seconds(4))
        try await phone.registers()
        #expect(try await suite.isRegistered(account))
    }
}
