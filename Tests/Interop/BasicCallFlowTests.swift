import Addresses
import Flow
import Phone
import SIP
import Suite
import Testing

/// RFC 3665 §3, as far as it is seen from the two phones: between them are an edge, which is a proxy, and a back-to-back user agent. Edges that
/// die under calls are in `EdgeDeathTests`; §2 is in `RegistrationFlowTests`.
@Suite("RFC 3665: basic call flows", .timeLimit(.minutes(3)))
struct BasicCallFlowTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("§3.1, §3.2, §3.3: established through proxies that ask for credentials; the callee hangs up")
    func established() async throws {
        try await suite.call(.caller(.calls(), .hears(180), .isAnswered(), .isHungUpOn), to: .callee(.rings, .answers, .pauses(200), .hangsUp(1)))
    }

    @Test("§3.4: the first proxy fails: the phone's INVITE finds nobody there and goes to the second, and so does all that follows")
    func proxyFails() async throws {
        // It takes everything and says nothing.
        let failed = try InsideAgent()
        try await withPhones(1, in: suite) { phones in
            let account = try await suite.makeAccount()
            var settings = PhoneSettings(
                number: account.number, domain: suite.domain, password: account.password, proxy: SocketAddress(.loopbackIPv4, port: failed.port))
            settings.standby = try suite.proxy(over: .udp)
            let caller = PhoneLine(settings)
            let outgoing = try await caller.call(phones[0].number)
            try await outgoing.answered(within: .seconds(20))
            let invite = try await failed.receive("the INVITE that nobody took") { $0.method == .invite }
            #expect(invite.requestURI?.user == phones[0].number)
            let incoming = try await phones[0].incomingCall()
            #expect(await outgoing.hearsSomething())
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
            await caller.close()
        }
    }

    @Test("§3.5: through an application layer gateway: what each is told of the other's media is the relay's")
    func gateway() async throws {
        // The ports that relays have under test (deploy/local/test); no phone has one of them.
        let relay = "m=audio 2[5-8][0-9][0-9][0-9] "
        try await suite.call(
            .caller(.calls(), .isAnswered(describes: relay), .isHungUpOn),
            to: .callee(.rings, .answers, .pauses(200), .offersAgain(1, "sendrecv", port: 2, expects: "sendrecv"), .hangsUp(2)))
    }

    @Test("§3.6: session via redirect and proxy servers, SDP in ACK: the callee's phone redirects to another, whose offer comes with its 200 and whose answer with the ACK")
    func redirected() async throws {
        let (third, phone) = try await suite.called(.callee(.rings, .answers, .isHungUpOn))
        let (number, away) = try await suite.called(.callee(.forwards), dial: third)
        try await suite.calling(number, .caller(.calls(offers: false), .isAnswered(answers: true), .pauses(200), .hangsUp(3))).succeeds()
        try await away.succeeds()
        try await phone.succeeds()
    }

    @Test("§3.7: a re-INVITE moves the caller's sound to another port")
    func reinvited() async throws {
        try await suite.call(
            .caller(.calls(), .isAnswered(), .pauses(200), .offersAgain(3, "sendrecv", port: 4, expects: "sendrecv"), .hangsUp(4)),
            to: .callee(.rings, .answers, .isHungUpOn))
    }

    @Test("§3.8: nobody answers, and the caller gives up")
    func unanswered() async throws {
        try await suite.call(.caller(.calls(), .hears(180), .pauses(200), .givesUp), to: .callee(.rings, .isGivenUp))
    }

    @Test("§3.9, §3.11: busy, and unavailable after it has rung", arguments: [486, 480])
    func refused(status: Int) async throws {
        try await suite.call(.caller(.calls(), .isRefused(status)), to: status == 486 ? .callee(.refuses(486)) : .callee(.rings, .refuses(480)))
    }

    @Test("§3.10: the phone does not respond: the caller hears nothing of it until it gives up, or the flow that calls it; one that is not registered is 480")
    func silent() async throws {
        let (account, port) = (try await suite.makeAccount(), LocalPort.ten())
        try await Sipp("register", as: account, in: suite, port: port).succeeds()
        try await suite.calling(account.number, .caller(.calls(isTried: true), .pauses(300), .givesUp)).succeeds()
        let short = try await suite.makeNumber(running: [[
            "type": "dial", "option": ["targets": [["type": "extension", "target": .string(account.number), "timeout": 1_000]], "relay_reason": true],
        ]])
        try await suite.calling(short.number, .caller(.calls(isTried: true), .isRefused(408))).succeeds()
        try await suite.calling(try await suite.makeAccount().number, .caller(.calls(), .isRefused(480))).succeeds()
    }
}
