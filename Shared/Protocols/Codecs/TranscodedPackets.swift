public import RTP

/// What transcoding made: packets to send and tones heard. The memory is the caller's and is used again and again.
public struct TranscodedPackets: ~Copyable {
    public struct Packet: Hashable, Sendable {
        /// In the clock of the outgoing coding.
        public let timestamp: Timestamp
        /// The first after a pause (RFC 3551 §4.1).
        public let marker: Bool
        let start: Int
        let length: Int
    }

    /// A closed gap may release a whole buffer of packets at once.
    static let capacity = 64
    private static let size = 65_536
    public private(set) var count = 0
    private var packets = InlineArray<64, Packet>(repeating: Packet(timestamp: Timestamp(0), marker: false, start: 0, length: 0))
    private var memory = [UInt8](repeating: 0, count: TranscodedPackets.size)
    private var used = 0

    static let toneCapacity = 16
    public private(set) var toneCount = 0
    private var toneEvents = InlineArray<16, ToneDetector.Event>(repeating: .began(0))

    public init() {}

    public subscript(index: Int) -> Packet {
        precondition(index >= 0 && index < count, "only what was written is read")
        return packets[index]
    }

    @_lifetime(borrow self)
    public borrowing func payload(_ index: Int) -> Span<UInt8> {
        let packet = self[index]
        return memory.span.extracting(packet.start..<(packet.start + packet.length))
    }

    public func tone(_ index: Int) -> ToneDetector.Event {
        precondition(index >= 0 && index < toneCount, "only what was written is read")
        return toneEvents[index]
    }

    public mutating func removeAll() { (count, used, toneCount) = (0, 0, 0) }

    /// Whether what any one arrival may become still fits: the longest loss, and the longest packet, in the shortest packets.
    var hasRoom: Bool { count <= Self.capacity - 32 && used <= Self.size - 32_768 }

    /// Encodes a packet's sound; false when nothing is to be sent for it.
    mutating func append(
        _ sound: [Int16], _ range: Range<Int>, by encoder: inout Encoder, timestamp: Timestamp, marker: Bool
    ) -> Bool {
        guard count < Self.capacity else { return false }
        let start = used
        var span = memory.mutableSpan
        let length = encoder.encode(sound.span.extracting(range), into: &span, at: start)
        guard length > 0 else { return false }
        packets[count] = Packet(timestamp: timestamp, marker: marker, start: start, length: length)
        count += 1
        used += length
        return true
    }

    mutating func append(_ tone: ToneDetector.Event) {
        guard toneCount < Self.toneCapacity else { return }
        toneEvents[toneCount] = tone
        toneCount += 1
    }
}
