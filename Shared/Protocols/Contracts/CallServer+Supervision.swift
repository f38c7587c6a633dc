/// Takes a call into another's room as its supervisor, changes how it supervises, or brings it back. Any instance may be asked.
public struct SuperviseCall: Command {
    public static let name = "call.supervise"
    public static let service = ServiceName.callServer
    public var customerID: String
    /// The call that is supervised.
    public var id: String
    /// The supervisor's own.
    public var supervisorCallID: String
    /// Nil: no more.
    public var mode: Supervision.Mode?
    /// The participant, or the call, that a whisper is for; the supervised call when nil.
    public var whisperTo: String?

    public init(customerID: String, id: String, supervisorCallID: String, mode: Supervision.Mode?, whisperTo: String? = nil) {
        (self.customerID, self.id, self.supervisorCallID) = (customerID, id, supervisorCallID)
        (self.mode, self.whisperTo) = (mode, whisperTo)
    }

    public struct Reply: Codable, Sendable, Equatable {
        public var callID: String
        public var supervisorCallID: String
        /// The supervisor, in the room.
        public var participantID: String
        public var roomID: String
        public var mode: Supervision.Mode?
        public var whisperTo: String?

        public init(callID: String, supervisorCallID: String, participantID: String, roomID: String, mode: Supervision.Mode?, whisperTo: String?) {
            (self.callID, self.supervisorCallID, self.participantID) = (callID, supervisorCallID, participantID)
            (self.roomID, self.mode, self.whisperTo) = (roomID, mode, whisperTo)
        }

        private enum CodingKeys: String, CodingKey {
            case mode
            case callID = "call_id"
            case supervisorCallID = "supervisor_call_id"
            case participantID = "participant_id"
            case roomID = "room_id"
            case whisperTo = "whisper_to"
        }
    }
}

/// Where a call sits now: asked of the instance that owns it.
public struct LocateCall: Command {
    public typealias Reply = CallPlace
    public static let name = "call.locate"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct CallPlace: Codable, Sendable, Equatable {
    public var callID: String
    public var roomID: String
    /// The ConferenceServer instance.
    public var instance: String
    public var participantID: String

    public init(callID: String, roomID: String, instance: String, participantID: String) {
        (self.callID, self.roomID, self.instance, self.participantID) = (callID, roomID, instance, participantID)
    }
}
