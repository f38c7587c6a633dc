/// The arithmetic of a conference: everybody is added once, and each one's own voice is taken out again for its own ear.
///
/// The sum has 32 bits, so 65,536 loud voices cannot overflow it; clamping happens once, on the way out.
public struct Mix: Sendable {
    private var sum: [Int32]

    public init(frame: Int = Samples.frame) { sum = Array(repeating: 0, count: frame) }

    public mutating func clear() {
        var span = sum.mutableSpan
        for index in span.indices { span[index] = 0 }
    }

    /// Takes the other's sum, of the same length.
    public mutating func copy(_ other: Mix) {
        let source = other.sum.span
        var span = sum.mutableSpan
        let count = min(source.count, span.count)
        for index in 0..<count { span[index] = source[index] }
    }

    public mutating func subtract(_ samples: Span<Int16>) {
        var span = sum.mutableSpan
        let count = min(samples.count, span.count)
        for index in 0..<count { span[index] &-= Int32(samples[index]) }
    }

    public mutating func add(_ samples: Span<Int16>) {
        var span = sum.mutableSpan
        let count = min(samples.count, span.count)
        for index in 0..<count { span[index] &+= Int32(samples[index]) }
    }

    /// The sum as G.711 codes: less `own`, the listener's own voice, and with `extra`, what only this listener hears.
    public func encode(
        minus own: Span<Int16>? = nil, plus extra: Span<Int16>? = nil, _ law: G711.Law = .ulaw,
        into codes: inout MutableSpan<UInt8>,
        at offset: Int = 0
    ) {
        let laws = G711.codeTable(law)
        let table = laws.span
        let span = sum.span
        var count = min(codes.count - offset, span.count)
        if let own { count = min(count, own.count) }
        if let extra { count = min(count, extra.count) }
        switch (own, extra) {
        case (nil, nil):
            for index in 0..<count { codes[offset + index] = table[G711.index(Self.limit(span[index]))] }
        case (let own?, nil):
            for index in 0..<count { codes[offset + index] = table[G711.index(Self.limit(span[index] &- Int32(own[index])))] }
        case (nil, let extra?):
            for index in 0..<count {
                codes[offset + index] = table[G711.index(Self.limit(span[index] &+ Int32(extra[index])))]
            }
        case (let own?, let extra?):
            for index in 0..<count {
                codes[offset + index] = table[G711.index(Self.limit(span[index] &- Int32(own[index]) &+ Int32(extra[index])))]
            }
        }
    }

    /// The sum, limited, as linear samples: what a recorder hears.
    public func write(into samples: inout MutableSpan<Int16>) {
        let span = sum.span
        let count = min(samples.count, span.count)
        for index in 0..<count { samples[index] = Int16(truncatingIfNeeded: Self.limit(span[index])) }
    }

    /// Up to here, 2.7 dB below full scale, a sum is as it is.
    private static let knee: Int32 = 24_000

    /// Many loud voices at once bend towards full scale, which they never reach, instead of being cut off there. The curve begins with the
    /// slope of what is below it, so nothing is heard of where it begins.
    @inline(__always)
    private static func limit(_ value: Int32) -> Int32 {
        value.magnitude > UInt32(knee) ? bend(value.magnitude) * value.signum() : value
    }

    private static func bend(_ magnitude: UInt32) -> Int32 {
        let (room, over) = (Int64(32_767 - knee), Int64(magnitude) - Int64(knee))
        return knee + Int32(truncatingIfNeeded: room * over / (room + over))
    }
}
