/// A WebSocket that takes part in a room: what it hears is sent to `url`, and what comes from there is heard.
public struct StreamSettings: Codable, Sendable, Equatable {
    /// Of a call: what it says (`in`), what it hears (`out`), or both.
    public enum Direction: String, Codable, Sendable, CaseIterable { case `in`, out, both }
    /// Messages of JSON with the sound in base 64, or the sound alone in binary messages.
    public enum Encapsulation: String, Codable, Sendable, CaseIterable { case json, none }

    /// `part_...`: it is a participant.
    public var id: String
    public var url: String
    public var encapsulation: Encapsulation
    /// `ulaw`, `slin`, `slin16`, `slin24` or `slin48`.
    public var format: String
    /// What it hears of its call.
    public var listen: Direction
    /// Who hears it: the others (`in`, as though the call said it), the call (`out`), or both.
    public var speak: Direction
    /// Handed through to the other side.
    public var parameters: [String: String]
    /// The `Authorization` field of the request.
    public var authorization: String?
    /// The same as it may be kept.
    public var sealedAuthorization: [UInt8]?
    /// What its opening requests are signed with.
    public var secret: String?
    /// The same as it may be kept.
    public var sealedSecret: [UInt8]?

    public init(
        id: String, url: String, encapsulation: Encapsulation = .json, format: String = "ulaw", listen: Direction = .in,
        speak: Direction = .out, parameters: [String: String] = [:], authorization: String? = nil
    ) {
        (self.id, self.url, self.encapsulation, self.format) = (id, url, encapsulation, format)
        (self.listen, self.speak, self.parameters, self.authorization) = (listen, speak, parameters, authorization)
    }
}

/// Begins a stream in a room; again with the same id does nothing. Answered when the address may be connected to: whether it can,
/// events tell (`stream.started`, `stream.failed`).
public struct StartStream: Command, Equatable {
    public static let name = "room.stream.start"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var customerID: String
    /// The call whose stream it is; it ends with the call's stay in the room. Nil: the room's own.
    public var callID: String?
    public var participantID: String?
    /// The CallServer instance that is told of its end.
    public var owner: String?
    public var stream: StreamSettings

    public init(roomID: String, customerID: String, callID: String?, participantID: String?, owner: String?, stream: StreamSettings) {
        (self.roomID, self.customerID, self.callID) = (roomID, customerID, callID)
        (self.participantID, self.owner, self.stream) = (participantID, owner, stream)
    }

    public struct Reply: Codable, Sendable, Equatable {
        /// As it may be kept, to begin it anew elsewhere.
        public var stream: StreamSettings
        public init(stream: StreamSettings) { self.stream = stream }
    }
}

/// Ends a stream of a room; one that is over already is no error.
public struct StopStream: Command {
    public typealias Reply = Done
    public static let name = "room.stream.stop"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var customerID: String
    public var streamID: String

    public init(roomID: String, customerID: String, streamID: String) {
        (self.roomID, self.customerID, self.streamID) = (roomID, customerID, streamID)
    }
}

/// Begins, or ends, a stream of a conference that goes on. Any instance may be asked.
public struct StreamConference: Command {
    public typealias Reply = Done
    public static let name = "conference.stream"
    public static let service = ServiceName.conferenceServer

    public enum Change: Codable, Sendable, Equatable {
        case start(StreamSettings)
        case stop(id: String)
    }

    public var customerID: String
    public var conferenceID: String
    public var change: Change

    public init(customerID: String, conferenceID: String, change: Change) {
        (self.customerID, self.conferenceID, self.change) = (customerID, conferenceID, change)
    }
}

/// Begins, or ends, a stream of a call. Any CallServer may be asked.
public struct StreamCall: Command {
    public typealias Reply = Done
    public static let name = "call.stream"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String
    public var change: StreamConference.Change

    public init(customerID: String, id: String, change: StreamConference.Change) {
        (self.customerID, self.id, self.change) = (customerID, id, change)
    }
}

/// A stream of a call is over, and will not come back by itself. Told, not asked.
public struct StreamEnded: Command {
    public typealias Reply = Done
    public static let name = "call.stream_ended"
    public static let service = ServiceName.callServer
    public var callID: String
    public var streamID: String

    public init(callID: String, streamID: String) { (self.callID, self.streamID) = (callID, streamID) }
}
