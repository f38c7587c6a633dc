/// Which of the newest indexes of a source have been seen (RFC 3711 §3.3.2), as a ring of bits that is cleared word by word where it
/// goes on (RFC 6479).
struct ReplayWindow: Hashable, Sendable {
    static let lengths = 64...960

    /// The newest index; nil before the first.
    private(set) var highest: UInt64?
    private var words = InlineArray<16, UInt64>(repeating: 0)

    init() {}

    /// Everything up to this index has been used.
    init(closedTo highest: UInt64) {
        self.highest = highest
        words = InlineArray(repeating: .max)
    }

    /// Nil when there are not as many words as a window has.
    init?(highest: UInt64, words saved: [UInt64]) {
        guard saved.count == words.count else { return nil }
        self.highest = highest
        for index in saved.indices { words[index] = saved[index] }
    }

    /// What a `Position` keeps of one; all that is older counts as seen.
    init(highest: UInt64, newest: UInt64, older: UInt64, oldest: UInt64) {
        self.highest = highest
        words = InlineArray(repeating: .max)
        words[Self.word(highest &- 128)] = oldest
        words[Self.word(highest &- 64)] = older
        words[Self.word(highest)] = newest
    }

    /// The word that the highest index lies in, or one before it.
    @inline(__always)
    func word(behind steps: UInt64) -> UInt64 { words[Self.word((highest ?? 0) &- steps &* 64)] }

    var saved: [UInt64] { words.indices.map { words[$0] } }

    @inline(__always)
    func isFresh(_ index: UInt64, length: Int) -> Bool {
        guard let highest, index <= highest else { return true }
        guard highest &- index < UInt64(truncatingIfNeeded: length) else { return false }
        return words[Self.word(index)] & Self.bit(index) == 0
    }

    @inline(__always)
    mutating func accept(_ index: UInt64) {
        if let highest {
            if index > highest {
                var steps = min(index &>> 6 &- highest &>> 6, 16)
                while steps > 0 {
                    words[Self.word(index &- (steps &- 1) &<< 6)] = 0
                    steps &-= 1
                }
                self.highest = index
            }
        } else {
            highest = index
        }
        words[Self.word(index)] |= Self.bit(index)
    }

    /// The index of a packet by its sequence number: the nearest to the newest one (RFC 3711 §3.3.1, appendix A).
    @inline(__always)
    func index(of sequence: UInt16) throws(Failure) -> UInt64 {
        guard let highest else { return UInt64(sequence) }
        let last = Int(highest & 0xffff)
        let (rollover, distance) = (highest &>> 16, Int(sequence) &- last)
        if last < 0x8000 {
            // Before the first wrap there is nothing to belong to.
            guard distance > 0x8000, rollover > 0 else { return rollover &<< 16 | UInt64(sequence) }
            return (rollover &- 1) &<< 16 | UInt64(sequence)
        }
        guard distance < -0x8000 else { return rollover &<< 16 | UInt64(sequence) }
        guard rollover < UInt64(UInt32.max) else { throw .exhausted }
        return (rollover &+ 1) &<< 16 | UInt64(sequence)
    }

    private static func word(_ index: UInt64) -> Int { Int(truncatingIfNeeded: index &>> 6 & 15) }
    private static func bit(_ index: UInt64) -> UInt64 { 1 &<< (index & 63) }

    static func == (left: ReplayWindow, right: ReplayWindow) -> Bool { left.highest == right.highest && left.saved == right.saved }

    func hash(into hasher: inout Hasher) {
        hasher.combine(highest)
        hasher.combine(saved)
    }
}
