import SIP
import Suite
import TLS
import Testing

/// An edge by itself in front of a server that this test plays.
@Suite("Connections at the edge", .timeLimit(.minutes(3)))
struct EdgeConnectionTests {
    @Test("RFC 5626 §5.3: a request for a phone goes over the connection it came by; none is opened to its Contact, alias or not", arguments: [
        "", ";alias",
    ])
    func reuse(parameter: String) async throws {
        let (server, listener) = (try InsideAgent(), try SilentListener())
        let edge = try await LoneEdge(servers: [server.port])
        let phone = try await StreamAgent(to: edge.port, over: .tcp)
        // It says that it listens, in its Contact and in its Via, as RFC 5923 §3 has it.
        let lines = SIPLines.request("INVITE", from: phone, parameters: parameter).map {
            $0.replacing("127.0.0.1:\(phone.port)", with: "127.0.0.1:\(listener.port)")
        }
        try phone.send(lines)
        let invite = try await server.receive("the INVITE") { $0.method == .invite }
        #expect(invite.contact?.uri.port == listener.port)
        try server.answer(invite, 200)
        _ = try await phone.receive("200") { $0.status == 200 }
        for sequence in 1...3 {
            try server.send(SIPLines.inDialog("INFO", of: invite, server: server.port, sequence: sequence), to: edge.insidePort())
            let heard = try await phone.receive("the INFO") { $0.cseq?.number == UInt32(sequence) && $0.method == .info }
            try phone.answer(heard, 200)
            _ = try await server.receive("its answer") { $0.status == 200 && $0.cseq?.method == .info }
        }
        #expect(!listener.wasCalled)
        #expect(try await edge.metric("tandem_edge_connections", "tcp") == 1)
    }

    /// RELIABILITY O6.
    @Test("3,000 who begin and do not go on are sent away; who comes beside them is served")
    func slowloris() async throws {
        let identity = try TestIdentity()
        let edge = try await LoneEdge(
            servers: [9],
            environment: [
                "TANDEM_TLS_CERTIFICATE": identity.certificate, "TANDEM_TLS_KEY": identity.key, "TANDEM_TCP_HEADER_SECONDS": "8",
                "TANDEM_TCP_MESSAGE_SECONDS": "10", "TANDEM_TCP_GREETING_SECONDS": "12",
            ])
        let head = Array("REGISTER sip:demo.localhost SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1".utf8)
        let whole = Array("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 100\r\n\r\nhalf a body".utf8)
        // A record header that announces more than comes (RFC 8446 §5.1).
        let hello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0]
        let upgrade = Array("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso".utf8)
        var halves: [StreamAgent] = []
        for (count, transport, bytes) in [(1_000, Transport.tcp, head), (1_000, .tcp, whole), (500, .tls, hello), (500, .ws, upgrade)] {
            for _ in 0..<count {
                let half = try StreamAgent(rawTo: edge.port(of: transport), transport)
                try half.sendBytes(bytes)
                halves.append(half)
            }
        }
        try await edge.eventually("take them") {
            try await edge.metric("tandem_edge_connections") + edge.metric("tandem_edge_stream_failures_total", "slow") == 3_000
        }
        for transport in [Transport.tcp, .ws, .tls, .wss] {
            let isSecure = transport == .tls || transport == .wss
            let phone = try await StreamAgent(
                to: edge.port(of: transport), over: transport,
                tls: isSecure ? TLSContext.client(trusting: identity.certificate) : nil)
            try phone.send(SIPLines.request("OPTIONS", uri: "sip:127.0.0.1:\(edge.port)", from: phone))
            #expect(try await phone.receive("the answer").status == 200, "\(transport)")
            phone.close()
        }
        try await edge.eventually("send the slow away", within: .seconds(60)) {
            try await edge.metric("tandem_edge_stream_failures_total", "slow") == 3_000
        }
        try await edge.eventually("forget them") { try await edge.metric("tandem_edge_connections") == 0 }
        #expect(try await edge.metric("tandem_edge_tls_handshakes_total", "abandoned") == 500)
        for half in halves { try await half.closed() }
    }

    @Test("RELIABILITY O6: one address has so many connections and no more; who was there stays")
    func perAddress() async throws {
        // Who is trusted has no limit.
        let edge = try await LoneEdge(
            servers: [9], environment: ["TANDEM_TCP_CONNECTIONS_PER_ADDRESS": "5", "TANDEM_TRUSTED": "127.0.0.1"])
        let stranger: UInt32 = 0x7f00_5a01
        var phones: [StreamAgent] = []
        for _ in 0..<5 { phones.append(try await StreamAgent(to: edge.port, over: .tcp, from: stranger)) }
        for phone in phones {
            try phone.send(SIPLines.request("OPTIONS", uri: "sip:127.0.0.1:\(edge.port)", from: phone))
            #expect(try await phone.receive("the answer").status == 200)
        }
        let sixth = try await StreamAgent(to: edge.port, over: .tcp, from: stranger)
        try await sixth.closed()
        let trusted = try await StreamAgent(to: edge.port, over: .tcp)
        try trusted.send(SIPLines.request("OPTIONS", uri: "sip:127.0.0.1:\(edge.port)", from: trusted))
        #expect(try await trusted.receive("the answer").status == 200)
        try phones[0].send(SIPLines.request("OPTIONS", uri: "sip:127.0.0.1:\(edge.port)", from: phones[0], sequence: 2))
        #expect(try await phones[0].receive("the answer").status == 200)
    }
}
