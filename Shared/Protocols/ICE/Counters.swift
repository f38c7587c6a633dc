/// What an agent received and did not act upon, and what it answered.
public struct Counters: Hashable, Sendable, Codable {
    /// No STUN, or STUN that breaks its rules.
    public var malformed = 0
    /// Without credentials, with other ones, or with a code that is wrong.
    public var unauthentic = 0
    /// Answers to nothing that was asked, or from elsewhere than it was asked.
    public var unmatched = 0
    /// On a base, or with a method, that is not ours.
    public var foreign = 0
    /// Authentic checks answered with success.
    public var answered = 0
    /// Requests answered with an error.
    public var refused = 0
    public var roleConflicts = 0
    /// Candidates, pairs, early checks or paths beyond their bounds.
    public var overflowed = 0

    public init() {}
}
