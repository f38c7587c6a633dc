internal import Deadlines
internal import FoundationEssentials

/// The names both ends of the bus agree on (DESIGN §4).
enum Exchange {
    static let commands = "tandem.rpc"
    static let events = "tandem.events"
    /// Where messages go that nobody can perform: kept for a human, never delivered again by itself.
    static let dead = "tandem.dead"
    /// AMQP's nameless exchange: the routing key is the queue.
    static let direct = ""
}

/// The properties and headers of a message.
struct Properties: Sendable {
    enum Kind {
        static let reply = "reply"
        static let error = "error"
        /// Several events (`EventBatch`).
        static let events = "events"
    }

    /// The command's or event's name; `reply` or `error` on the way back; `events` when there are several.
    var type: String
    var messageID: String
    var sender: String
    var correlation: UInt64?
    var replyTo: String?
    var customer: String?
    var traceparent: String?
    var idempotencyKey: String?
    /// The time the message is worth something, counted from its sending: the broker drops it when that is over.
    var budget: Interval?
    /// How many times work on the message has begun, this time included.
    var attempt = 1
    var isPersistent = false
}

/// A message on its way out.
struct Message: Sendable {
    var exchange: String
    var routingKey: String
    /// Takes it to other queues as well; one that several keys lead to gets it once.
    var furtherKeys: [String] = []
    /// Comes back when no queue takes it.
    var isMandatory = false
    var properties: Properties
    var body: [UInt8]
}

/// What a message was taken from.
enum Source: Sendable, Equatable {
    case replies, shared, instance, transient
    /// The index in `Topology.subscriptions`.
    case subscription(Int)
}

/// Names a message that must be settled; useless after the connection it came over.
struct Receipt: Sendable {
    let connection: UInt64
    let channel: UInt16
    let tag: UInt64
}

enum Verdict: Sendable {
    case done
    /// Deliver it again, unless its delivery limit is reached.
    case again
    /// To the dead letters.
    case dead
}

/// A message that has come in.
struct Arrival: Sendable {
    let source: Source
    let routingKey: String
    let properties: Properties
    let body: [UInt8]
    let isRedelivered: Bool
    /// Nil where nothing has to be settled.
    let receipt: Receipt?
    let at: Instant
}

/// The queues of one process, declared anew on every connection.
struct Topology: Sendable {
    struct Subscription: Sendable {
        let queue: String
        let patterns: [String]
        let isOrdered: Bool
        let prefetch: UInt16
    }

    var shared: String
    var instance: String
    var servesShared = false
    var servesInstance = false
    var transientPatterns: [String] = []
    var subscriptions: [Subscription] = []
    /// How many requests of the shared queue are performed here at once.
    var prefetch: UInt16 = 256
}
