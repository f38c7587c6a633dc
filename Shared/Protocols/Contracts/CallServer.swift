public import Flow

/// One leg of a conversation, as the API and its events show it (DESIGN §9).
public struct Call: Codable, Sendable, Equatable {
    public enum Direction: String, Codable, Sendable { case inbound, outbound }

    public enum Status: String, Codable, Sendable {
        case queued, ringing, completed, busy, failed, canceled
        case inProgress = "in_progress"
        case noAnswer = "no_answer"

        public var isFinal: Bool {
            switch self {
            case .queued, .ringing, .inProgress: false
            case .completed, .busy, .failed, .canceled, .noAnswer: true
            }
        }
    }

    public var id: String
    public var customerID: String
    public var direction: Direction
    public var status: Status
    public var from: String
    public var to: String
    public var roomID: String?
    public var runID: String?
    public var parentCallID: String?
    /// The trunk it came over.
    public var trunk: String?
    public var sipCallID: String?
    public var sipCode: Int?
    /// Q.850 cause.
    public var hangupCause: Int?
    /// `caller`, `callee` or `platform`.
    public var hangupBy: String?
    /// Why the platform ended it, where no SIP code tells: `media_` and what became of the media, `limit_` and what is exceeded, or
    /// `server_lost`.
    public var hangupReason: String?
    public var createdAt: Timestamp
    public var ringingAt: Timestamp?
    public var answeredAt: Timestamp?
    public var endedAt: Timestamp?
    public var media: MediaStatistics?
    /// Of this leg, in the order they began.
    public var recordingIDs: [String]?

    public init(
        id: String, customerID: String, direction: Direction, status: Status, from: String, to: String, createdAt: Timestamp
    ) {
        (self.id, self.customerID, self.direction, self.status) = (id, customerID, direction, status)
        (self.from, self.to, self.createdAt) = (from, to, createdAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, direction, status, from, to, media, trunk
        case customerID = "customer_id"
        case roomID = "room_id"
        case runID = "run_id"
        case parentCallID = "parent_call_id"
        case sipCallID = "sip_call_id"
        case sipCode = "sip_code"
        case hangupCause = "hangup_cause"
        case hangupBy = "hangup_by"
        case hangupReason = "hangup_reason"
        case createdAt = "created_at"
        case ringingAt = "ringing_at"
        case answeredAt = "answered_at"
        case endedAt = "ended_at"
        case recordingIDs = "recording_ids"
    }
}

/// Rings `to` and runs a flow, or these actions, when it answers.
public struct CreateCall: Command {
    public typealias Reply = Call
    public static let name = "call.create"
    public static let service = ServiceName.callServer
    public var customerID: String
    /// Given by the caller of the command, so that performing it twice makes one call.
    public var callID: String
    public var from: String
    /// `sip:NUMBER@DOMAIN` or a number; several ring together.
    public var to: String
    public var flowID: String?
    public var actions: [Action]?
    /// Who calls, in words.
    public var callerName: String?
    /// A call of the same customer's that it ends with.
    public var chainedTo: String?
    /// Its flow begins while it rings.
    public var startsEarly: Bool?

    public init(customerID: String, callID: String, from: String, to: String, flowID: String?, actions: [Action]?) {
        (self.customerID, self.callID, self.from) = (customerID, callID, from)
        (self.to, self.flowID, self.actions) = (to, flowID, actions)
    }
}

public struct GetCall: Command {
    public typealias Reply = Call
    public static let name = "call.get"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListCalls: Command {
    public typealias Reply = Page<Call>
    public static let name = "call.list"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var page: PageRequest
    public var status: Call.Status?
    public var direction: Call.Direction?
    /// Numbers; of a SIP URI its user part is meant.
    public var from: String?
    public var to: String?
    public var parentCallID: String?
    public var sipCallID: String?
    public var runID: String?
    public var roomID: String?

    public init(
        customerID: String, page: PageRequest, status: Call.Status? = nil, direction: Call.Direction? = nil, from: String? = nil,
        to: String? = nil
    ) {
        (self.customerID, self.page, self.status) = (customerID, page, status)
        (self.direction, self.from, self.to) = (direction, from, to)
    }
}

/// Ends a call; `conflict` when it already ended. Any instance may be asked.
public struct HangUpCall: Command {
    public typealias Reply = Call
    public static let name = "call.hangup"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String
    /// Q.850; 16 (normal clearing) when nil.
    public var cause: Int?

    public init(customerID: String, id: String, cause: Int? = nil) {
        (self.customerID, self.id, self.cause) = (customerID, id, cause)
    }
}

// What rooms and relays tell the CallServer instance that owns a call: told, not asked; losing one is survivable.

/// A digit was pressed (RFC 4733), once per press; `duration` in ms.
public struct DigitPressed: Command {
    public typealias Reply = Done
    public static let name = "call.digit"
    public static let service = ServiceName.callServer
    public var callID: String
    public var digit: String
    public var duration: Int
    /// The room was not to hear of it, so it has ended nothing that is played there.
    public var bypassesRoom: Bool?
    /// Names this press: told twice, it counts once.
    public var pressID: String?

    public init(callID: String, digit: String, duration: Int, bypassesRoom: Bool? = nil, pressID: String? = nil) {
        (self.callID, self.digit, self.duration, self.bypassesRoom) = (callID, digit, duration, bypassesRoom)
        self.pressID = pressID
    }
}

public struct PlayFinished: Command {
    public typealias Reply = Done
    public static let name = "call.play_finished"
    public static let service = ServiceName.callServer

    public enum Reason: String, Codable, Sendable { case completed, stopped, digit, speech, failed }

    public var callID: String
    public var playID: String
    public var reason: Reason
    /// Why it failed.
    public var detail: String?
    /// How far it had come, in ms from the beginning of its sound.
    public var position: Int?

    public init(callID: String, playID: String, reason: Reason, detail: String? = nil, position: Int? = nil) {
        (self.callID, self.playID, self.reason, self.detail, self.position) = (callID, playID, reason, detail, position)
    }
}

/// A participant was taken out of its room by somebody else (kicked, conference deleted).
public struct ParticipantRemoved: Command {
    public typealias Reply = Done
    public static let name = "call.participant_removed"
    public static let service = ServiceName.callServer
    public var callID: String
    public var roomID: String
    /// Why the conference was not entered: `pin`, `locked`. Nil for one who was in it.
    public var reason: String?

    public init(callID: String, roomID: String, reason: String? = nil) {
        (self.callID, self.roomID, self.reason) = (callID, roomID, reason)
    }
}

/// The phone has sent no packet for the relay's time limit.
public struct MediaTimedOut: Command {
    public typealias Reply = Done
    public static let name = "call.media_timeout"
    public static let service = ServiceName.callServer
    public var callID: String
    public var sessionID: String

    public init(callID: String, sessionID: String) { (self.callID, self.sessionID) = (callID, sessionID) }
}

/// The phone's media found no path or gave no keys: there is no sound and will be none.
public struct MediaFailed: Command {
    public typealias Reply = Done
    public static let name = "call.media_failed"
    public static let service = ServiceName.callServer
    public var callID: String
    public var sessionID: String
    /// `no_path`, `wrong_fingerprint`, `no_common_suite` or `handshake_timed_out`.
    public var reason: String

    public init(callID: String, sessionID: String, reason: String) {
        (self.callID, self.sessionID, self.reason) = (callID, sessionID, reason)
    }
}
