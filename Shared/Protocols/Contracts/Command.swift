/// The services that can be asked for something over the bus; the raw value is the executable's and the queue's name.
public enum ServiceName: String, Codable, Sendable, CaseIterable {
    case edgeProxy = "EdgeProxy"
    case registrar = "Registrar"
    case callServer = "CallServer"
    case conferenceServer = "ConferenceServer"
    case mediaRelay = "MediaRelay"
    case flowManager = "FlowManager"
    case apiGateway = "APIGateway"
}

/// A request one service makes of another (DESIGN §4): JSON on the wire, a new version only adds optional fields.
public protocol Command: Codable, Sendable {
    associatedtype Reply: Codable & Sendable
    /// The routing name, `<resource>.<verb>`; fixed for ever.
    static var name: String { get }
    /// Who performs it.
    static var service: ServiceName { get }
}

/// The reply of a command that has nothing to say.
public struct Done: Codable, Sendable, Equatable {
    public init() {}
}

/// Why a command was refused. The code decides what a caller may do about it; the detail is for people.
public struct RPCError: Error, Codable, Sendable, Equatable {
    public enum Code: String, Codable, Sendable {
        case notFound = "not_found"
        /// The resource is in the wrong state, or a unique value is taken.
        case conflict
        /// `problems` name each mistake.
        case invalid
        case forbidden
        /// Media that no codec here serves: SIP 488.
        case notAcceptable = "not_acceptable"
        /// A limit is reached; trying later may work.
        case exhausted
        /// A dependency is away or nobody answers.
        case unavailable
        case timeout
        /// The command carried an epoch older than the one known: its sender no longer owns the thing.
        case fenced
        case failed
    }

    public var code: Code
    public var detail: String
    public var problems: [Problem]

    public init(_ code: Code, _ detail: String = "", problems: [Problem] = []) {
        (self.code, self.detail, self.problems) = (code, detail, problems)
    }
}

/// One mistake in a document that was sent in, at an RFC 6901 JSON pointer.
public struct Problem: Codable, Sendable, Equatable {
    public var pointer: String
    public var code: String?
    public var detail: String

    public init(pointer: String, code: String? = nil, detail: String) {
        (self.pointer, self.code, self.detail) = (pointer, code, detail)
    }
}
