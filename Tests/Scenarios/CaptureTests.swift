import Addresses
import HEP
import Phone
import SIP
import Suite
import Testing

@Suite("Copies of all messages to a capture server (HEP version 3)", .timeLimit(.minutes(1)))
struct CaptureTests {
    private let farm: FarmServer
    private let server: InsideAgent
    private let edge: LoneEdge

    init() async throws {
        farm = try FarmServer()
        server = try InsideAgent()
        edge = try await LoneEdge(
            servers: [farm.address.port],
            environment: [
                "TANDEM_HEP": "127.0.0.1:\(server.port)", "TANDEM_HEP_ID": "77", "TANDEM_HEP_PASSWORD": "secret",
                "TANDEM_INSTANCE": "edge-of-tests",
            ])
    }

    @Test("a request and its response are seen on both sides of the edge, with their addresses, over each transport", arguments: [
        Transport.udp, .tcp,
    ])
    func bothSides(over transport: Transport) async throws {
        var settings = PhoneSettings(number: "1001", domain: "farm.example", password: "", proxy: edge.sip)
        settings.transport = transport
        let phone = PhoneLine(settings)
        try await phone.register()
        let address = try await phone.localAddress()
        let request = try #require(farm.requests(.register).first)
        let inside = SocketAddress(.loopbackIPv4, port: try #require(request.topmostVia?.port))
        let copies = try copies(4) { $0.correlation == Array((request.callID ?? "").utf8) }
        #expect(copies.map(\.packet.source) == [address, inside, farm.address, edge.sip])
        #expect(copies.map(\.packet.destination) == [edge.sip, farm.address, inside, address])
        #expect(copies.map(\.packet.carrier) == [transport.carrier, .udp, .udp, transport.carrier])
        #expect(copies.allSatisfy { $0.packet.captureID == 77 && $0.packet.content == .sip })
        #expect(copies.allSatisfy { $0.node == Array("edge-of-tests".utf8) && $0.password == Array("secret".utf8) })
        #expect(copies[1].payload == request.bytes, "as it was sent")
        #expect(try copies.map { try Message.parse($0.payload).status } == [nil, nil, 200, 200])
        #expect(try await edge.metric("tandem_edge_captures_total") >= 4)
        await phone.close()
    }

    @Test("what is no message, and what the edge answers by itself, is seen as well")
    func refusals() async throws {
        let stranger = try InsideAgent()
        let port = stranger.port
        try stranger.send(Array("INVITE nonsense\r\n\r\n".utf8), to: edge.port)
        try stranger.send(
            [
                "OPTIONS sip:\(edge.sip) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(port);branch=z9hG4bK1", "From: <sip:a@b>;tag=1",
                "To: <sip:\(edge.sip)>", "Call-ID: asks", "CSeq: 1 OPTIONS", "Max-Forwards: 70",
            ], to: edge.port)
        let copies = try copies(3) { $0.packet.source.port == port || $0.packet.destination.port == port }
        #expect(String(decoding: copies[0].payload, as: UTF8.self) == "INVITE nonsense\r\n\r\n")
        #expect(copies[0].correlation.isEmpty)
        #expect(copies[1].correlation == Array("asks".utf8) && copies[2].correlation == Array("asks".utf8))
        #expect(try Message.parse(copies[2].payload).status == 200)
    }

    @Test("the keys that an INFO tells of are seen by nobody, in what is no message either")
    func keys() async throws {
        let stranger = try InsideAgent()
        let port = stranger.port
        let body = "Signal=7\r\nDuration=160\r\n"
        let info = [
            "INFO sip:1002@farm.example SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(port);branch=z9hG4bK7", "From: <sip:1001@farm.example>;tag=1",
            "To: <sip:1002@farm.example>", "Call-ID: keys", "CSeq: 1 INFO", "Max-Forwards: 70", "Content-Type: application/dtmf-relay",
            "Content-Length: \(body.utf8.count)", "", body,
        ].joined(separator: "\r\n")
        try stranger.send(Array(info.utf8), to: edge.port)
        try stranger.send(Array("INFO nonsense\r\nContent-Type: application/dtmf\r\n\r\n7\r\n".utf8), to: edge.port)
        let copies = try copies(2) { $0.packet.source.port == port }.map { String(decoding: $0.payload, as: UTF8.self) }
        #expect(copies[0] == info.replacing("Signal=7", with: "Signal=*"))
        #expect(copies[1] == "INFO nonsense\r\nContent-Type: application/dtmf\r\n\r\n*\r\n")
    }

    @Test("a capture server that is away costs no call, and what it missed is counted")
    func away() async throws {
        let gone = LocalPort.ten()
        let edge = try await LoneEdge(servers: [farm.address.port], environment: ["TANDEM_HEP": "127.0.0.1:\(gone)"])
        let phone = PhoneLine(PhoneSettings(number: "1001", domain: "farm.example", password: "", proxy: edge.sip))
        for _ in 0..<5 { try await phone.register() }
        let sent = try await edge.metric("tandem_edge_captures_total")
        #expect(try await sent + edge.metric("tandem_edge_captures_lost_total") >= 20)
        await phone.close()
    }

    private func copies(_ count: Int, where isWanted: (CapturedMessage) -> Bool) throws -> [CapturedMessage] {
        var found: [CapturedMessage] = []
        for _ in 0..<250 where found.count < count {
            while let datagram = server.nextDatagram() {
                let copy = try CapturedMessage(parsing: datagram.span)
                if isWanted(copy) { found.append(copy) }
            }
        }
        try #require(found.count == count)
        return found
    }
}

extension Transport {
    fileprivate var carrier: Packet.Carrier { isReliable ? .tcp : .udp }
}
