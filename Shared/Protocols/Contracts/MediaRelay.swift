/// The inside end of a stream (DESIGN §7): PCMU packets with this SSRC arrive at this `ADDRESS:PORT`.
public struct InsideEndpoint: Codable, Sendable, Equatable, Hashable {
    public var address: String
    /// What the *sender* writes into its packets, so that the receiver finds the stream by array access.
    public var ssrc: UInt32

    public init(address: String, ssrc: UInt32) { (self.address, self.ssrc) = (address, ssrc) }
}

/// How one direction of a leg's sound arrived; the opinion score is that of ITU-T G.107, 1 to 4.5.
public struct MediaQuality: Codable, Sendable, Equatable {
    public var packets: Int64
    public var lost: Int64
    public var lossPercent: Double
    public var jitterMilliseconds: Double
    public var mos: Double?

    public init(packets: Int64 = 0, lost: Int64 = 0, lossPercent: Double = 0, jitterMilliseconds: Double = 0, mos: Double? = nil) {
        (self.packets, self.lost, self.lossPercent) = (packets, lost, lossPercent)
        (self.jitterMilliseconds, self.mos) = (jitterMilliseconds, mos)
    }

    private enum CodingKeys: String, CodingKey {
        case packets, lost, mos
        case lossPercent = "loss_percent"
        case jitterMilliseconds = "jitter_ms"
    }
}

/// What a leg's media was like; times in ms, jitter as RFC 3550 §6.4.1 defines it.
public struct MediaStatistics: Codable, Sendable, Equatable {
    public var codec: String?
    public var packetsIn: Int64
    public var packetsOut: Int64
    /// Loss, jitter and opinion score of what came from the phone.
    public var lost: Int64
    public var jitterMilliseconds: Double
    public var mos: Double?
    /// Nil while the phone's control packets have not made it known.
    public var roundTripMilliseconds: Double?
    /// What was heard of the phone.
    public var received: MediaQuality?
    /// What the phone heard, as it reports it.
    public var sent: MediaQuality?

    public init(
        codec: String? = nil, packetsIn: Int64 = 0, packetsOut: Int64 = 0, lost: Int64 = 0, jitterMilliseconds: Double = 0,
        mos: Double? = nil
    ) {
        (self.codec, self.packetsIn, self.packetsOut) = (codec, packetsIn, packetsOut)
        (self.lost, self.jitterMilliseconds, self.mos) = (lost, jitterMilliseconds, mos)
    }

    /// With what another session carried before this one.
    public func after(_ earlier: MediaStatistics?) -> MediaStatistics {
        guard let earlier else { return self }
        var sum = self
        sum.packetsIn += earlier.packetsIn
        sum.packetsOut += earlier.packetsOut
        sum.lost += earlier.lost
        return sum
    }

    private enum CodingKeys: String, CodingKey {
        case codec, lost, mos, received, sent
        case packetsIn = "packets_in"
        case packetsOut = "packets_out"
        case jitterMilliseconds = "jitter_ms"
        case roundTripMilliseconds = "round_trip_ms"
    }
}

/// How the media of a leg are protected and find their way where the offer is ours; an answer follows their offer.
public enum MediaProfile: String, Codable, Sendable {
    /// RTP/AVP.
    case plain
    /// RTP/SAVP, with keys in the description (RFC 4568).
    case sdes
    /// UDP/TLS/RTP/SAVPF with ICE: what a browser takes (RFC 8829).
    case browser
}

/// Of the Internet Protocol.
public enum AddressFamily: String, Codable, Sendable {
    case ipv4 = "ip4"
    case ipv6 = "ip6"
}

/// Opens a session for one call leg. With an `offer` the reply holds the answer; without, an offer to send out (RFC 3264).
///
/// `not_acceptable` when the offer has no usable audio: SIP 488.
public struct CreateMediaSession: Command {
    public static let name = "relay.session.create"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String
    public var customerID: String
    public var callID: String
    /// The CallServer instance to tell about this session.
    public var owner: String
    public var epoch: UInt64
    /// The phone's SDP, as received.
    public var offer: String?
    /// The only codecs to answer or offer, best first, by their names in SDP; nil leaves it to the relay.
    public var codecs: [String]?
    /// Nil: `pass`.
    public var digits: DigitTreatment?
    /// What the phone was last told by another relay, whose session this one takes over: our offer goes on with it (RFC 3264 §8).
    public var continuing: String?
    /// The place in a room to take at once; nil: none.
    public var seating: Seating?

    public init(
        sessionID: String, customerID: String, callID: String, owner: String, epoch: UInt64, offer: String?, codecs: [String]? = nil,
        digits: DigitTreatment? = nil, continuing: String? = nil
    ) {
        (self.sessionID, self.customerID, self.callID) = (sessionID, customerID, callID)
        (self.owner, self.epoch, self.offer) = (owner, epoch, offer)
        (self.codecs, self.digits, self.continuing) = (codecs, digits, continuing)
    }

    public struct Reply: Codable, Sendable, Equatable {
        /// SDP to send to the phone.
        public var description: String
        /// Where the room sends this session's PCMU.
        public var inside: InsideEndpoint
        /// Set when the place that was named is taken, and the session speaks to it. Nil although one was named: whoever asked takes it.
        public var place: Place?

        public init(description: String, inside: InsideEndpoint) { (self.description, self.inside) = (description, inside) }
    }

    public struct Place: Codable, Sendable, Equatable {
        /// Where the session sends the phone's sound.
        public var inside: InsideEndpoint
        /// Where the room is, when it is not with the instance that was named.
        public var instance: String?
        /// How long the room took.
        public var microseconds: Int64

        public init(inside: InsideEndpoint, instance: String? = nil, microseconds: Int64) {
            (self.inside, self.instance, self.microseconds) = (inside, instance, microseconds)
        }
    }

    /// A session begins with a seat: what would be three commands, one after the other, is one here and one from the relay to the room.
    public struct Seating: Codable, Sendable {
        /// The ConferenceServer instance.
        public var mixer: String
        public var roomID: String
        /// Its `inside` is the session's, whatever it says.
        public var participant: ParticipantSettings

        public init(mixer: String, roomID: String, participant: ParticipantSettings) {
            (self.mixer, self.roomID, self.participant) = (mixer, roomID, participant)
        }
    }
}

/// Applies SDP of the phone to an open session: an answer to our offer, or a new offer (re-INVITE, hold).
public struct UpdateMediaSession: Command {
    public static let name = "relay.session.update"
    public static let service = ServiceName.mediaRelay

    public enum Kind: String, Codable, Sendable {
        case answer, offer
        /// The phone asks for our offer (re-INVITE without SDP); `remote` is ignored.
        case makeOffer = "make_offer"
    }

    public var sessionID: String
    public var epoch: UInt64
    public var kind: Kind
    public var remote: String
    /// Of an offer of ours; nil: as before, `plain` at first. Before the first answer each profile may have an offer, and an answer says
    /// here which of them it is for.
    public var profile: MediaProfile?
    /// The only codecs from now on; nil: as before. An offer that was answered and whose answer has not been sent may be given again
    /// with another list.
    public var codecs: [String]?
    /// Of a first offer of ours; nil, or one that the relay does not have: as it is.
    public var family: AddressFamily?
    /// What a provisional response says: another answer to the same offer may follow (RFC 3261 §13.2.1), from whichever phone.
    public var isProvisional: Bool?

    public init(
        sessionID: String, epoch: UInt64, kind: Kind, remote: String, profile: MediaProfile? = nil, codecs: [String]? = nil,
        family: AddressFamily? = nil, isProvisional: Bool? = nil
    ) {
        (self.sessionID, self.epoch, self.kind, self.remote, self.profile) = (sessionID, epoch, kind, remote, profile)
        (self.codecs, self.family, self.isProvisional) = (codecs, family, isProvisional)
    }

    public struct Reply: Codable, Sendable, Equatable {
        /// SDP to send to the phone; nil after an answer.
        public var description: String?
        /// Whether the phone put us on hold (RFC 3264 §8.4): it sends, or receives, nothing.
        public var held: Bool

        public init(description: String?, held: Bool) { (self.description, self.held) = (description, held) }
    }
}

/// Points the session's inside at a room, at another session of the same relay, or at nothing.
public struct LinkMediaSession: Command {
    public typealias Reply = Done
    public static let name = "relay.session.link"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String
    public var epoch: UInt64
    public var inside: InsideEndpoint?
    /// Both phones hear each other from then on, without a room, until one of the two is linked anew. `inside` means nothing then.
    public var session: String?
    /// `inside` is another session's: nobody hears the phone's keys but its peer, so the call's owner is told of each by `DigitPressed`.
    public var keys: Bool?

    public init(sessionID: String, epoch: UInt64, inside: InsideEndpoint?, session: String? = nil, keys: Bool? = nil) {
        (self.sessionID, self.epoch, self.inside, self.session, self.keys) = (sessionID, epoch, inside, session, keys)
    }
}

/// Ends a session and tells what it was like; a session that is gone answers `not_found`.
public struct DeleteMediaSession: Command {
    public typealias Reply = MediaStatistics
    public static let name = "relay.session.delete"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String
    public var epoch: UInt64

    public init(sessionID: String, epoch: UInt64) { (self.sessionID, self.epoch) = (sessionID, epoch) }
}

/// The same for several at once, a thousand at most: what is left of calls that are over, and nobody waits for, goes together.
public struct DeleteMediaSessions: Command {
    public static let name = "relay.sessions.delete"
    public static let service = ServiceName.mediaRelay
    public static let limit = 1_000
    public var sessions: [DeleteMediaSession]

    public init(_ sessions: [DeleteMediaSession]) { self.sessions = sessions }

    /// Of one session: what it was like, or why it could not be ended.
    public struct Outcome: Codable, Sendable {
        public var statistics: MediaStatistics?
        public var error: RPCError?

        public init(_ result: Result<MediaStatistics, RPCError>) {
            switch result {
            case .success(let statistics): self.statistics = statistics
            case .failure(let error): self.error = error
            }
        }
    }

    public struct Reply: Codable, Sendable {
        /// In the order the sessions were named.
        public var outcomes: [Outcome]

        public init(outcomes: [Outcome]) { self.outcomes = outcomes }
    }
}

public struct QueryMediaSession: Command {
    public typealias Reply = MediaStatistics
    public static let name = "relay.session.query"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String

    public init(sessionID: String) { self.sessionID = sessionID }
}
