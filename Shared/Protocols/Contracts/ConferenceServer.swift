/// Brings a call's media session into a room, which is made when it does not exist (every call is a room, DESIGN §1).
public struct JoinRoom: Command {
    public static let name = "room.join"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var customerID: String
    public var participant: ParticipantSettings

    public init(roomID: String, customerID: String, participant: ParticipantSettings) {
        (self.roomID, self.customerID, self.participant) = (roomID, customerID, participant)
    }

    public struct Reply: Codable, Sendable, Equatable {
        /// Where the relay sends the participant's PCMU.
        public var inside: InsideEndpoint
        /// Where the room is, when it is not with the instance that was asked.
        public var instance: String?

        public init(inside: InsideEndpoint, instance: String? = nil) { (self.inside, self.instance) = (inside, instance) }
    }
}

/// How a call takes part in a room.
public struct ParticipantSettings: Codable, Sendable, Equatable {
    public var participantID: String
    public var callID: String
    /// The CallServer instance that is told of digits and ended plays.
    public var owner: String
    public var epoch: UInt64
    /// Where the room sends what the participant hears.
    public var inside: InsideEndpoint
    /// Hears itself: the echo of number 600.
    public var echo: Bool
    public var muted: Bool
    public var deaf: Bool
    /// It has sat in this room, with this instance, which is gone: what its last snapshot says of the room holds on.
    public var resumes: String?
    /// The room it comes from, with the same instance: if both are on one thread the seat goes over as it is, with its stream.
    public var from: String?
    /// The relay that carries its sound, and the session there; nil: the room cannot speak to it.
    public var relay: String?
    public var session: String?
    /// Set when the call is no member of the room but supervises it.
    public var supervision: Supervision?
    /// Who it is, as its phone says, and its number: what it is announced by.
    public var name: String?
    public var number: String?
    /// What it presses now is a secret: recordings have silence in place of its keys.
    public var hidesKeys: Bool?

    public init(
        participantID: String, callID: String, owner: String, epoch: UInt64, inside: InsideEndpoint, echo: Bool = false,
        muted: Bool = false, deaf: Bool = false, resumes: String? = nil, from: String? = nil, relay: String? = nil, session: String? = nil
    ) {
        (self.resumes, self.from, self.relay, self.session) = (resumes, from, relay, session)
        (self.participantID, self.callID, self.owner, self.epoch) = (participantID, callID, owner, epoch)
        (self.inside, self.echo, self.muted, self.deaf) = (inside, echo, muted, deaf)
    }
}

/// Takes a participant out; the room ends with its last participant. Leaving twice is no error.
public struct LeaveRoom: Command {
    public typealias Reply = Done
    public static let name = "room.leave"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var participantID: String
    public var epoch: UInt64

    public init(roomID: String, participantID: String, epoch: UInt64) {
        (self.roomID, self.participantID, self.epoch) = (roomID, participantID, epoch)
    }
}

/// The same for several, of whatever rooms, a thousand at most. One that an epoch fences off stays, and is no error.
public struct LeaveRooms: Command {
    public typealias Reply = Done
    public static let name = "rooms.leave"
    public static let service = ServiceName.conferenceServer
    public static let limit = 1_000
    public var places: [LeaveRoom]

    public init(_ places: [LeaveRoom]) { self.places = places }
}

/// Changes what is given of a participant in a room.
public struct SetParticipant: Command {
    public typealias Reply = Done
    public static let name = "room.participant.set"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var participantID: String
    public var muted: Bool?
    public var deaf: Bool?
    public var echo: Bool?
    /// Where the participant hears from now on: another relay carries its media.
    public var inside: InsideEndpoint?
    /// That relay, and its session there.
    public var relay: String?
    public var session: String?
    public var direction: DirectionChange?
    /// See `ParticipantSettings`.
    public var hidesKeys: Bool?

    public init(
        roomID: String, participantID: String, muted: Bool? = nil, deaf: Bool? = nil, echo: Bool? = nil, inside: InsideEndpoint? = nil,
        relay: String? = nil, session: String? = nil
    ) {
        (self.relay, self.session) = (relay, session)
        (self.roomID, self.participantID) = (roomID, participantID)
        (self.muted, self.deaf, self.echo, self.inside) = (muted, deaf, echo, inside)
    }
}

/// Sends digits to a participant's phone as RFC 4733 events; durations in ms.
public struct SendDigits: Command {
    public typealias Reply = Done
    public static let name = "room.digits.send"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var participantID: String
    public var digits: String
    public var duration: Int
    public var interval: Int

    public init(roomID: String, participantID: String, digits: String, duration: Int = 160, interval: Int = 80) {
        (self.roomID, self.participantID, self.digits) = (roomID, participantID, digits)
        (self.duration, self.interval) = (duration, interval)
    }
}

/// A room that people can dial into (DESIGN §9).
public struct Conference: Codable, Sendable, Equatable {
    public var id: String
    public var customerID: String
    public var name: String
    public var number: String?
    /// Whoever comes is asked for it.
    public var pin: String?
    /// Makes whoever gives it a moderator.
    public var moderatorPIN: String?
    public var maxParticipants: Int
    public var policy = ConferencePolicy()
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        id: String, customerID: String, name: String, number: String?, pin: String?, maxParticipants: Int, createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        (self.id, self.customerID, self.name, self.number) = (id, customerID, name, number)
        (self.pin, self.maxParticipants, self.createdAt, self.updatedAt) = (pin, maxParticipants, createdAt, updatedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, name, number, pin
        case customerID = "customer_id"
        case moderatorPIN = "moderator_pin"
        case maxParticipants = "max_participants"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        (id, name) = (try fields.decode(String.self, forKey: .id), try fields.decode(String.self, forKey: .name))
        customerID = try fields.decode(String.self, forKey: .customerID)
        number = try fields.decodeIfPresent(String.self, forKey: .number)
        pin = try fields.decodeIfPresent(String.self, forKey: .pin)
        moderatorPIN = try fields.decodeIfPresent(String.self, forKey: .moderatorPIN)
        maxParticipants = try fields.decode(Int.self, forKey: .maxParticipants)
        createdAt = try fields.decode(Timestamp.self, forKey: .createdAt)
        updatedAt = try fields.decode(Timestamp.self, forKey: .updatedAt)
        policy = try ConferencePolicy(from: decoder)
    }

    /// The policy's fields stand among the conference's own.
    public func encode(to encoder: any Encoder) throws {
        try policy.encode(to: encoder)
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(id, forKey: .id)
        try fields.encode(name, forKey: .name)
        try fields.encode(customerID, forKey: .customerID)
        try fields.encodeIfPresent(number, forKey: .number)
        try fields.encodeIfPresent(pin, forKey: .pin)
        try fields.encodeIfPresent(moderatorPIN, forKey: .moderatorPIN)
        try fields.encode(maxParticipants, forKey: .maxParticipants)
        try fields.encode(createdAt, forKey: .createdAt)
        try fields.encode(updatedAt, forKey: .updatedAt)
    }
}

/// Joins a call to a conference's room. Any instance may be asked; the one that hosts the room answers `joined`,
/// any other says which instance does, and the caller asks that one.
public struct JoinConference: Command {
    public static let name = "conference.join"
    public static let service = ServiceName.conferenceServer
    /// A conference's, or a `confbridge`.
    public var conferenceID: String
    public var customerID: String
    public var participant: ParticipantSettings

    public init(conferenceID: String, customerID: String, participant: ParticipantSettings) {
        (self.conferenceID, self.customerID, self.participant) = (conferenceID, customerID, participant)
    }

    private static let confbridge = "confbridge:"

    /// What stands for a conference's id where a bare room of the customer's is meant, by the customer's own word for it.
    public static func confbridge(_ id: String) -> String { confbridge + id }

    /// That word; nil when a conference is meant.
    public var confbridgeID: String? {
        conferenceID.hasPrefix(Self.confbridge) ? String(conferenceID.dropFirst(Self.confbridge.count)) : nil
    }

    public enum Reply: Codable, Sendable, Equatable {
        case joined(roomID: String, instance: String, inside: InsideEndpoint)
        case elsewhere(instance: String)
    }
}

/// The conference of a customer with this number, or `not_found`.
public struct ResolveConference: Command {
    public typealias Reply = Conference
    public static let name = "conference.resolve"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var number: String

    public init(customerID: String, number: String) { (self.customerID, self.number) = (customerID, number) }
}

public struct CreateConference: Command {
    public typealias Reply = Conference
    public static let name = "conference.create"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var name: String
    public var number: String?
    public var pin: String?
    public var moderatorPIN: String?
    public var maxParticipants: Int?
    public var policy: ConferencePolicyChange?

    public init(customerID: String, name: String, number: String?, pin: String?, maxParticipants: Int?) {
        (self.customerID, self.name, self.number) = (customerID, name, number)
        (self.pin, self.maxParticipants) = (pin, maxParticipants)
    }
}

public struct GetConference: Command {
    public typealias Reply = Conference
    public static let name = "conference.get"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListConferences: Command {
    public typealias Reply = Page<Conference>
    public static let name = "conference.list"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var page: PageRequest
    public var number: String?
    public var name: String?

    public init(customerID: String, page: PageRequest, number: String? = nil, name: String? = nil) {
        (self.customerID, self.page, self.number, self.name) = (customerID, page, number, name)
    }
}

/// Changes the fields that are given; an empty `number`, `pin` or `moderatorPIN` removes it.
public struct UpdateConference: Command {
    public typealias Reply = Conference
    public static let name = "conference.update"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var id: String
    public var name: String?
    public var number: String?
    public var pin: String?
    public var moderatorPIN: String?
    public var maxParticipants: Int?
    public var policy: ConferencePolicyChange?

    public init(
        customerID: String, id: String, name: String? = nil, number: String? = nil, pin: String? = nil, maxParticipants: Int? = nil
    ) {
        (self.customerID, self.id, self.name, self.number) = (customerID, id, name, number)
        (self.pin, self.maxParticipants) = (pin, maxParticipants)
    }
}

public struct DeleteConference: Command {
    public typealias Reply = Done
    public static let name = "conference.delete"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

/// Somebody in a conference, as the API shows it.
public struct Participant: Codable, Sendable, Equatable {
    public var id: String
    public var callID: String
    public var role: String
    public var muted: Bool
    public var deaf: Bool
    public var talking: Bool
    /// Wants to speak.
    public var handRaised: Bool?
    /// Is there, but waits for the moderator.
    public var waiting: Bool?
    public var joinedAt: Timestamp
    /// What it is: a phone if nothing else is said.
    public var kind: ParticipantKind?
    /// In dB, where it is not 0.
    public var gainIn: Double?
    public var gainOut: Double?
    /// Who alone hears it.
    public var whisperTo: String?
    /// Whom alone it hears.
    public var hears: [String]?

    public init(
        id: String, callID: String, role: String, muted: Bool, deaf: Bool, talking: Bool, handRaised: Bool = false, waiting: Bool = false,
        joinedAt: Timestamp
    ) {
        (self.id, self.callID, self.role, self.muted) = (id, callID, role, muted)
        (self.deaf, self.talking, self.joinedAt) = (deaf, talking, joinedAt)
        (self.handRaised, self.waiting) = (handRaised, waiting)
    }

    private enum CodingKeys: String, CodingKey {
        case id, role, muted, deaf, talking, waiting, kind, hears
        case callID = "call_id"
        case handRaised = "hand_raised"
        case joinedAt = "joined_at"
        case gainIn = "gain_in"
        case gainOut = "gain_out"
        case whisperTo = "whisper_to"
    }
}

/// Who is in a conference now. Any instance may be asked.
public struct ListParticipants: Command {
    public typealias Reply = Page<Participant>
    public static let name = "participant.list"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var conferenceID: String

    public init(customerID: String, conferenceID: String) { (self.customerID, self.conferenceID) = (customerID, conferenceID) }
}

public struct UpdateParticipant: Command {
    public typealias Reply = Participant
    public static let name = "participant.update"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var conferenceID: String
    public var participantID: String
    public var muted: Bool?
    public var deaf: Bool?
    public var role: String?
    public var handRaised: Bool?
    public var direction: DirectionChange?

    public init(
        customerID: String, conferenceID: String, participantID: String, muted: Bool? = nil, deaf: Bool? = nil, role: String? = nil,
        handRaised: Bool? = nil
    ) {
        (self.customerID, self.conferenceID, self.participantID) = (customerID, conferenceID, participantID)
        (self.muted, self.deaf, self.role, self.handRaised) = (muted, deaf, role, handRaised)
    }
}

/// Puts a participant out of a conference: its call is told and goes on with its flow.
public struct RemoveParticipant: Command {
    public typealias Reply = Done
    public static let name = "participant.remove"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var conferenceID: String
    public var participantID: String

    public init(customerID: String, conferenceID: String, participantID: String) {
        (self.customerID, self.conferenceID, self.participantID) = (customerID, conferenceID, participantID)
    }
}
