import Deadlines

/// A table that is allocated once and never grows: a key that finds its eight places taken replaces the stalest of them.
///
/// Keys are keyed hashes; two keys that are equal share an entry, which at 64 bits does not happen by chance or by choice.
struct StalestTable<Value: Sendable>: ~Copyable {
    private struct Slot {
        /// Zero: nobody's.
        var key: UInt64
        var touched: Instant
        var value: Value
    }

    private static var ways: Int { 8 }
    private var slots: [Slot]
    private let mask: Int
    private let empty: Value

    /// Takes the next power of two of `capacity`.
    init(capacity: Int, empty: Value) {
        var count = Self.ways
        while count < capacity { count <<= 1 }
        self.empty = empty
        mask = count / Self.ways - 1
        slots = Array(repeating: Slot(key: 0, touched: Instant(nanoseconds: 0), value: empty), count: count)
    }

    var capacity: Int { slots.count }

    func find(_ key: UInt64) -> Value? { index(of: key).map { slots[$0].value } }

    /// Changes the value of a key, which begins as the empty value when it is new here.
    mutating func update<Result>(_ key: UInt64, now: Instant, _ change: (inout Value) -> Result) -> Result {
        let index = index(of: key) ?? place(key)
        slots[index].touched = now
        return change(&slots[index].value)
    }

    /// The same for a key that is here; nil when it is not.
    mutating func updateKnown<Result>(_ key: UInt64, now: Instant, _ change: (inout Value) -> Result) -> Result? {
        guard let index = index(of: key) else { return nil }
        slots[index].touched = now
        return change(&slots[index].value)
    }

    /// As `update`, but nil instead of replacing another key.
    mutating func updateIfRoom<Result>(_ key: UInt64, now: Instant, _ change: (inout Value) -> Result) -> Result? {
        guard index(of: key) != nil || index(of: 0, near: key) != nil else { return nil }
        return update(key, now: now, change)
    }

    mutating func remove(_ key: UInt64) {
        if let index = index(of: key) { slots[index] = Slot(key: 0, touched: Instant(nanoseconds: 0), value: empty) }
    }

    private func index(of key: UInt64) -> Int? { index(of: Self.stored(key), near: key) }

    private func index(of stored: UInt64, near key: UInt64) -> Int? {
        let first = first(key)
        for index in first..<first + Self.ways where slots[index].key == stored { return index }
        return nil
    }

    /// A free place, or else the one that was not touched for longest: free ones were touched at the beginning of time.
    private mutating func place(_ key: UInt64) -> Int {
        let first = first(key)
        var stalest = first
        for index in first..<first + Self.ways where slots[index].touched < slots[stalest].touched { stalest = index }
        slots[stalest] = Slot(key: Self.stored(key), touched: Instant(nanoseconds: 0), value: empty)
        return stalest
    }

    private func first(_ key: UInt64) -> Int { (Int(truncatingIfNeeded: key) & mask) * Self.ways }

    private static func stored(_ key: UInt64) -> UInt64 { key == 0 ? 1 : key }
}
