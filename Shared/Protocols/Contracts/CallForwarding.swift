/// Where a call to an extension goes on to that its phones do not take, when no flow answers for it: each a number of the customer's,
/// or `voicemail`, the mailbox that is called like the extension.
public struct CallForwarding: Codable, Sendable, Equatable {
    public static let voicemail = "voicemail"

    /// Its phones do not ring at all.
    public var always: String?
    /// All are busy, one has declined, or the extension is not to be disturbed.
    public var busy: String?
    public var noAnswer: String?
    /// No phone is registered, or none has said a word.
    public var unreachable: String?
    /// How long they ring.
    public var ringSeconds: Int?

    public init() {}

    public var isEmpty: Bool { self == CallForwarding() }

    /// Nil leaves as it was; an empty text, or zero seconds, takes away.
    public struct Change: Codable, Sendable, Equatable {
        public var always: String?
        public var busy: String?
        public var noAnswer: String?
        public var unreachable: String?
        public var ringSeconds: Int?
        /// What is not given is taken away, too.
        public var replaces: Bool?

        public init() {}

        public func applied(to former: CallForwarding?) -> CallForwarding {
            var result = replaces == true ? CallForwarding() : former ?? CallForwarding()
            func change(_ destination: inout String?, _ new: String?) {
                if let new { destination = new.isEmpty ? nil : new }
            }
            change(&result.always, always)
            change(&result.busy, busy)
            change(&result.noAnswer, noAnswer)
            change(&result.unreachable, unreachable)
            if let ringSeconds { result.ringSeconds = ringSeconds == 0 ? nil : ringSeconds }
            return result
        }

        private enum CodingKeys: String, CodingKey {
            case always, busy, unreachable, replaces
            case noAnswer = "no_answer"
            case ringSeconds = "ring_seconds"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case always, busy, unreachable
        case noAnswer = "no_answer"
        case ringSeconds = "ring_seconds"
    }
}
