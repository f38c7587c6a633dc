import Addresses
import SIP
import Suite
import Testing

@Suite("An edge alone switches to TCP for what is too long (RFC 3261 §18.1.1)", .timeLimit(.minutes(2)))
struct LoneEdgeStreamTests {
    private func invite(_ phone: DatagramAgent, _ number: Int, body: Int) -> [UInt8] {
        let lines = [
            "INVITE sip:bob@example.org SIP/2.0", "Via: SIP/2.0/UDP \(phone.address);rport;branch=z9hG4bK\(phone.address.port)x\(number)",
            "From: <sip:alice@example.org>;tag=alice", "To: <sip:bob@example.org>", "Call-ID: call-\(phone.address.port)-\(number)",
            "CSeq: 1 INVITE", "Max-Forwards: 70", "Contact: <sip:alice@\(phone.address)>", "Content-Length: \(body)", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8) + [UInt8](repeating: 65, count: body)
    }

    private func edgeAddress(_ edge: LoneEdge) -> SocketAddress { SocketAddress(.loopbackIPv4, port: edge.port) }

    /// Its port is free among datagrams; among connections somebody else may have it.
    private func listeningServer() throws -> (InsideAgent, StreamServerAgent) {
        for _ in 0..<20 {
            let server = try InsideAgent()
            if let stream = try? StreamServerAgent(port: server.port) { return (server, stream) }
        }
        let server = try InsideAgent()
        return (server, try StreamServerAgent(port: server.port))
    }

    @Test("a listed server that takes the connection gets long requests over it and short ones as datagrams; what it answers goes back")
    func takesConnection() async throws {
        let (server, stream) = try listeningServer()
        let edge = try await LoneEdge(servers: [server.port])
        try await stream.accept()
        let phone = try DatagramAgent(at: .loopbackIPv4)
        try phone.send(invite(phone, 1, body: 6_000), to: edgeAddress(edge))
        let long = try await stream.receive("the long INVITE") { $0.method == .invite }
        #expect(long.body.count == 6_000)
        #expect(long.topmostVia?.transport == "TCP")
        #expect(long.topmostVia?.port == edge.insidePort())
        try stream.send(ResponseBuilder(long, 486, toTag: "bob").serialised())
        let busy = try await phone.receive("486 over the connection") { $0.status == 486 }
        #expect(busy.vias?.count == 1)
        try phone.send(invite(phone, 2, body: 4), to: edgeAddress(edge))
        let short = try await server.receive("the short INVITE") { $0.method == .invite }
        #expect(short.topmostVia?.transport == "UDP")
        #expect(try await edge.metric("tandem_edge_inside_stream_messages_total", "sent") == 1)
    }

    @Test("§18.2.2: a server's request over a connection of its own is answered over that, and its BYE finds the phone")
    func serverConnects() async throws {
        let server = try InsideAgent()
        let edge = try await LoneEdge(servers: [server.port])
        let phone = try DatagramAgent(at: .loopbackIPv4)
        let connection = try await StreamAgent(to: edge.insidePort(), over: .tcp)
        let lines = [
            "INVITE sip:alice@\(phone.address) SIP/2.0", "Via: SIP/2.0/TCP 127.0.0.1:\(server.port);branch=z9hG4bKserver\(server.port)",
            "From: <sip:bob@example.org>;tag=bob", "To: <sip:alice@example.org>", "Call-ID: out-\(server.port)", "CSeq: 1 INVITE",
            "Max-Forwards: 70", "Contact: <sip:bob@127.0.0.1:\(server.port)>",
        ]
        try connection.send(lines, body: [UInt8](repeating: 65, count: 6_000))
        let invite = try await phone.receive("the INVITE") { $0.method == .invite }
        #expect(invite.body.count == 6_000)
        var ok = ResponseBuilder(invite, 200, toTag: "alice")
        ok.copiesRecordRoute = true
        try phone.send(ok.serialised(), to: edgeAddress(edge))
        let answer = try await connection.receive("200 over the connection") { $0.status == 200 }
        #expect(answer.topmostVia?.port == server.port)
        // In the dialog the server is where it listens.
        let routes = try #require(invite.recordRoutes).map { "Route: <\($0.uri)>" }
        try phone.send(
            [
                "BYE sip:bob@127.0.0.1:\(server.port) SIP/2.0", "Via: SIP/2.0/UDP \(phone.address);rport;branch=z9hG4bKbye\(server.port)",
                "From: <sip:alice@example.org>;tag=alice", "To: <sip:bob@example.org>;tag=bob", "Call-ID: out-\(server.port)", "CSeq: 1 BYE",
                "Max-Forwards: 70",
            ] + routes, to: edgeAddress(edge))
        #expect(try await server.receive("BYE") { $0.method == .bye }.callID == "out-\(server.port)")
    }

    @Test("a server that takes no connection gets the long request as a datagram")
    func refusesConnection() async throws {
        let server = try InsideAgent()
        let edge = try await LoneEdge(servers: [server.port])
        let phone = try DatagramAgent(at: .loopbackIPv4)
        try phone.send(invite(phone, 1, body: 6_000), to: edgeAddress(edge))
        let long = try await server.receive("the INVITE") { $0.method == .invite }
        #expect(long.body.count == 6_000)
        #expect(long.topmostVia?.transport == "UDP")
        #expect(try await edge.metric("tandem_edge_inside_long_datagrams_total") == 1)
    }
}
