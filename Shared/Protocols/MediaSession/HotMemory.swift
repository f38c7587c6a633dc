/// Where in a session that lies which a packet touches: only a hint, for whoever asks for memory before it is needed.
public struct HotMemory: Sendable {
    /// For a packet of its phone.
    public var reading: Range<UInt>
    /// For a packet that another leg gives it.
    public var writing: Range<UInt>
    /// What says whether the session is plain.
    public var transport: UInt
}

extension Session {
    /// The counters of packets stand before those of quality, the numbers of a stream before what it remembers.
    private static var counters: UInt { 72 }
    private static var numbers: UInt { 64 }

    public mutating func hotMemory() -> HotMemory {
        let start = unsafe withUnsafeMutablePointer(to: &plan) { UInt(bitPattern: $0) }
        let counts = unsafe withUnsafeMutablePointer(to: &counts) { UInt(bitPattern: $0) }
        let inside = unsafe withUnsafeMutablePointer(to: &inside) { UInt(bitPattern: $0) }
        let transport = unsafe withUnsafeMutablePointer(to: &transport) { UInt(bitPattern: $0) }
        return HotMemory(reading: start..<max(start, inside + Self.numbers), writing: start..<max(start, counts + Self.counters), transport: transport)
    }
}
