import Addresses
import Contracts
import DTLS
import Deadlines
import MediaSession
import RTP
import SDP
import Testing

@testable import MediaRelay

/// Two sessions of one media thread, each with a phone.
private final class Pair {
    let loop: MediaLoop
    let ears: (Ear, Ear)
    private(set) var ports: (UInt16, UInt16) = (0, 0)
    private(set) var inside: [InsideEndpoint] = []

    init(_ formats: (String, String)) async throws {
        let settings = RelaySettings(
            inside: .loopbackIPv4, media: .loopbackIPv4, ports: 44600...44699, threads: 1, sessionLimit: 10, timeout: .seconds(60))
        loop = try MediaLoop(
            index: 0, settings: settings, security: Security(Endpoint(.make(now: 1_700_000_000))), occupancy: Occupancy(limit: 10) { _ in },
            events: SessionEvents(began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in }))
        loop.start()
        ears = (try Ear(), try Ear())
        ports = (try await open("a", ears.0, formats.0), try await open("b", ears.1, formats.1))
    }

    deinit { loop.loop.stop() }

    private func open(_ id: String, _ ear: Ear, _ formats: String) async throws -> UInt16 {
        let offer = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(ear.port) RTP/AVP \(formats)"]
        let reply = try await loop.create(
            CreateMediaSession(
                sessionID: id, customerID: "c", callID: "c", owner: "o", epoch: 1, offer: offer.map { $0 + "\r\n" }.joined()))
        inside.append(reply.inside)
        return try SessionDescription.parse(reply.description).media[0].port
    }

    func link(_ id: String, session: String? = nil, inside: InsideEndpoint? = nil) async throws {
        _ = try await loop.link(LinkMediaSession(sessionID: id, epoch: 1, inside: inside, session: session))
    }
}

private func packet(_ sequence: UInt16, _ payloadType: UInt8, ssrc: UInt32, fill: UInt8) -> [UInt8] {
    var bytes: [UInt8] = []
    Header(
        payloadType: PayloadType(payloadType), sequence: SequenceNumber(sequence), timestamp: Timestamp(UInt32(sequence) * 160),
        ssrc: SSRC(ssrc)).append(to: &bytes)
    return bytes + [UInt8](repeating: fill, count: 160)
}

private func header(_ packet: [UInt8]) throws -> Header { try Header(parsing: packet.span) }

@Suite("MediaRelay: sessions linked with each other")
struct LinkedSessionsTests {
    @Test("The same codec goes straight through, code by code; from a room to a session and back the stream goes on, number by number")
    func direct() async throws {
        let pair = try await Pair(("8", "8"))
        let room = try Ear()
        let seat = InsideEndpoint(address: "127.0.0.1:\(room.port)", ssrc: 77)
        try await pair.link("b", inside: seat)
        let port = try #require(SocketAddress(pair.inside[1].address)?.port)
        room.send(packet(500, 0, ssrc: pair.inside[1].ssrc, fill: 0xff), to: port)
        let first = try header(try await pair.ears.1.hears())
        try await pair.link("a", session: "b")
        // Codes of A-law survive as they are: by way of µ-law some would not.
        var last = first
        for (index, code) in ([0x00, 0x55, 0x5a, 0xd5, 0xff] as [UInt8]).enumerated() {
            pair.ears.0.send(packet(UInt16(9 + index), 8, ssrc: 5, fill: code), to: pair.ports.0)
            let heard = try await pair.ears.1.hears()
            let header = try header(heard)
            #expect(heard.suffix(160).allSatisfy { $0 == code })
            #expect(header.ssrc == first.ssrc && header.sequence == last.sequence.next && header.payloadType.value == 8)
            #expect(header.marker == (index == 0))
            last = header
        }
        try await pair.link("b", inside: seat)
        room.send(packet(501, 0, ssrc: pair.inside[1].ssrc, fill: 0xff), to: port)
        let back = try header(try await pair.ears.1.hears())
        #expect(back.ssrc == first.ssrc && back.sequence == last.sequence.next && back.timestamp.distance(from: last.timestamp) >= 160)
        // The other one was left alone.
        pair.ears.0.send(packet(30, 8, ssrc: 5, fill: 0xd5), to: pair.ports.0)
        #expect(try await pair.ears.1.hearsNothing())
    }

    @Test("Different codecs meet in the middle")
    func translated() async throws {
        let pair = try await Pair(("0", "8"))
        try await pair.link("a", session: "b")
        pair.ears.0.send(packet(1, 0, ssrc: 5, fill: 0xff), to: pair.ports.0)
        let heard = try await pair.ears.1.hears()
        #expect(try header(heard).payloadType.value == 8 && heard.suffix(160).allSatisfy { $0 == 0xd5 })
        pair.ears.1.send(packet(1, 8, ssrc: 6, fill: 0xd5), to: pair.ports.1)
        // The least positive value of A-law is the second of µ-law.
        #expect(try await pair.ears.0.hears().suffix(160).allSatisfy { $0 == 0xfe })
    }

    @Test("A session that is not there, or itself, is an error and changes nothing; the end of one leaves the other without anybody")
    func mistakes() async throws {
        let pair = try await Pair(("0", "0"))
        for (id, other) in [("a", "never"), ("never", "a"), ("a", "a")] {
            await #expect(throws: RPCError.self) { try await pair.link(id, session: other) }
        }
        try await pair.link("a", session: "b")
        _ = try await pair.loop.delete(DeleteMediaSession(sessionID: "b", epoch: 1))
        pair.ears.0.send(packet(1, 0, ssrc: 5, fill: 0xff), to: pair.ports.0)
        #expect(try await pair.ears.1.hearsNothing())
        #expect(try await pair.loop.query(QueryMediaSession(sessionID: "a")).packetsIn == 1)
    }
}
