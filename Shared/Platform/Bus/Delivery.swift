public import Contracts
public import Deadlines

/// Which queues of a service a command is taken from.
public enum ServeScope: Sendable {
    /// The queue all instances share: any of them may answer.
    case anyInstance
    /// The queue of this instance alone: for what only it can do.
    case thisInstance
    case both
}

/// Who is to perform a command.
public enum Recipient: Sendable, Equatable {
    case any
    case instance(String)
}

/// What travels with a command besides the command.
public struct CallContext: Sendable {
    public var customer: String?
    /// W3C Trace Context, as received or made at the edge of the suite.
    public var traceparent: String?
    /// Performing a command twice under one key equals performing it once.
    public var idempotencyKey: String?
    /// How long the answer is worth something. Afterwards the caller gets `timeout` and the request is not even read.
    public var deadline: Interval

    public init(
        customer: String? = nil, traceparent: String? = nil, idempotencyKey: String? = nil, deadline: Interval = .seconds(2)
    ) {
        (self.customer, self.traceparent) = (customer, traceparent)
        (self.idempotencyKey, self.deadline) = (idempotencyKey, deadline)
    }
}

/// The circumstances of a command that has arrived.
public struct Delivery: Sendable {
    public var messageID: String
    /// The asking instance, as `<service>.<instance>`.
    public var sender: String
    public var customer: String?
    public var traceparent: String?
    public var idempotencyKey: String?
    /// When it came in here.
    public var arrivedAt: Instant
    /// When the caller stops waiting.
    public var deadline: Instant

    /// The context for commands that performing this one leads to: same customer, same trace, the time that is left.
    public func context(now: Instant, idempotencyKey: String? = nil) -> CallContext {
        CallContext(customer: customer, traceparent: traceparent, idempotencyKey: idempotencyKey, deadline: deadline - now)
    }
}

/// An error that may be gone a moment later (a server away), so that what failed is worth another try.
public protocol TransientError: Error {
    var isTransient: Bool { get }
}

extension RPCError: TransientError {
    public var isTransient: Bool { code == .unavailable || code == .timeout || code == .exhausted }
}
