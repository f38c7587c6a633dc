/// Whether the instance is there.
public struct IsThere: Command {
    public typealias Reply = Done
    public static let name = "call.there"
    public static let service = ServiceName.callServer

    public init() {}
}

/// Which of these calls the instance has taken over since: asked by one that cannot ask Redis whose they are.
public struct HeldCalls: Command {
    public struct Reply: Codable, Sendable {
        public var ids: [String]

        public init(ids: [String]) { self.ids = ids }
    }

    public static let name = "call.held"
    public static let service = ServiceName.callServer
    /// Each with the epoch at which the asking one has it: who has it at a higher one is the owner.
    public var epochs: [String: UInt64]

    public init(epochs: [String: UInt64]) { self.epochs = epochs }
}

/// A SIP message for a call that another instance owns: it reached the asking one because its Call-ID leads there. `not_found` when the
/// call is not here.
public struct PassMessage: Command {
    public typealias Reply = Done
    public static let name = "call.sip"
    public static let service = ServiceName.callServer
    public var message: [UInt8]
    /// `ADDRESS:PORT` of who sent it.
    public var source: String
    /// It came over a connection.
    public var isOverStream: Bool

    public init(message: [UInt8], source: String, isOverStream: Bool) {
        (self.message, self.source, self.isOverStream) = (message, source, isOverStream)
    }
}

/// Gives a call that goes on, with all its legs, to another instance: a request there names a dialog of it. `not_found` when it is not here.
public struct YieldCall: Command {
    public typealias Reply = Done
    public static let name = "call.yield"
    public static let service = ServiceName.callServer
    /// Whose call it must be.
    public var customerID: String
    /// One of its legs.
    public var id: String
    /// The instance that takes it.
    public var heir: String

    public init(customerID: String, id: String, heir: String) { (self.customerID, self.id, self.heir) = (customerID, id, heir) }
}
