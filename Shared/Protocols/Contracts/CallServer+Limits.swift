/// How many calls a customer may have: all of them together, those of one of its trunks, or those to some numbers. Exact over all
/// CallServer instances.
public struct CallLimit: Codable, Sendable, Equatable {
    public enum Scope: String, Codable, Sendable, CaseIterable {
        /// The customer's calls, each with all it is connected with as one.
        case customer
        /// Calls that come over the trunk of this name.
        case trunk
        /// Calls to a number, or to all that begin so (`+49*`).
        case destination
    }

    public var id: String
    public var customerID: String
    public var scope: Scope
    /// The trunk's name, the number or `PREFIX*`; nil for the customer itself.
    public var target: String?
    /// Nil: any number; for the customer itself, the installation's default. 0: none.
    public var concurrentCalls: Int?
    public var callsPerSecond: Int?
    /// The longest a call may last.
    public var maxCallSeconds: Int?
    /// How many there are now; nil when that is not known.
    public var currentCalls: Int?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        id: String, customerID: String, scope: Scope, target: String?, concurrentCalls: Int? = nil, callsPerSecond: Int? = nil,
        maxCallSeconds: Int? = nil, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        (self.id, self.customerID, self.scope, self.target) = (id, customerID, scope, target)
        (self.concurrentCalls, self.callsPerSecond, self.maxCallSeconds) = (concurrentCalls, callsPerSecond, maxCallSeconds)
        (self.createdAt, self.updatedAt) = (createdAt, updatedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, scope, target
        case customerID = "customer_id"
        case concurrentCalls = "concurrent_calls"
        case callsPerSecond = "calls_per_second"
        case maxCallSeconds = "max_call_seconds"
        case currentCalls = "current_calls"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// `conflict` when the customer has a limit for that already. The same id again changes nothing.
public struct CreateCallLimit: Command {
    public typealias Reply = CallLimit
    public static let name = "limit.create"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String
    public var scope: CallLimit.Scope
    public var target: String?
    public var values: CallLimitValues

    public init(customerID: String, id: String, scope: CallLimit.Scope, target: String?, values: CallLimitValues) {
        (self.customerID, self.id, self.scope, self.target, self.values) = (customerID, id, scope, target, values)
    }
}

/// What of a limit can be set and changed.
public struct CallLimitValues: Codable, Sendable, Equatable {
    /// A value that is given: nil in it takes the bound away.
    public struct Change: Codable, Sendable, Equatable {
        public var value: Int?

        public init(_ value: Int?) { self.value = value }
    }

    public var concurrentCalls: Change?
    public var callsPerSecond: Change?
    public var maxCallSeconds: Change?

    public init(concurrentCalls: Change? = nil, callsPerSecond: Change? = nil, maxCallSeconds: Change? = nil) {
        (self.concurrentCalls, self.callsPerSecond, self.maxCallSeconds) = (concurrentCalls, callsPerSecond, maxCallSeconds)
    }
}

public struct GetCallLimit: Command {
    public typealias Reply = CallLimit
    public static let name = "limit.get"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListCallLimits: Command {
    public typealias Reply = Page<CallLimit>
    public static let name = "limit.list"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var page: PageRequest
    public var scope: CallLimit.Scope?
    public var target: String?

    public init(customerID: String, page: PageRequest, scope: CallLimit.Scope? = nil, target: String? = nil) {
        (self.customerID, self.page, self.scope, self.target) = (customerID, page, scope, target)
    }
}

public struct UpdateCallLimit: Command {
    public typealias Reply = CallLimit
    public static let name = "limit.update"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String
    public var values: CallLimitValues

    public init(customerID: String, id: String, values: CallLimitValues) { (self.customerID, self.id, self.values) = (customerID, id, values) }
}

public struct DeleteCallLimit: Command {
    public typealias Reply = Done
    public static let name = "limit.delete"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}
