/// Whether the two who are alone in a room hear each other through it, or straight from relay to relay.
struct RoomLink: Sendable, Codable, Equatable {
    enum State: String, Sendable, Codable {
        case mixed
        /// The relays have been asked to speak to each other.
        case asked
        case straight
        /// They have been asked to speak to the room again.
        case returning
    }

    /// Nothing that needs the mixer for so long: a second. Linking and unlinking are four commands; who hangs up at once is not worth them.
    static let patience = 50
    /// So often an order is given anew because a call has changed its owner: for a second.
    static let mostStaleOrders = 50
    /// After relays that would not: half a minute.
    static let reluctance = 1_500

    var state = State.mixed
    /// Tells one change from the next.
    var number: UInt64 = 0
    /// How many ticks there has been no need of the mixer; negative after a refusal.
    var idleTicks = 0
    /// Somebody else has told a relay where to send: what holds is known again after a return.
    var isDisturbed = false
    /// Orders to return that were given under an epoch that was over.
    var staleOrders: Int?

    /// Nothing goes through the mixer.
    var isStraight: Bool { state == .straight }
    /// What is played now would not be heard from its beginning.
    var keepsPlaysWaiting: Bool { state == .straight || state == .returning }
}

/// What relays are to do; performed off the mixer's thread.
struct LinkOrder: Sendable, Equatable {
    /// One side: what its relay is told.
    struct End: Sendable, Equatable {
        var relay: String
        var session: String
        var epoch: UInt64
        var customerID: String
        /// Its slot's, for the room's own end.
        var ssrc: UInt32
        /// Where the other side's relay takes packets.
        var other: String
        var otherSSRC: UInt32
        /// The other side itself where both are one relay's, which then needs no way over the inside.
        var otherSession: String?
    }

    enum Result: Sendable, Equatable {
        case done, refused
        /// Given in the name of a call's former owner.
        case stale
    }

    var room: String
    var number: UInt64
    var isStraight: Bool
    var ends: [End]
}
