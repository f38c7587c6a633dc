/// `transfer`: hands the call on, blind: to somebody who is rung, to another flow, or by a REFER to its own phone. The run is over then; what
/// could not be done comes back to it.
public struct Transfer: Sendable, Hashable, OptionFields {
    public enum Method: String, Sendable, Hashable, OptionChoice {
        /// Rung from here; the call's phone hears of it by its ear only.
        case dial
        /// The phone rings by itself (RFC 3515, RFC 5589 §6).
        case refer
    }

    public var destinations: [Address] = []
    /// Instead of destinations.
    public var flowID: String?
    public var method = Method.dial
    /// Who calls; the caller of this call without it.
    public var source: Address?
    /// Milliseconds that it rings, or that the phone has to tell how its own call went.
    public var timeout = 30_000
    public var busyTargetID: String?
    public var noAnswerTargetID: String?
    public var failedTargetID: String?

    public init() {}

    /// The flow that it is handed to.
    public var flow: String? { ReservedID.meant(flowID) }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.addresses("destinations", &destinations, .optional)
        visitor.string("flow_id", &flowID, .identifier)
        visitor.choice("method", &method, .optional)
        visitor.address("source", &source)
        visitor.integer("timeout", &timeout, .optional, in: 1000...600_000)
        visitor.target("busy_target_id", &busyTargetID)
        visitor.target("no_answer_target_id", &noAnswerTargetID)
        visitor.target("failed_target_id", &failedTargetID)
    }

    func check(_ reader: inout OptionReader) {
        if destinations.isEmpty == (flow == nil) {
            reader.note(reader.pointer.pointing(at: "destinations"), flow == nil ? .missing : .invalidValue, "give either destinations or flow_id")
        }
        guard method == .refer else { return }
        if flow != nil { reader.note(reader.pointer.pointing(at: "method"), .invalidValue, "a phone is referred to a destination, not to a flow") }
        if destinations.count > 1 { reader.note(reader.pointer.pointing(at: "destinations"), .tooMany, "a phone is referred to one destination") }
        if source != nil { reader.note(reader.pointer.pointing(at: "source"), .invalidValue, "a phone that is referred calls as itself") }
    }

    /// The call that is made in its stead.
    var dial: Dial {
        var dial = Dial()
        dial.targets = destinations.map {
            var target = Dial.Target()
            (target.kind, target.target, target.name) = ($0.kind, $0.target, $0.name)
            return target
        }
        (dial.timeout, dial.source) = (timeout, source)
        if source != nil { dial.callerID = .source }
        return dial
    }

    func target(after outcome: Outcome) -> String? {
        switch outcome.result {
        case .busy, .declined: busyTargetID ?? failedTargetID
        case .noAnswer: noAnswerTargetID ?? failedTargetID
        case .failed, .canceled: failedTargetID
        case .completed, .callEnded: nil
        }
    }
}
