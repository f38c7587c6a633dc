internal import Codecs
internal import RTP

/// The packets that one incoming packet becomes: none, one, or several when it carried more sound than a packet of the other
/// side holds. The memory is the caller's and is used again and again.
public struct PacketBuffer: ~Copyable {
    /// 160 ms of G.711 cut into 20 ms make eight packets; what waited for a gap to close comes together.
    public static let capacity = 16
    /// Header, the longest payload a codec makes, and room for the tag of a protected packet.
    static let packetSize = Header.length + Coding.largestPayload + MediaTransport.overhead
    public private(set) var count = 0
    private var memory = [UInt8](repeating: 0, count: PacketBuffer.capacity * PacketBuffer.packetSize)
    private var lengths = InlineArray<16, Int>(repeating: 0)
    /// Between a transcoder and the packets.
    var transcoded = TranscodedPackets()

    public init() {}

    public subscript(index: Int) -> Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            precondition(index >= 0 && index < count, "only what was written is read")
            let start = index * Self.packetSize
            return memory.span.extracting(start..<start + lengths[index])
        }
    }

    public mutating func removeAll() { count = 0 }

    /// The payload of a packet that a transcoder made, copied so that it can be appended here; its length.
    borrowing func copyTranscoded(_ index: Int, into payload: inout InlineArray<1400, UInt8>) -> Int {
        let made = transcoded.payload(index)
        let count = min(made.count, payload.count)
        for place in 0..<count { payload[place] = made[place] }
        return count
    }

    /// Lets `change` rewrite a packet where it lies; it gives the new length, or nil and the packet is empty.
    mutating func rewrite(_ index: Int, _ change: (inout MutableSpan<UInt8>, Int) -> Int?) -> Bool {
        precondition(index >= 0 && index < count, "only what was written is rewritten")
        let (start, length) = (index * Self.packetSize, lengths[index])
        var whole = memory.mutableSpan
        var packet = whole._mutatingExtracting(start..<start + Self.packetSize)
        guard let length = change(&packet, length) else {
            lengths[index] = 0
            return false
        }
        lengths[index] = length
        return true
    }

    /// Appends a packet whose payload goes through a table of 256 codes; without table it is copied.
    ///
    /// A packet that does not fit is left out: `Session` admits only payloads that do.
    mutating func append(_ header: Header, payload: Span<UInt8>, through table: [UInt8]?) {
        guard count < Self.capacity, payload.count <= Self.packetSize - Header.length - MediaTransport.overhead else { return }
        let start = count * Self.packetSize
        var span = memory.mutableSpan
        header.write(into: &span, at: start)
        let first = start + Header.length
        if let table {
            let codes = table.span
            for index in payload.indices { span[first + index] = codes[Int(payload[index])] }
        } else {
            for index in payload.indices { span[first + index] = payload[index] }
        }
        lengths[count] = Header.length + payload.count
        count += 1
    }
}
