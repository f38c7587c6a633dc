/// Who dominates a conversation: the one who was heard most in the last one or two seconds. Another takes over only when it has
/// clearly been heard more for half a second, so that a cough or a "yes" changes nothing.
public struct ActiveSpeaker: Sendable, Codable {
    /// What one participant was heard of late, weighted towards the present.
    public struct Presence: Sendable, Codable {
        /// 0 to 1.
        public private(set) var score: Float = 0

        public init() {}

        /// The mean amplitude of the next 20 ms; 0 when it says nothing. What is loud anyhow counts no more for being louder.
        public mutating func hear(amplitude: Int) {
            score += (min(1, Float(amplitude) / 1500) - score) * 0.02
        }
    }

    /// Looks are 100 ms apart.
    private static let looksToBegin = 2
    private static let looksToChange = 5
    private static let lead: Float = 1.4
    private static let least: Float = 0.05

    public private(set) var current: Int?
    private var challenger: Int?
    private var looks = 0

    public init() {}

    /// True when another dominates now. Of those who left, nothing is given.
    public mutating func look(_ presences: some Sequence<(id: Int, score: Float)>) -> Bool {
        var own: Float?
        var best: (id: Int, score: Float)?
        for one in presences {
            if one.id == current { own = one.score }
            if one.score > best?.score ?? Self.least { best = one }
        }
        guard let best, best.id != current, best.score > (own ?? 0) * Self.lead else {
            (challenger, looks) = (nil, 0)
            return false
        }
        looks = challenger == best.id ? looks + 1 : 1
        challenger = best.id
        guard looks >= (own == nil ? Self.looksToBegin : Self.looksToChange) else { return false }
        (current, challenger, looks) = (best.id, nil, 0)
        return true
    }

    /// It has left: whoever is heard next takes its place sooner.
    public mutating func leave(_ id: Int) { if current == id { current = nil } }
}
