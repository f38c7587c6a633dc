import SIP
import Suite
import Testing

/// An edge by itself in front of servers that this test plays.
@Suite("The edge sends requests of connections again (RELIABILITY §4.3)", .timeLimit(.minutes(2)))
struct EdgeKeptRequestsTests {
    @Test("RFC 3261 §17.1: a request that had no response comes again as it was, and no more after the first response", arguments: [
        Transport.tcp, .ws,
    ])
    func again(over transport: Transport) async throws {
        let server = try InsideAgent()
        let edge = try await LoneEdge(servers: [server.port])
        let phone = try await StreamAgent(to: edge.port(of: transport), over: transport)
        try phone.send(SIPLines.request("INVITE", from: phone))
        let first = try await server.receive("the INVITE") { $0.method == .invite }
        #expect(try await edge.metric("tandem_edge_kept_requests") == 1)
        let second = try await server.receive("the INVITE again") { $0.method == .invite }
        #expect(first.bytes == second.bytes)
        try server.answer(second, 100)
        _ = try await phone.receive("100") { $0.status == 100 }
        #expect(try await edge.metric("tandem_edge_kept_requests") == 0)
        #expect(try await edge.metric("tandem_edge_resent_total") == 1)
    }

    @Test("Of a phone over UDP, which repeats by itself, nothing is kept")
    func notOverUDP() async throws {
        let (server, phone) = (try InsideAgent(), try InsideAgent())
        let edge = try await LoneEdge(servers: [server.port])
        let lines = [
            "INVITE sip:bob@example.org SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(phone.port);rport;branch=z9hG4bKudp",
            "From: <sip:alice@example.org>;tag=alice", "To: <sip:bob@example.org>", "Call-ID: udp", "CSeq: 1 INVITE",
            "Max-Forwards: 70", "Contact: <sip:alice@127.0.0.1:\(phone.port)>",
        ]
        try phone.send(lines, to: edge.port)
        _ = try await server.receive("the INVITE") { $0.method == .invite }
        #expect(try await edge.metric("tandem_edge_kept_requests") == 0)
    }

    @Test("a server that dies before it answers: the request goes to the other one, and so does the dialog")
    func serverDies() async throws {
        let servers = [try InsideAgent(), try InsideAgent()]
        let edge = try await LoneEdge(
            servers: servers.map(\.port), environment: ["TANDEM_CALL_SERVER_PING_MILLISECONDS": "300"])
        let phone = try await StreamAgent(to: edge.port, over: .tcp)
        // Both show that they live until the edge has placed the call.
        var (victim, invite): (Int?, Message?)
        try phone.send(SIPLines.request("INVITE", from: phone))
        try await edge.eventually("place the call") {
            for (index, server) in servers.enumerated() {
                guard let request = try? await server.receive("anything", within: .milliseconds(20), where: \.isRequest) else { continue }
                if request.method == .invite { (victim, invite) = (index, request) } else { try server.answer(request, 200) }
            }
            return victim != nil
        }
        let successor = servers[1 - (try #require(victim))]
        var moved: Message?
        try await edge.eventually("send the call to the other server") {
            let request = try await successor.receive("the INVITE or a question", where: \.isRequest)
            if request.method == .invite { moved = request } else { try successor.answer(request, 200) }
            return moved != nil
        }
        let again = try #require(moved)
        #expect(again.topmostVia?.branch == invite?.topmostVia?.branch)
        try successor.answer(again, 200)
        let answer = try await phone.receive("200") { $0.status == 200 }
        #expect(answer.cseq?.method == .invite)
        // In the dialog the phone goes by the route, to whom it leads now.
        let routes = try #require(again.recordRoutes).reversed().map { "Route: <\($0.uri)>" }
        try phone.send(SIPLines.request("BYE", from: phone, toTag: "agent", sequence: 2) + routes)
        let bye = try await successor.receive("the BYE") { $0.method == .bye }
        #expect(bye.callID == again.callID)
    }
}
