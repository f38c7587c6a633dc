import Addresses
import Contracts
import DTLS
import Deadlines
import MediaSession
import RTP
import SDP
import Synchronization
import Testing

@testable import MediaRelay

/// What owners were told of keys.
private final class Told: Sendable {
    let digits = Mutex<[String]>([])
}

/// Two sessions of one media thread, each with a phone.
private final class Pair {
    let loop: MediaLoop
    let ears: (Ear, Ear)
    private(set) var ports: (UInt16, UInt16) = (0, 0)
    private(set) var inside: [InsideEndpoint] = []
    let told: Told

    init(_ formats: (String, String)) async throws {
        let settings = RelaySettings(
            inside: .loopbackIPv4, media: .loopbackIPv4, ports: 44600...44699, threads: 1, sessionLimit: 10, timeout: .seconds(60))
        let told = Told()
        self.told = told
        loop = try MediaLoop(
            index: 0, settings: settings, security: Security(Endpoint(.make(now: 1_700_000_000))), occupancy: Occupancy(limit: 10) { _ in },
            events: SessionEvents(
                began: { _ in }, changed: { _ in }, ended: { _, _ in }, silent: { _, _ in },
                digit: { press, owner in told.digits.withLock { $0.append("\(owner) \(press.digit) \(press.duration)") } }))
        loop.start()
        ears = (try Ear(), try Ear())
        ports = (try await open("a", ears.0, formats.0), try await open("b", ears.1, formats.1))
    }

    deinit { loop.loop.stop() }

    private func open(_ id: String, _ ear: Ear, _ formats: String) async throws -> UInt16 {
        var offer = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(ear.port) RTP/AVP \(formats)"]
        if formats.hasSuffix("101") { offer.append("a=rtpmap:101 telephone-event/8000") }
        let reply = try await loop.create(
            CreateMediaSession(
                sessionID: id, customerID: "c", callID: "c", owner: "o", epoch: 1, offer: offer.map { $0 + "\r\n" }.joined()))
        inside.append(reply.inside)
        return try SessionDescription.parse(reply.description).media[0].port
    }

    func link(_ id: String, session: String? = nil, inside: InsideEndpoint? = nil, keys: Bool? = nil) async throws {
        _ = try await loop.link(LinkMediaSession(sessionID: id, epoch: 1, inside: inside, session: session, keys: keys))
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

    @Test("Wideband stays wideband: what two phones with G.722 say goes by as it is, byte by byte")
    func wideband() async throws {
        let pair = try await Pair(("9", "9"))
        try await pair.link("a", session: "b")
        try await pair.link("b", session: "a")
        for (number, byte) in ([0x11, 0xa5, 0xfa] as [UInt8]).enumerated() {
            pair.ears.0.send(packet(UInt16(number), 9, ssrc: 5, fill: byte), to: pair.ports.0)
            let heard = try await pair.ears.1.hears()
            #expect(try header(heard).payloadType.value == 9)
            #expect(heard.suffix(160).allSatisfy { $0 == byte })
        }
    }

    @Test("RFC 4733: keys of two who are linked are told to their calls, once each, and heard by the other", arguments: [("0 101", "0 101"), ("0 101", "8 101")])
    func keys(formats: (String, String)) async throws {
        let pair = try await Pair(formats)
        try await pair.link("a", session: "b", keys: true)
        try await pair.link("b", session: "a", keys: true)
        pair.ears.0.send(packet(1, 0, ssrc: 5, fill: 0xff), to: pair.ports.0)
        _ = try await pair.ears.1.hears()
        for (number, duration) in [160, 320, 480].enumerated() {
            var bytes: [UInt8] = []
            Header(
                payloadType: PayloadType(101), sequence: SequenceNumber(UInt16(2 + number)), timestamp: Timestamp(320), ssrc: SSRC(5), marker: number == 0
            ).append(to: &bytes)
            TelephoneEvent(code: 5, isEnd: number == 2, duration: UInt16(duration)).append(to: &bytes)
            pair.ears.0.send(bytes, to: pair.ports.0)
            #expect(try header(try await pair.ears.1.hears()).payloadType.value == 101)
        }
        #expect(pair.told.digits.withLock { $0 } == ["o 5 20"])
        // In a room again it is the room that tells.
        try await pair.link("a", inside: InsideEndpoint(address: "127.0.0.1:9", ssrc: 7))
        var bytes: [UInt8] = []
        Header(payloadType: PayloadType(101), sequence: SequenceNumber(9), timestamp: Timestamp(2_000), ssrc: SSRC(5), marker: true).append(to: &bytes)
        TelephoneEvent(code: 6, isEnd: false, duration: 160).append(to: &bytes)
        pair.ears.0.send(bytes, to: pair.ports.0)
        #expect(try await pair.ears.1.hearsNothing())
        #expect(pair.told.digits.withLock { $0.count } == 1)
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
