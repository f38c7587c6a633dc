import Addresses
import Deadlines
import Phone
import SIP
import Suite
import Testing

/// From addresses of their own: the suite's is never limited.
@Suite("Strangers at the edge (RELIABILITY O4, V12, V16)", .timeLimit(.minutes(3)))
struct StrangerTests {
    private let suite: RunningSuite
    private let place = Neighbourhood()

    init() throws { suite = try RunningSuite() }

    private func line(
        _ account: RunningSuite.Account, at address: IPAddress, password: String? = nil, over transport: Transport = .udp, tone: Int = 440
    ) throws -> PhoneLine {
        var settings = PhoneSettings(
            number: account.number, domain: suite.domain, password: password ?? account.password, proxy: try suite.proxy(over: transport))
        (settings.local, settings.transport, settings.trusted, settings.tone) = (address, transport, suite.certificate, tone)
        return PhoneLine(settings)
    }

    /// How often a phone is told 403 until it is told nothing any more.
    private func refusals(of phone: PhoneLine) async throws -> Int {
        for count in 0..<100 {
            do {
                try await phone.register(within: .seconds(2))
                throw PhoneError.wrongState("a wrong password was let in")
            } catch PhoneError.refused(_, 403, _) {
                continue
            } catch PhoneError.timedOut { return count } catch PhoneError.unreachable { return count }
        }
        return 100
    }

    @Test("O4: twenty wrong passwords silence an address, but not the account they were for, nor anybody else", arguments: [
        Transport.tcp, .udp,
    ])
    func guessing(over transport: Transport) async throws {
        let (victim, other) = (try await suite.makeAccount(), try await suite.makeAccount())
        let desk = try line(victim, at: place.address(1), over: transport, tone: 620)
        try await desk.register()
        let guesser = try line(victim, at: place.address(2), password: "guess", over: transport)
        let refusals = try await refusals(of: guesser)
        // A datagram that comes again counts again.
        #expect(transport == .tcp ? refusals == 20 : 10...20 ~= refusals)
        let repentant = try line(victim, at: place.address(2), over: transport)
        await #expect(throws: PhoneError.self) { try await repentant.register(within: .seconds(2)) }
        try await desk.register()
        let friend = try line(other, at: place.address(3), over: transport)
        try await friend.register()
        let (outgoing, incoming) = try await connect(friend, desk)
        #expect(await outgoing.hears(620))
        #expect(await incoming.hears(440))
        try await outgoing.hangup()
        #expect(try await incoming.ended() == .hungUpThere)
        for phone in [desk, friend] { await phone.close() }
        for phone in [guesser, repentant] { await phone.disappear() }
    }

    @Test("what datagrams say in a phone's name does not silence the phone")
    func forgedSource() async throws {
        let account = try await suite.makeAccount()
        let forger = try InsideAgent(at: place.address(1))
        for number in 0..<200 {
            try forger.send([UInt8](repeating: 0x41, count: 64), to: suite.sip.port)
            try forger.send(
                register(forger, account.number, suite.domain, number, [
                    #"Authorization: Digest username="\#(account.number)", realm="\#(suite.domain)", nonce="guess\#(number)", uri="sip:x", response="0""#
                ]), to: suite.sip.port)
        }
        let phone = try line(account, at: place.address(1))
        try await phone.register()
        await phone.close()
    }

    @Test("a known scanner hears nothing, whoever else asks the same is answered")
    func scanner() async throws {
        let agent = try InsideAgent(at: place.address(1))
        func options(_ name: String, _ program: String) -> [String] {
            [
                "OPTIONS sip:127.0.0.1 SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(agent.port);branch=z9hG4bK\(name);rport",
                "From: <sip:x@127.0.0.1>;tag=a", "To: <sip:127.0.0.1>", "Call-ID: \(name)-\(agent.port)", "CSeq: 1 OPTIONS",
                "Max-Forwards: 70", "User-Agent: \(program)",
            ]
        }
        try agent.send(options("scan", "friendly-scanner"), to: suite.sip.port)
        try agent.send(options("ask", "a phone"), to: suite.sip.port)
        // One socket's datagrams are answered in their order.
        let answer = try await agent.receive("an answer") { _ in true }
        #expect(answer.status == 200)
        #expect(answer.callID == "ask-\(agent.port)")
    }

    @Test("a domain that nobody has is silence; from the moment somebody has it, it is a challenge")
    func domains() async throws {
        let agent = try InsideAgent(at: place.address(1))
        let domain = "domain-\(UInt32.random(in: 0 ... .max)).example"
        let before = try await suite.metric("tandem_edge_refused_total", "unknown_domain", of: "EdgeProxy")
        try agent.send(register(agent, "1001", domain, 1), to: suite.sip.port)
        try await suite.eventually("the Registrar was asked") {
            try await suite.metric("tandem_edge_refused_total", "unknown_domain", of: "EdgeProxy") > before
        }
        await #expect(throws: InsideAgent.Trouble.self) {
            try await agent.receive("nothing", within: .milliseconds(200)) { _ in true }
        }
        let key = try suite.bootstrapKey()
        let made = try await suite.request("POST", "/v1/customers", ["name": "Newcomer", "domain": .string(domain)], key: key)
        #expect(made.status == 201)
        var challenge: Message?
        for attempt in 2..<20 where challenge == nil {
            try agent.send(register(agent, "1001", domain, attempt), to: suite.sip.port)
            do { challenge = try await agent.receive("401", within: .milliseconds(500)) { $0.status == 401 } } catch InsideAgent.Trouble.silence {}
        }
        #expect(challenge?.challenges.first?.realm == domain)
        if let id = made.body["id"]?.string { _ = try await suite.request("DELETE", "/v1/customers/\(id)", key: key) }
    }

    @Test("RFC 7616 §5.12: credentials work once; sent again as they are they work, in another request they are stale")
    func replay() async throws {
        let account = try await suite.makeAccount()
        let agent = try InsideAgent(at: place.address(1))
        func status(_ sequence: Int, _ more: [String]) async throws -> Message {
            try agent.send(register(agent, account.number, suite.domain, sequence, more), to: suite.sip.port)
            return try await agent.receive("the answer") { $0.cseq?.number == UInt32(sequence) }
        }
        let challenge = try #require(try await status(1, []).challenges.first)
        func credentials(_ count: UInt32) -> [String] {
            let answer = challenge.answer(
                user: account.number, password: account.password, method: .register, uri: "sip:\(suite.domain)", clientNonce: "c",
                count: count)
            return ["Authorization: \(answer.headerValue)"]
        }
        #expect(try await status(2, credentials(1)).status == 200)
        #expect(try await status(2, credentials(1)).status == 200)
        let replayed = try await status(3, credentials(1))
        #expect(replayed.status == 401)
        #expect(replayed.challenges.map(\.isStale) == [true, true])
        #expect(try await status(4, credentials(2)).status == 200)
    }

    private func register(_ agent: InsideAgent, _ user: String, _ domain: String, _ sequence: Int, _ more: [String] = []) -> [String] {
        [
            "REGISTER sip:\(domain) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(agent.port);branch=z9hG4bK\(agent.port)-\(sequence)-\(user);rport",
            "From: <sip:\(user)@\(domain)>;tag=a", "To: <sip:\(user)@\(domain)>", "Call-ID: stranger-\(agent.port)",
            "CSeq: \(sequence) REGISTER", "Max-Forwards: 70", "Contact: <sip:\(user)@127.0.0.1:\(agent.port)>", "User-Agent: Stranger",
            "Expires: 60",
        ] + more
    }
}
