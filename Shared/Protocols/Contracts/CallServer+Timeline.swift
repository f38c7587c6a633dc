/// One thing that happened on a call, as whoever did it wrote it down: a line of the call's X-ray.
public struct TimelineEntry: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        /// A message to or from a phone, with its text; what is secret in it is starred out.
        case sip
        /// What a service was asked to do, with what came of it.
        case command
        /// An action of the flow.
        case flow
        /// A request that the flow made to a web server.
        case request
        /// An event of the call.
        case event
    }

    /// Unix time in microseconds, by the clock of who wrote it.
    public var microseconds: Int64
    /// Counts what `writer` wrote.
    public var sequence: Int64
    /// The service instance.
    public var writer: String
    /// The leg it happened on.
    public var callID: String
    public var kind: Kind
    public var from: String
    public var to: String
    /// Of a message: the edge it came or went through.
    public var via: String?
    public var summary: String
    public var outcome: String?
    /// In microseconds.
    public var duration: Int64?
    public var body: String?

    public init(
        microseconds: Int64, sequence: Int64, writer: String, callID: String, kind: Kind, from: String, to: String, via: String? = nil,
        summary: String, outcome: String? = nil, duration: Int64? = nil, body: String? = nil
    ) {
        (self.microseconds, self.sequence, self.writer, self.callID) = (microseconds, sequence, writer, callID)
        (self.kind, self.from, self.to, self.via) = (kind, from, to, via)
        (self.summary, self.outcome, self.duration, self.body) = (summary, outcome, duration, body)
    }

    private enum CodingKeys: String, CodingKey {
        case writer, kind, from, to, via, summary, outcome, body
        case microseconds = "time_us"
        case sequence = "seq"
        case callID = "call_id"
        case duration = "duration_us"
    }
}

/// What happened on a call and on those it is connected with, in order. Of one that was called by another: only what is its own.
public struct GetTimeline: Command {
    public static let name = "call.timeline"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }

    public struct Reply: Codable, Sendable, Equatable {
        public var entries: [TimelineEntry]

        public init(entries: [TimelineEntry]) { self.entries = entries }
    }
}
