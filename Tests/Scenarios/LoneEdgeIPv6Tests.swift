import Addresses
import Phone
import SIP
import Suite
import Testing

@Suite("IPv6 outside, IPv4 inside (RFC 5118, RFC 6157)", .timeLimit(.minutes(2)))
struct IPv6Tests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test(
        "a phone at ::1, signalling and sound, registers, calls 600, talks with a phone at 127.0.0.1 and is called by it",
        arguments: [Transport.udp, .tcp, .ws])
    func calls(transport: Transport) async throws {
        try await withPhones(1, in: suite, transport: transport, at: .loopbackIPv6) { six in
            try await withPhones(2, in: suite) { four in
                let echo = try await six[0].call("600")
                try await echo.answered()
                #expect(await echo.hears(440))
                try await echo.hangup()
                let (out, outThere) = try await connect(six[0], four[1])
                #expect(await out.hears(620))
                #expect(await outThere.hears(440))
                try await out.hold()
                try await out.resume()
                await outThere.forgetWhatWasHeard()
                #expect(await outThere.hears(440))
                try await out.hangup()
                #expect(try await outThere.ended() == .hungUpThere)
                let (back, backHere) = try await connect(four[1], six[0])
                #expect(await back.hears(440))
                #expect(await backHere.hears(620))
                try await backHere.hangup()
                #expect(try await back.ended() == .hungUpThere)
            }
        }
    }

    @Test("RFC 6157 §4: two phones at ::1 talk; whoever offers IPv4 although it signals over IPv6 is answered in IPv4")
    func families() async throws {
        try await withPhones(2, in: suite, at: .loopbackIPv6) { six in
            let (caller, callee) = try await connect(six[0], six[1])
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await caller.hangup()
            try await callee.ended()
        }
        try await withPhones(1, in: suite, at: .loopbackIPv6, media: .loopbackIPv4) { mixed in
            let echo = try await mixed[0].call("600")
            try await echo.answered()
            #expect(await echo.hears(440))
            try await echo.hangup()
        }
    }

    private func options(_ agent: DatagramAgent, via: String) -> [String] {
        [
            "OPTIONS sip:[::1]:\(suite.sip.port) SIP/2.0", "Via: SIP/2.0/UDP \(via);branch=z9hG4bK\(agent.address.port)",
            "From: <sip:probe@[::1]>;tag=probe", "To: <sip:[::1]:\(suite.sip.port)>", "Call-ID: probe-\(agent.address.port)",
            "CSeq: 1 OPTIONS", "Max-Forwards: 70",
        ]
    }

    private var edge: SocketAddress { SocketAddress(.loopbackIPv6, port: suite.sip.port) }

    @Test("RFC 3581 §4, RFC 5118 §4.5: with rport the answer comes to the port asked from, and received has no brackets")
    func sourcePort() async throws {
        let agent = try DatagramAgent(at: .loopbackIPv6)
        try agent.send(options(agent, via: "[2001:db8::9:1]:7999;rport"), to: edge)
        let answer = try await agent.receive("200") { $0.status == 200 }
        #expect(answer.topmostVia?.parameters["rport"] == String(agent.address.port))
        #expect(answer.topmostVia?.received == "::1")
        #expect(answer.topmostVia?.host == "[2001:db8::9:1]")
    }

    @Test("RFC 3261 §18.2.2: without rport the answer goes to the port of the Via, at the address asked from")
    func viaPort() async throws {
        let (asking, listening) = (try DatagramAgent(at: .loopbackIPv6), try DatagramAgent(at: .loopbackIPv6))
        try asking.send(options(asking, via: "[2001:db8::9:1]:\(listening.address.port)"), to: edge)
        let answer = try await listening.receive("200") { $0.status == 200 }
        #expect(answer.topmostVia?.received == "::1")
    }

    @Test("RFC 5626 §4.4.2, RFC 8489 §14.2: STUN on the SIP port tells an IPv6 phone its address")
    func stun() async throws {
        let agent = try DatagramAgent(at: .loopbackIPv6)
        let transaction = (0..<12).map { UInt8($0 + 1) }
        try agent.send([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + transaction, to: edge)
        let answer = try await agent.receiveBytes("the STUN answer") { $0.starts(with: [1, 1]) }
        try #require(answer.count >= 44)
        #expect(answer[20..<26].elementsEqual([0, 0x20, 0, 20, 0, 2]))
        let mask = [0x21, 0x12, 0xa4, 0x42] + transaction
        #expect(zip(answer[28..<44], mask).map(^) == [UInt8](repeating: 0, count: 15) + [1])
        let port = UInt16(answer[26] ^ 0x21) << 8 | UInt16(answer[27] ^ 0x12)
        #expect(port == agent.address.port)
    }

    @Test("RFC 5626 §3.5.1: line ends keep an IPv6 flow alive: counted over UDP, answered over TCP")
    func lineEnds() async throws {
        let agent = try DatagramAgent(at: .loopbackIPv6)
        let before = try await suite.metric("tandem_edge_keepalives_total", of: "EdgeProxy")
        try agent.send([13, 10, 13, 10], to: edge)
        // The answer to what follows shows that the line ends have been read, and were not answered.
        try agent.send(options(agent, via: "\(agent.address);rport"), to: edge)
        _ = try await agent.receiveBytes("the first datagram back") { $0.starts(with: Array("SIP/2.0 200".utf8)) || $0.count <= 4 }
        #expect(try await suite.metric("tandem_edge_keepalives_total", of: "EdgeProxy") > before)
        let stream = try await StreamAgent(to: edge.port, over: .tcp, at: .loopbackIPv6)
        try stream.sendBytes([13, 10, 13, 10])
        try await stream.pong()
    }
}

/// An edge by itself with both families outside, in front of a server that the test plays.
@Suite("An edge alone over IPv6 (RFC 5118)", .timeLimit(.minutes(2)))
struct LoneEdgeIPv6Tests {
    @Test("a dialog of an IPv6 phone with a server inside, of either family: requests and responses pass both ways", arguments: [
        IPAddress.loopbackIPv4, .loopbackIPv6,
    ])
    func dialog(inside: IPAddress) async throws {
        let (server, phone) = (try DatagramAgent(at: inside), try DatagramAgent(at: .loopbackIPv6))
        let edge = try await LoneEdge(
            servers: [], hosts: ["127.0.0.1", "[::1]"],
            environment: [
                "TANDEM_CALL_SERVERS": server.address.description, "TANDEM_INSIDE_ADDRESS": inside.description,
                "TANDEM_TRUSTED": "127.0.0.0/8,::1",
            ])
        let outside = SocketAddress(.loopbackIPv6, port: edge.port)
        let id = "six-\(phone.address.port)"
        try phone.send(
            [
                "INVITE sip:bob@example.org SIP/2.0", "Via: SIP/2.0/UDP \(phone.address);rport;branch=z9hG4bK\(id)",
                "From: <sip:alice@example.org>;tag=alice", "To: <sip:bob@example.org>", "Call-ID: \(id)", "CSeq: 1 INVITE",
                "Max-Forwards: 70", "Contact: <sip:alice@\(phone.address)>",
            ], to: outside)
        let invite = try await server.receive("INVITE") { $0.method == .invite }
        #expect(invite.topmostVia?.responseAddress == SocketAddress(inside, port: edge.insidePort()))
        #expect(invite.recordRoutes?.map(\.uri.socketAddress) == [SocketAddress(inside, port: edge.insidePort()), outside])
        var ok = ResponseBuilder(invite, 200, toTag: "bob")
        ok.copiesRecordRoute = true
        ok.contact = NameAddress(URI(user: "bob", server.address))
        try server.send(ok.serialised(), to: try #require(invite.topmostVia?.responseAddress))
        let answer = try await phone.receive("200") { $0.status == 200 }
        #expect(answer.vias?.count == 1)
        // By the routes each has of it.
        let routes = try #require(invite.recordRoutes).map { "Route: <\($0.uri)>" }
        try phone.send(
            [
                "ACK sip:bob@\(server.address) SIP/2.0", "Via: SIP/2.0/UDP \(phone.address);rport;branch=z9hG4bKack\(id)",
                "From: <sip:alice@example.org>;tag=alice", "To: <sip:bob@example.org>;tag=bob", "Call-ID: \(id)", "CSeq: 1 ACK",
                "Max-Forwards: 70",
            ] + routes.reversed(), to: outside)
        #expect(try await server.receive("ACK") { $0.method == .ack }.requestURI?.socketAddress == server.address)
        try server.send(
            [
                "BYE sip:alice@\(phone.address) SIP/2.0", "Via: SIP/2.0/UDP \(server.address);branch=z9hG4bKbye\(id)",
                "From: <sip:bob@example.org>;tag=bob", "To: <sip:alice@example.org>;tag=alice", "Call-ID: \(id)", "CSeq: 1 BYE",
                "Max-Forwards: 70",
            ] + routes, to: SocketAddress(inside, port: edge.insidePort()))
        let bye = try await phone.receive("BYE") { $0.method == .bye }
        #expect(bye.topmostVia?.responseAddress == outside)
        try phone.send(ResponseBuilder(bye, 200).serialised(), to: outside)
        #expect(try await server.receive("200 of the BYE") { $0.status == 200 }.topmostVia?.responseAddress == server.address)
    }
}
