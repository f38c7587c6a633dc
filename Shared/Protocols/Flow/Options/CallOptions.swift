/// `connect`: calls the destinations at the same time and joins the first that answers with the caller.
public struct Connect: Sendable, Hashable, OptionFields {
    /// Whether the caller's number is shown to the destination.
    public enum Anonymous: String, Sendable, Hashable, OptionChoice { case yes, no, auto }

    /// Who calls; the caller of this call without it.
    public var source: Address?
    public var destinations: [Address] = []
    /// The caller hears the destination before it answers.
    public var earlyMedia = false
    /// The caller is hung up for the reason for which the destination ended.
    public var relayReason = false
    public var anonymous: Anonymous?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.address("source", &source)
        visitor.addresses("destinations", &destinations, .required)
        visitor.flag("early_media", &earlyMedia)
        visitor.flag("relay_reason", &relayReason)
        visitor.choice("anonymous", &anonymous)
    }
}

/// `conference_join`: the caller enters a conference and the flow goes on when it leaves.
public struct ConferenceJoin: Sendable, Hashable, OptionFields {
    public var conferenceID = ""

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("conference_id", &conferenceID, .required, .identifier)
    }
}

/// `hangup`: ends the call.
public struct Hangup: Sendable, Hashable, OptionFields {
    public enum Reason: String, Sendable, Hashable, OptionChoice {
        case normal, failed, busy, cancel, timeout, noanswer, dialout, amd
    }

    public var reason: Reason?
    /// A call whose reason is copied.
    public var referenceID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("reason", &reason)
        visitor.string("reference_id", &referenceID, .identifier)
    }
}
