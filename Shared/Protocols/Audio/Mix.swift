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
            for index in 0..<count { codes[offset + index] = table[G711.index(Self.clamp(span[index]))] }
        case (let own?, nil):
            for index in 0..<count { codes[offset + index] = table[G711.index(Self.clamp(span[index] &- Int32(own[index])))] }
        case (nil, let extra?):
            for index in 0..<count {
                codes[offset + index] = table[G711.index(Self.clamp(span[index] &+ Int32(extra[index])))]
            }
        case (let own?, let extra?):
            for index in 0..<count {
                codes[offset + index] = table[G711.index(Self.clamp(span[index] &- Int32(own[index]) &+ Int32(extra[index])))]
            }
        }
    }

    /// The sum, clamped, as linear samples: what a recorder hears.
    public func write(into samples: inout MutableSpan<Int16>) {
        let span = sum.span
        let count = min(samples.count, span.count)
        for index in 0..<count { samples[index] = Int16(truncatingIfNeeded: Self.clamp(span[index])) }
    }

    @inline(__always)
    private static func clamp(_ value: Int32) -> Int32 { max(-32768, min(32767, value)) }
}
