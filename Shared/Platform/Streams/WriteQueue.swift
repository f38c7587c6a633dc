/// Bytes a peer has not taken yet: bounded, first in first out.
struct WriteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }

    /// Offers all that waits to `send`, which answers how much it took.
    mutating func drain(_ send: (Span<UInt8>) -> Int) {
        start += send(bytes.span.extracting(droppingFirst: start))
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 16 * 1024)
            start = 0
        } else if start > 64 * 1024 {
            bytes.removeSubrange(0..<start)
            start = 0
        }
    }
}
