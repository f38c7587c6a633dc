/// `park`: the call waits in a slot of a lot until another call fetches it there, or the time is up. With `retrieve`, this call fetches.
public struct Park: Sendable, Hashable, OptionFields {
    public var lot = "main"
    /// The slot it is to have; without, the lowest free one of `first` to `last`.
    public var slot: String?
    public var first = 1
    public var last = 99
    /// Milliseconds.
    public var timeout = 300_000
    /// What is heard meanwhile; music of the platform's without.
    public var streamURLs: [String] = []
    /// The slot whose call is wanted.
    public var retrieve: String?
    public var timeoutTargetID: String?
    public var failedTargetID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("lot", &lot, .optional, .identifier)
        visitor.string("slot", &slot, .identifier)
        visitor.integer("first", &first, .optional, in: 0...999_999)
        visitor.integer("last", &last, .optional, in: 0...999_999)
        visitor.integer("timeout", &timeout, .optional, in: 1000...14_400_000)
        visitor.strings("stream_urls", &streamURLs, .optional, .url)
        visitor.string("retrieve", &retrieve, .identifier)
        visitor.target("timeout_target_id", &timeoutTargetID)
        visitor.target("failed_target_id", &failedTargetID)
    }

    func check(_ reader: inout OptionReader) {
        if lot.isEmpty { reader.note(reader.pointer.pointing(at: "lot"), .missing, "lot must not be empty") }
        if last < first || last - first > 9999 {
            reader.note(reader.pointer.pointing(at: "last"), .outOfRange, "a lot has 1 to 10000 slots")
        }
        if slot != nil, retrieve != nil {
            reader.note(reader.pointer.pointing(at: "retrieve"), .invalidValue, "a call is parked, or fetches another: give either slot or retrieve")
        }
    }

    func target(after outcome: Outcome) -> String? {
        guard outcome.result == .failed || outcome.result == .noAnswer else { return nil }
        return outcome.result == .noAnswer ? timeoutTargetID ?? failedTargetID : failedTargetID
    }
}

/// A part of `park`: the call waits where it is, with music, for another to come.
public struct Hold: Sendable, Hashable, OptionFields {
    public var lot = ""
    public var slot = ""
    public var timeout = 300_000
    public var streamURLs: [String] = []

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("lot", &lot, .required, .identifier)
        visitor.string("slot", &slot, .required, .identifier)
        visitor.integer("timeout", &timeout, .optional, in: 1000...14_400_000)
        visitor.strings("stream_urls", &streamURLs, .optional, .url)
    }
}

/// A part of `park`: the call goes to one that waits and talks with it.
public struct Meet: Sendable, Hashable, OptionFields {
    public var callID = ""

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("call_id", &callID, .required, .short)
    }
}
