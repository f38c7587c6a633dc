import Addresses
import Deadlines
import SIP
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy admission in the path of a request (RELIABILITY §4.8, V16, V17)")
struct AdmissionPathTests {
    private let bench = EdgeBench()

    private static func admission(_ change: (inout AdmissionSettings) -> Void = { _ in }) -> Admission {
        var settings = AdmissionSettings()
        settings.scanners = ["friendly-scanner"]
        settings.emergencyNumbers = ["112"]
        change(&settings)
        return Admission(settings, seed: (1, 2), connections: 8)
    }

    private func judge(
        _ message: Message, over transport: Transport = .udp, from source: SocketAddress = EdgeBench.phone, _ admission: inout Admission
    ) -> Judgement {
        let arrival = Arrival(source: source, transport: transport, received: EdgeBench.start)
        return bench.core.receiveOutside(message, arrival, now: EdgeBench.now, bench.directory, &admission)
    }

    /// What was not admitted of so many of the same, by reason; the first place is of what was.
    private func judge(_ message: Message, times count: Int, _ admission: inout Admission) -> (admitted: Int, Set<AdmissionReason>) {
        var (admitted, reasons) = (0, Set<AdmissionReason>())
        for _ in 0..<count {
            if case .turnAway(let reason) = judge(message, &admission) { reasons.insert(reason) } else { admitted += 1 }
        }
        return (admitted, reasons)
    }

    private var serverRoute: String {
        let token = FlowToken(server: EdgeBench.callServer).sealed(key: bench.core.tokenKey)
        return "Route: <sip:\(token)@127.0.0.1:5060;lr>"
    }

    @Test("What follows a route we signed is never limited; a To tag alone, or a forged route, is no dialog")
    func dialogs() throws {
        var admission = Self.admission()
        let inDialog = try EdgeBench.request("BYE", toTag: "b", more: [serverRoute])
        let forged = try EdgeBench.request("BYE", toTag: "b", more: ["Route: <sip:AAAAAAAAAAAAAAAAAAAAAAAA@127.0.0.1:5060;lr>"])
        #expect(judge(forged, times: 1_000, &admission) == (200, [.sourceRate]))
        #expect(judge(try EdgeBench.request("BYE", toTag: "b"), times: 100, &admission) == (0, [.sourceRate]))
        #expect(judge(inDialog, times: 1_000, &admission) == (1_000, []))
    }

    @Test("A REGISTER, and an OPTIONS for the edge, are in no dialog: a route we signed and a To tag spare them nothing")
    func noDialogs() throws {
        let requests = [
            try EdgeBench.request("REGISTER", uri: "sip:demo.localhost", to: "sip:1001@demo.localhost", toTag: "b", more: [serverRoute]),
            try EdgeBench.request("OPTIONS", uri: "sip:demo.localhost", toTag: "b", more: [serverRoute]),
        ]
        for request in requests {
            var admission = Self.admission()
            let (admitted, reasons) = judge(request, times: 2_000, &admission)
            #expect(admitted < 1_000 && reasons == [.sourceRate])
        }
    }

    @Test("ACK and CANCEL end work, but those without a route of ours have a rate too", arguments: ["ACK", "CANCEL"])
    func endings(method: String) throws {
        var admission = Self.admission()
        #expect(judge(try EdgeBench.request(method), times: 1_000, &admission) == (200, [.sourceRate]))
        #expect(judge(try EdgeBench.request(method, more: [serverRoute]), times: 1_000, &admission) == (1_000, []))
    }

    @Test("Who has used up his calls may still call for help")
    func emergencies() throws {
        var admission = Self.admission()
        #expect(judge(try EdgeBench.request("INVITE"), times: 200, &admission) == (100, [.sourceRate]))
        for uri in [
            "tel:112", "tel:1-12;phone-context=demo.localhost", "sip:112@demo.localhost", "sip:112;phone-context=demo.localhost@demo.localhost;user=phone",
            "urn:service:sos", "URN:service:sos.fire",
        ] {
            #expect(try EdgeBench.answer(judge(try EdgeBench.request("INVITE", uri: uri), over: .tcp, &admission)).status == 407)
        }
    }

    @Test("An edge that is about to go says so to who asks whether it is there, and goes on with all else")
    func draining() throws {
        var admission = Self.admission()
        admission.isDraining = true
        guard case .unavailable = judge(try EdgeBench.request("OPTIONS", uri: "sip:127.0.0.1"), &admission) else {
            throw EdgeBench.Unexpected(what: "not 503")
        }
        #expect(try EdgeBench.answer(judge(try EdgeBench.request("OPTIONS"), over: .tcp, &admission)).status == 407)
        let inDialog = try EdgeBench.request("BYE", toTag: "b", more: [serverRoute])
        #expect(try EdgeBench.forwarded(judge(inDialog, &admission)).to == .server(EdgeBench.callServer))
    }

    @Test("A scanner's request is no request, whatever it asks for", arguments: ["OPTIONS", "REGISTER", "INVITE"])
    func scanners(method: String) throws {
        var admission = Self.admission()
        let uri = method == "OPTIONS" ? "sip:127.0.0.1" : "sip:100@127.0.0.1"
        let scan = try EdgeBench.request(method, uri: uri, more: ["User-Agent: friendly-scanner"])
        #expect(judge(scan, times: 3, &admission) == (0, [.scanner]))
        #expect(judge(try EdgeBench.request(method, uri: uri), times: 3, &admission) == (3, []))
    }

    @Test("A domain waits for the Registrar's word: silence when it is nobody's, a challenge when it is somebody's or in doubt")
    func domains() throws {
        var admission = Self.admission()
        func request(_ domain: String) throws -> Message {
            try EdgeBench.request("REGISTER", uri: "sip:\(domain)", domain: domain, to: "sip:1001@\(domain)")
        }
        guard case .awaitDomain("nobody.example") = judge(try request("nobody.example"), &admission) else {
            throw EdgeBench.Unexpected(what: "answered before it was asked")
        }
        #expect(admission.domains.takeQuestions() == ["nobody.example"])
        admission.domains.learn(admission.name("nobody.example"), isKnown: false, now: EdgeBench.start)
        #expect(judge(try request("Nobody.Example"), times: 1, &admission) == (0, [.unknownDomain]))
        for (domain, isKnown) in [("a.example", Bool?.some(true)), ("b.example", nil)] {
            admission.domains.learn(admission.name(domain), isKnown: isKnown, now: EdgeBench.start)
            #expect(try EdgeBench.answer(judge(try request(domain), over: .tcp, &admission)).status == 401)
        }
        #expect(try EdgeBench.answer(judge(try request("demo.localhost"), over: .tcp, &admission)).status == 401)
        #expect(admission.domains.questions.isEmpty)
    }

    @Test("Whoever has authenticated is not asked where his domain is from")
    func knownSource() throws {
        var admission = Self.admission()
        admission.authenticated(account: 1, from: admission.source(EdgeBench.phone.address), now: EdgeBench.start)
        let request = try EdgeBench.request("REGISTER", uri: "sip:x.example", domain: "x.example", to: "sip:1001@x.example")
        #expect(try EdgeBench.answer(judge(request, &admission)).status == 401)
        #expect(admission.domains.questions.isEmpty)
    }

    @Test("V17: where both challenges are too long for what came, the one that all phones know; over a connection both")
    func amplification() throws {
        var admission = Self.admission()
        let small = try EdgeBench.request("REGISTER", uri: "sip:demo.localhost", to: "sip:1001@demo.localhost", more: ["User-Agent: A"])
        func challenge(over transport: Transport) throws -> Message {
            try EdgeBench.answer(judge(small, over: transport, &admission))
        }
        let datagram = try challenge(over: .udp)
        #expect(datagram.challenges.map(\.hash) == [.md5])
        #expect(datagram.bytes.count * 2 <= small.bytes.count * 3)
        #expect(try challenge(over: .tcp).challenges.map(\.hash) == [.sha256, .md5])
        let long = try EdgeBench.request(
            "REGISTER", uri: "sip:demo.localhost", to: "sip:1001@demo.localhost",
            more: ["User-Agent: A", "X-Padding: " + String(repeating: "x", count: 300)])
        #expect(try EdgeBench.answer(judge(long, &admission)).challenges.map(\.hash) == [.sha256, .md5])
    }

    @Test("RFC 7616 §5.4: a challenge is answered from where it went; from elsewhere it is stale, and proves nothing")
    func nonceOfAnother() throws {
        var admission = Self.admission { $0.amplification = AmplificationLimit(percent: 0) }
        let request = try EdgeBench.request("INVITE")
        let challenge = try #require(try EdgeBench.answer(judge(request, &admission)).challenges.first)
        let answered = try EdgeBench.request("INVITE", more: [EdgeBench.credentials(challenge, request)])
        let thief = SocketAddress(IPAddress(v4: 0xc633_6407), port: EdgeBench.phone.port)
        #expect(try EdgeBench.answer(judge(answered, from: thief, &admission)).challenges.allSatisfy(\.isStale))
        guard case .authenticate = judge(answered, &admission) else { throw EdgeBench.Unexpected(what: "challenged again") }
        let moved = SocketAddress(EdgeBench.phone.address, port: 9)
        guard case .authenticate = judge(answered, from: moved, &admission) else { throw EdgeBench.Unexpected(what: "bound to a port") }
    }

    @Test("What deserves a 400 gets it only as often as a stranger may ask")
    func badRequests() throws {
        var admission = Self.admission()
        let bad = try Message.parse(Array("INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n\r\n".utf8))
        #expect(judge(bad, times: 1_000, &admission) == (200, [.sourceRate]))
    }

    @Test("An edge alone limits and silences strangers like any other, and those it trusts not at all")
    func alone() throws {
        let trusted = try #require(AddressRange("192.0.2.0/24"))
        var admission = Self.admission { $0.exempt = [trusted] }
        var bench = bench
        var configuration = bench.core.configuration
        configuration.alone = ProxyCore.Alone(trusted: [trusted], servers: [EdgeBench.callServer])
        bench.core = ProxyCore(configuration)
        let call = try EdgeBench.request("INVITE")
        var (forwarded, refused) = (0, 0)
        for _ in 0..<1_000 {
            let mine = Arrival(source: EdgeBench.phone, transport: .udp, received: EdgeBench.start)
            if case .forward = bench.core.receiveOutside(call, mine, now: EdgeBench.now, bench.directory, &admission) { forwarded += 1 }
            let theirs = Arrival(source: SocketAddress(IPAddress(v4: 0xc633_6401), port: 9), transport: .udp, received: EdgeBench.start)
            let judgement = bench.core.receiveOutside(call, theirs, now: EdgeBench.now, bench.directory, &admission)
            if case .replyOutside(_, 403, _) = judgement { refused += 1 }
        }
        #expect((forwarded, refused) == (1_000, 100))
    }

    @Test("A refused call is told when to come back, an ACK never anything")
    func retryAfter() throws {
        let call = try EdgeBench.request("INVITE")
        let decision = bench.core.turnAway(call.view, bench.arrival, 503, retryAfter: 17)
        let answer = try EdgeBench.answer(Judgement(decision, call.view, bench.core))
        #expect(answer.status == 503)
        #expect(answer.value(.retryAfter) == "17")
        let acknowledgement = try EdgeBench.request("ACK")
        guard case .drop = bench.core.turnAway(acknowledgement.view, bench.arrival, 503, retryAfter: 17) else {
            throw EdgeBench.Unexpected(what: "an ACK was answered")
        }
    }
}
