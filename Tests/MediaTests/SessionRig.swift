import Addresses
import Deadlines
import MediaSession
import RTP
import SDP
import Testing

/// A session between a phone and a room; time is what the test says.
struct SessionRig: ~Copyable {
    static let phone = SocketAddress(IPAddress(v4: 0xc000_0201), port: 4000)
    static let control = SocketAddress(phone.address, port: 4001)
    static let room = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 20000)

    /// A packet as one side receives it.
    struct Packet: Equatable {
        var type: UInt8
        var sequence: Int
        var timestamp: Int
        var marker: Bool
        var payload: [UInt8]

        var event: TelephoneEvent? { payload.count == 4 ? try? TelephoneEvent(parsing: payload.span) : nil }
    }

    var session: Session
    var buffer = PacketBuffer()
    var now = Instant(nanoseconds: 1_000_000_000)

    static func agreement(_ codecs: [Codec], direction: Direction = .sendReceive) -> Agreement {
        var next: UInt8 = 96
        let formats = codecs.map { codec in
            let number = codec.staticPayloadType ?? (codec == .telephoneEvent ? 101 : next)
            if number == next { next += 1 }
            return AgreedFormat(codec: codec, sendingPayloadType: number, receivingPayloadType: number)
        }
        return Agreement(remote: phone, remoteControl: control, direction: direction, formats: formats)
    }

    init(_ agreement: Agreement, settings: SessionSettings = SessionSettings()) throws {
        session = Session(random: (0x1234_5678_0000_0001, 0x1000), now: now, settings: settings)
        session.apply(try #require(ForwardingPlan(agreement)), now: now)
        session.link(to: Self.room, ssrc: SSRC(77))
    }

    mutating func pass(milliseconds: Int) { now = now + .milliseconds(milliseconds) }

    @discardableResult
    mutating func fromPhone(
        _ sequence: Int, _ timestamp: Int? = nil, type: UInt8 = 0, payload: [UInt8], marker: Bool = false
    ) -> [Packet] {
        let bytes = Self.packet(sequence, timestamp ?? sequence * 160, type, payload, 5, marker)
        buffer.removeAll()
        _ = session.outsidePacket(bytes.span, from: Self.phone, now: now, into: &buffer)
        return received()
    }

    @discardableResult
    mutating func fromRoom(
        _ sequence: Int, _ timestamp: Int? = nil, type: UInt8 = 0, payload: [UInt8], marker: Bool = false
    ) -> [Packet] {
        let bytes = Self.packet(sequence, timestamp ?? sequence * 160, type, payload, 1, marker)
        buffer.removeAll()
        _ = session.insidePacket(bytes.span, from: Self.room, now: now, into: &buffer)
        return received()
    }

    mutating func fromPhone(control packet: ControlPacket..., ntpTime: UInt64 = 0) -> Bool {
        var bytes: [UInt8] = []
        for packet in packet { packet.append(to: &bytes) }
        return session.controlPacket(bytes.span, from: Self.control, now: now, ntpTime: ntpTime)
    }

    mutating func report(ntpTime: UInt64 = 0, isLast: Bool = false) throws -> [ControlPacket] {
        guard let bytes = session.report(now: now, ntpTime: ntpTime, canonicalName: "x", isLast: isLast) else { return [] }
        return try ControlPacket.parse(bytes.span)
    }

    func received() -> [Packet] {
        (0..<buffer.count).compactMap { index in
            let bytes = buffer[index]
            guard let header = try? Header(parsing: bytes) else { return nil }
            return Packet(
                type: header.payloadType.value, sequence: Int(header.sequence.value), timestamp: Int(header.timestamp.value),
                marker: header.marker, payload: header.payloadRange.map { bytes[$0] })
        }
    }

    static func sound(_ count: Int = 160) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0) } }

    private static func packet(
        _ sequence: Int, _ timestamp: Int, _ type: UInt8, _ payload: [UInt8], _ ssrc: UInt32, _ marker: Bool
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        Header(
            payloadType: PayloadType(type), sequence: SequenceNumber(UInt16(truncatingIfNeeded: sequence)),
            timestamp: Timestamp(UInt32(truncatingIfNeeded: timestamp)), ssrc: SSRC(ssrc), marker: marker
        ).append(to: &bytes)
        return bytes + payload
    }
}
