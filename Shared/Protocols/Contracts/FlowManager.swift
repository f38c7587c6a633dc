public import Flow

/// A stored flow (DESIGN §8, §9).
public struct FlowDefinition: Codable, Sendable, Equatable {
    public var id: String
    public var customerID: String
    public var name: String
    public var actions: [Action]
    public var onCompleteFlowID: String?
    public var version: Int
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        id: String, customerID: String, name: String, actions: [Action], onCompleteFlowID: String?, version: Int,
        createdAt: Timestamp, updatedAt: Timestamp
    ) {
        (self.id, self.customerID, self.name, self.actions) = (id, customerID, name, actions)
        (self.onCompleteFlowID, self.version) = (onCompleteFlowID, version)
        (self.createdAt, self.updatedAt) = (createdAt, updatedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, name, actions, version
        case customerID = "customer_id"
        case onCompleteFlowID = "on_complete_flow_id"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// What a run wants done next, or that it is over.
public struct RunStep: Codable, Sendable, Equatable {
    public var runID: String
    /// Counts from 1; `(runID, step)` names this delivery for ever.
    public var step: Int
    /// Options with their variables filled in; nil when the run is over.
    public var action: Action?
    /// Why it is over: `completed`, `stopped`, `limit`, `call_ended`, `failed`.
    public var finished: String?
    /// The run waits for a web server: ask again after so many milliseconds.
    public var waiting: Int?
    /// Something else goes on beside the action that may put an end to it: ask with `WatchRun` every so many milliseconds.
    public var watch: Int?
    /// When the step was made, in milliseconds: what was lost since is made again as of then.
    public var at: Int64?

    public init(runID: String, step: Int, action: Action?, finished: String?, waiting: Int? = nil, watch: Int? = nil, at: Int64? = nil) {
        (self.runID, self.step, self.action, self.finished) = (runID, step, action, finished)
        (self.waiting, self.watch, self.at) = (waiting, watch, at)
    }
}

/// Starts a run of a flow, or of inline actions, for a call; performing it twice with one `runID` starts one run.
public struct StartRun: Command {
    public typealias Reply = RunStep
    public static let name = "run.start"
    public static let service = ServiceName.flowManager
    public var runID: String
    public var customerID: String
    public var flowID: String?
    public var actions: [Action]?
    /// The call, later also a message or chat, that the run works on.
    public var referenceID: String
    /// System variables by full name: `voipbin.call.id`, `call.from`, ...
    public var variables: [String: String]
    /// Its steps are counted from behind this one; 0.
    public var after: Int?
    /// When it was begun, in milliseconds, where that was lost and is told again; now.
    public var at: Int64?

    public init(
        runID: String, customerID: String, flowID: String?, actions: [Action]?, referenceID: String, variables: [String: String]
    ) {
        (self.runID, self.customerID, self.flowID) = (runID, customerID, flowID)
        (self.actions, self.referenceID, self.variables) = (actions, referenceID, variables)
    }
}

/// Tells how the action of a step ended and asks for the next. The same `(runID, step)` again gets the same answer.
public struct AdvanceRun: Command {
    public typealias Reply = RunStep
    public static let name = "run.advance"
    public static let service = ServiceName.flowManager
    public var runID: String
    public var customerID: String
    public var step: Int
    public var outcome: Outcome
    /// When the step was made that this had led to, in milliseconds, where it was lost and is told again; now.
    public var at: Int64?

    public init(runID: String, customerID: String, step: Int, outcome: Outcome) {
        (self.runID, self.customerID, self.step, self.outcome) = (runID, customerID, step, outcome)
    }
}

/// Asks whether the action of a step is still wanted: the answer is that step, or what has come in its place.
public struct WatchRun: Command {
    public typealias Reply = RunStep
    public static let name = "run.watch"
    public static let service = ServiceName.flowManager
    public var runID: String
    public var customerID: String

    public init(runID: String, customerID: String) { (self.runID, self.customerID) = (runID, customerID) }
}

/// A run, as the API shows it.
public struct RunRecord: Codable, Sendable, Equatable {
    public var id: String
    public var customerID: String
    public var flowID: String?
    public var referenceID: String
    /// `running` or the reason it finished.
    public var status: String
    public var step: Int
    public var createdAt: Timestamp
    public var endedAt: Timestamp?

    public init(
        id: String, customerID: String, flowID: String?, referenceID: String, status: String, step: Int, createdAt: Timestamp,
        endedAt: Timestamp?
    ) {
        (self.id, self.customerID, self.flowID, self.referenceID) = (id, customerID, flowID, referenceID)
        (self.status, self.step, self.createdAt, self.endedAt) = (status, step, createdAt, endedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, status, step
        case customerID = "customer_id"
        case flowID = "flow_id"
        case referenceID = "reference_id"
        case createdAt = "created_at"
        case endedAt = "ended_at"
    }
}

public struct GetRun: Command {
    public typealias Reply = RunRecord
    public static let name = "run.get"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListRuns: Command {
    public typealias Reply = Page<RunRecord>
    public static let name = "run.list"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var page: PageRequest
    public var flowID: String?
    public var referenceID: String?
    /// `running` or the reason it finished.
    public var status: String?

    public init(customerID: String, page: PageRequest, flowID: String? = nil, referenceID: String? = nil) {
        (self.customerID, self.page, self.flowID, self.referenceID) = (customerID, page, flowID, referenceID)
    }
}

/// `invalid` with a JSON pointer to each mistake when the actions do not validate.
public struct CreateFlow: Command {
    public typealias Reply = FlowDefinition
    public static let name = "flow.create"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var name: String
    /// As the customer sent it, unvalidated.
    public var actions: JSONValue
    public var onCompleteFlowID: String?

    public init(customerID: String, name: String, actions: JSONValue, onCompleteFlowID: String?) {
        (self.customerID, self.name, self.actions, self.onCompleteFlowID) = (customerID, name, actions, onCompleteFlowID)
    }
}

public struct GetFlow: Command {
    public typealias Reply = FlowDefinition
    public static let name = "flow.get"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListFlows: Command {
    public typealias Reply = Page<FlowDefinition>
    public static let name = "flow.list"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var page: PageRequest
    public var name: String?

    public init(customerID: String, page: PageRequest, name: String? = nil) {
        (self.customerID, self.page, self.name) = (customerID, page, name)
    }
}

/// Changes the fields that are given and counts the version up; an empty `onCompleteFlowID` removes it.
public struct UpdateFlow: Command {
    public typealias Reply = FlowDefinition
    public static let name = "flow.update"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String
    public var name: String?
    public var actions: JSONValue?
    public var onCompleteFlowID: String?

    public init(customerID: String, id: String, name: String? = nil, actions: JSONValue? = nil, onCompleteFlowID: String? = nil) {
        (self.customerID, self.id, self.name) = (customerID, id, name)
        (self.actions, self.onCompleteFlowID) = (actions, onCompleteFlowID)
    }
}

public struct DeleteFlow: Command {
    public typealias Reply = Done
    public static let name = "flow.delete"
    public static let service = ServiceName.flowManager
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

/// What the requests of a customer's flows are signed with (Standard Webhooks 1.0).
public struct GetSigningSecret: Command {
    public typealias Reply = SigningSecret
    public static let name = "flow.signing_secret"
    public static let service = ServiceName.flowManager
    public var customerID: String

    public init(customerID: String) { self.customerID = customerID }
}

public struct SigningSecret: Codable, Sendable, Equatable {
    /// `whsec_` and base 64.
    public var secret: String

    public init(secret: String) { self.secret = secret }
}
