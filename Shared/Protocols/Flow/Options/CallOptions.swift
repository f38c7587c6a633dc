/// `connect`: calls the destinations at the same time and joins the first that answers with the caller.
public struct Connect: Sendable, Hashable, OptionFields {
    /// Whether the caller's number is shown to the destination.
    public enum Anonymous: String, Sendable, Hashable, OptionChoice { case yes, no, auto }

    /// Who calls; the caller of this call without it.
    public var source: Address?
    public var destinations: [Address] = []
    /// VoIPbin's. The caller hears the destination before it answers whatever this says: flows that were written without a word of it have been
    /// stored with `false`.
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

/// `confbridge_join`: the caller enters a bare room, without a conference's rules, and the flow goes on when it leaves.
public struct ConfbridgeJoin: Sendable, Hashable, OptionFields {
    /// A word of the customer's, or the `room_...` that a call of its is in.
    public var confbridgeID = ""

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("confbridge_id", &confbridgeID, .required, .short)
    }
}

/// `call`: makes calls that run a flow of their own, and goes on at once.
public struct CallOut: Sendable, Hashable, OptionFields {
    /// Who calls; the caller of this call without it.
    public var source: Address?
    public var destinations: [Address] = []
    public var flowID: String?
    /// They count where there is no `flow_id`.
    public var actions: [Action] = []
    /// They end with this call.
    public var chained = false
    /// Their flow begins while they ring.
    public var earlyExecution = false
    public var anonymous: Connect.Anonymous?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.address("source", &source)
        visitor.addresses("destinations", &destinations, .required)
        visitor.string("flow_id", &flowID, .identifier)
        visitor.actions("actions", &actions, of: "")
        visitor.flag("chained", &chained)
        visitor.flag("early_execution", &earlyExecution)
        visitor.choice("anonymous", &anonymous)
    }

    /// The flow of the calls; without, their actions are.
    public var flow: String? { ReservedID.meant(flowID) }

    func check(_ reader: inout OptionReader) {
        if flow == nil, actions.isEmpty, reader.problems.isEmpty { reader.note(reader.pointer.pointing(at: "flow_id"), .missing, "give either flow_id or actions") }
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
