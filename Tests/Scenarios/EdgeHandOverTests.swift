import SIP
import Suite
import Testing

/// Two edges with one key, or two loops of one, in front of a server that this test plays.
@Suite("Edges hand messages to the one that holds the connection (RFC 5626 §5.3)", .timeLimit(.minutes(2)))
struct EdgeHandOverTests {
    private let server: InsideAgent
    private let key = LoneEdge.makeKey()

    init() throws { server = try InsideAgent() }

    private func inDialog(_ method: String, _ invite: Message, sequence: Int, body: [UInt8] = []) -> [UInt8] {
        SIPLines.inDialog(method, of: invite, server: server.port, sequence: sequence, body: body)
    }

    @Test("a request for a phone on one edge reaches it through the other, 60,000 bytes too, and is answered", arguments: [
        Transport.tcp, .ws,
    ])
    func betweenEdges(over transport: Transport) async throws {
        let owner = try await LoneEdge(servers: [server.port], key: key)
        let other = try await LoneEdge(servers: [server.port], key: key)
        let phone = try await StreamAgent(to: owner.port(of: transport), over: transport)
        try phone.send(SIPLines.request("INVITE", from: phone))
        let invite = try await server.receive("the INVITE") { $0.method == .invite }
        for (sequence, length) in [(1, 0), (2, 60_000)] {
            let sent = inDialog("INFO", invite, sequence: sequence, body: [UInt8](repeating: 65, count: length))
            try server.send(sent, to: other.insidePort())
            let heard = try await phone.receive("the INFO") { $0.method == .info }
            #expect(heard.body.count == length)
            #expect(heard.value(named: "X-Tandem-Handed-Over") == nil)
            #expect(heard.topmostVia?.port == owner.port(of: transport), "the phone answers the edge it knows")
            try phone.answer(heard, 200)
            let answer = try await server.receive("the answer") { $0.status == 200 && $0.cseq?.number == UInt32(sequence) }
            #expect(answer.topmostVia?.port == server.port)
        }
        #expect(try await other.metric("tandem_edge_handed_over_total") == 2)
        #expect(try await owner.metric("tandem_edge_handed_over_total") == 0)
        #expect(try await other.metric("tandem_edge_inside_stream_messages_total", "sent") == 1, "the long one")
        // A response likewise, though its Via names the owner.
        try server.send(ResponseBuilder(invite, 180, toTag: "bob").serialised(), to: other.insidePort())
        let ringing = try await phone.receive("180") { $0.status == 180 }
        #expect(ringing.cseq?.method == .invite)
    }

    @Test("RFC 3261 §18.1.1: what no datagram carries is handed over too, one after the other over one connection")
    func longest() async throws {
        let owner = try await LoneEdge(servers: [server.port], key: key)
        let other = try await LoneEdge(servers: [server.port], key: key)
        let phone = try await StreamAgent(to: owner.port, over: .tcp)
        try phone.send(SIPLines.request("INVITE", from: phone))
        let invite = try await server.receive("the INVITE") { $0.method == .invite }
        let connection = try await StreamAgent(to: other.insidePort(), over: .tcp)
        for sequence in 1...3 {
            let empty = inDialog("INFO", invite, sequence: sequence)
            // Four more digits in Content-Length.
            let body = [UInt8](repeating: 65, count: Limits.outside.messageLength - empty.count - 4)
            try connection.send(inDialog("INFO", invite, sequence: sequence, body: body))
            let heard = try await phone.receive("the INFO") { $0.cseq?.number == UInt32(sequence) && $0.isRequest }
            #expect(heard.body == body)
            try phone.answer(heard, 200)
            let answer = try await server.receive("the answer") { $0.status == 200 && $0.cseq?.number == UInt32(sequence) }
            #expect(answer.topmostVia?.port == server.port)
        }
        #expect(try await other.metric("tandem_edge_handed_over_total") == 3)
        #expect(try await other.metric("tandem_edge_inside_stream_messages_total", "sent") == 3)
        #expect(try await owner.metric("tandem_edge_inside_stream_messages_total", "received") == 3)
    }

    @Test("RFC 5626 §11.1: 430 through the other edge when the connection is gone, and no message goes round")
    func gone() async throws {
        let owner = try await LoneEdge(servers: [server.port], key: key)
        let other = try await LoneEdge(servers: [server.port], key: key)
        let phone = try await StreamAgent(to: owner.port, over: .tcp)
        try phone.send(SIPLines.request("INVITE", from: phone))
        let invite = try await server.receive("the INVITE") { $0.method == .invite }
        phone.close()
        try await owner.eventually("lose the phone") { try await owner.metric("tandem_edge_connections", "tcp") == 0 }
        try server.send(inDialog("BYE", invite, sequence: 2), to: other.insidePort())
        let answer = try await server.receive("the answer") { $0.cseq?.method == .bye }
        #expect(answer.status == 430)
        #expect(try await other.metric("tandem_edge_handed_over_total") == 1)
        #expect(try await owner.metric("tandem_edge_handed_over_total") == 0)
    }

    @Test("RFC 5626 §11.1: 430 from the other edge once the one with the connection is dead, without a fleet that tells")
    func ownerDies() async throws {
        let owner = try await LoneEdge(servers: [server.port], key: key)
        let other = try await LoneEdge(servers: [server.port], key: key)
        let phone = try await StreamAgent(to: owner.port, over: .tcp)
        try phone.send(SIPLines.request("INVITE", from: phone))
        let invite = try await server.receive("the INVITE") { $0.method == .invite }
        owner.kill()
        // The first one is lost; the server repeats it, as its transaction does.
        var answer: Message?
        try await other.eventually("answer") {
            try server.send(inDialog("BYE", invite, sequence: 2), to: other.insidePort())
            answer = try? await server.receive("the answer", within: .milliseconds(500)) { $0.cseq?.method == .bye }
            return answer != nil
        }
        #expect(answer?.status == 430)
    }

    @Test("a request that reaches another loop than the one with the connection reaches the phone")
    func betweenLoops() async throws {
        let edge = try await LoneEdge(servers: [server.port], loops: 3)
        let phone = try await StreamAgent(to: edge.port, over: .tcp)
        try phone.send(SIPLines.request("INVITE", from: phone))
        let invite = try await server.receive("the INVITE") { $0.method == .invite }
        for loop in UInt16(0)..<3 {
            try server.send(inDialog("INFO", invite, sequence: Int(loop) + 1), to: edge.insidePort(ofLoop: loop))
            let heard = try await phone.receive("the INFO") { $0.cseq?.number == UInt32(loop) + 1 }
            #expect(heard.method == .info)
        }
        #expect(try await edge.metric("tandem_edge_handed_over_total") == 2)
    }

    @Test("RFC 3261 §16.12: the phone goes on with its dialog over a new connection to the other edge, and is reached by it")
    func otherEdgeFromOutside() async throws {
        let owner = try await LoneEdge(servers: [server.port], key: key)
        let other = try await LoneEdge(servers: [server.port], key: key)
        let phone = try await StreamAgent(to: owner.port, over: .tcp)
        try phone.send(SIPLines.request("INVITE", from: phone))
        let invite = try await server.receive("the INVITE") { $0.method == .invite }
        owner.kill()
        let again = try await StreamAgent(to: other.port, over: .tcp)
        let routes = try #require(invite.recordRoutes).reversed().map { "Route: <\($0.uri)>" }
        try again.send(SIPLines.request("BYE", from: again, toTag: "bob") + routes)
        let bye = try await server.receive("the BYE") { $0.method == .bye }
        #expect(bye.routes?.isEmpty != false)
        try server.send(ResponseBuilder(bye, 200, toTag: "bob").serialised(), to: try #require(bye.topmostVia?.port))
        let answer = try await again.receive("200") { $0.status == 200 }
        #expect(answer.cseq?.method == .bye)
    }
}
