/// A part of a message, or none, in eight bytes: what is read of a header value is passed about by value, many parts at a time.
struct Slice: Sendable, Hashable {
    private let start: UInt32
    private let end: UInt32

    /// No part; as a range it is empty.
    static let missing = Slice()

    private init() { (start, end) = (.max, .max) }

    /// Offsets of a message, whose length is limited far below 32 bits.
    init(_ range: Range<Int>) {
        (start, end) = (UInt32(truncatingIfNeeded: range.lowerBound), UInt32(truncatingIfNeeded: range.upperBound))
    }

    init(_ range: Range<Int>?) {
        if let range { self.init(range) } else { self.init() }
    }

    var range: Range<Int> { start == .max ? 0..<0 : Int(start)..<Int(end) }
    var found: Range<Int>? { start == .max ? nil : Int(start)..<Int(end) }
}
