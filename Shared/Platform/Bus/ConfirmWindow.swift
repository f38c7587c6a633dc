/// The messages a broker has been given and not yet confirmed (publisher confirms), oldest first. Pure.
struct ConfirmWindow<Element> {
    private var outstanding: [UInt64: Element] = [:]
    private var lowest: UInt64 = 1
    private var next: UInt64 = 1
    let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { outstanding.count }
    var isFull: Bool { outstanding.count >= limit }

    /// The broker numbers the messages of a channel from 1, in the order they were published; so do we.
    mutating func published(_ element: Element) {
        outstanding[next] = element
        next += 1
    }

    /// What one basic.ack or basic.nack settles: a single message, or with `multiple` all up to and including it.
    mutating func settle(_ tag: UInt64, multiple: Bool) -> [Element] {
        guard multiple else { return outstanding.removeValue(forKey: tag).map { [$0] } ?? [] }
        var settled: [Element] = []
        // Tag 0 with `multiple` means all; a tag never published settles what is there.
        let last = tag == 0 ? next - 1 : min(tag, next - 1)
        while lowest <= last {
            if let element = outstanding.removeValue(forKey: lowest) { settled.append(element) }
            lowest += 1
        }
        return settled
    }

    /// Empties the window for a new channel; what was unconfirmed has to be published again, in this order.
    mutating func restart() -> [Element] {
        defer { self = ConfirmWindow(limit: limit) }
        return outstanding.sorted { $0.key < $1.key }.map(\.value)
    }
}
