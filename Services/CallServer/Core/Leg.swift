import Contracts
import Deadlines
import Flow

/// One leg of a conversation: a SIP dialog with a phone, its media session, its seat in a room and its place in a flow.
///
/// A pure value. `apply` takes an event to completion and returns the effects; what an effect brings back is a new event. It is
/// also the snapshot: whatever a successor needs to go on stands here (DESIGN §5).
struct Leg: Codable, Sendable {
    enum Phase: String, Codable, Sendable {
        /// Not rung yet: media, bindings or the flow's first action are awaited.
        case preparing
        /// Inbound: 180 was sent. Outbound: INVITE was sent.
        case ringing
        /// Inbound: 200 was sent. Outbound: 200 was received.
        case up
        case ended
    }

    /// What the API and the events show.
    var record: Call
    /// Events published so far; the next gets `sequence + 1`.
    var sequence: Int64 = 0
    /// Of those the ones that may not be in PostgreSQL yet; nil: none.
    var untold: [Untold]?
    /// When its last event was applied.
    var changedAt: Timestamp?
    /// Raised by whoever takes the leg over.
    var epoch: UInt64
    /// Events applied so far; with the epoch it names what an effect belongs to, for the idempotency keys of commands.
    var revision: UInt64 = 0
    var placement: Placement
    var phase = Phase.preparing
    var media = Media()
    var seat: Seat
    /// That its record was last told with.
    var toldRoom: String?
    /// The places it sits in until the one it goes to hears it.
    var leaving: [Place]?
    /// Nil: it has always been with the relay it began with.
    var moves: Moves?
    var performing: Performing?
    var children: [String] = []
    /// The child that talks with this leg.
    var bridgedChild: String?
    /// How whom it talked with has just hung up; nil once its flow has gone on to something else.
    var left: Status?
    /// Digits that no action has used yet (type-ahead); bounded by `Limits.digits`.
    var digits = ""
    /// What a flow that ends before an answer refuses the call with.
    var refusal: Status
    /// Outbound: where to ring. Inbound: nil.
    var dial: Dial?
    /// Inbound: the display name the phone gave itself.
    var callerName: String?
    static let longestName = 80
    /// The flow to run when it answers (outbound) or when the dialled number is resolved (inbound).
    var program: Program?
    /// Nil: nothing is listened for, and nothing is left to tell.
    var hearing: Hearing?
    var wantsAnswer = false
    /// Inbound: who calls is not to be told to whom is called (RFC 3323).
    var isPrivate: Bool?
    /// Where phones have sent it on to (3xx).
    var redirections: Redirections?
    /// A REFER of its phone's that goes on.
    var referral: Referral?
    /// Of the first leg of a call: what is done for one of its two parties, and how often that has been.
    var transfer: Transfer?
    var transfers: Int?
    /// Of a first leg that has left the call: who goes on with it.
    var bequest: Bequest?
    /// Whom the first leg talks with since a transfer.
    var partnerNumber: String?
    /// It hears ringing while another leg's party is rung.
    var isWaitingForTransfer: Bool?
    /// It has left whom it was called by.
    var departure: Departure?
    /// The leg whose place it takes when it talks (RFC 3891).
    var takesPlaceOf: String?
    /// On its way into another call of an attended transfer.
    var arrival: Arrival?
    /// The place it has taken in a call.
    var arrived: Arrival?
    /// It comes to talk beside those of its parent's call (RFC 3911); false once it does.
    var joins: Bool?
    /// It names a dialog that is none: where it has not dialled a conference there is nothing for it.
    var joinsNothing: Bool?
    /// The conference of whom it joins.
    var joinsConference: String?
    /// Inbound: whether it was let hear what is said before its answer; false while that waits for its seat.
    var isProgressing: Bool?
    /// When each timer is due; the driver keeps its queue in step with this.
    var deadlines: [TimerKind: Instant] = [:]
    var sip: SIPState

    /// A SIP final status with the Q.850 cause that goes with it.
    struct Status: Codable, Sendable, Equatable {
        var code: Int
        var cause: Int
        /// Of another leg's end: who made it, where that is to be told of this leg, too. Nil: the platform.
        var by: String?

        /// Nobody has seen the call: no phone is there (Q.850 cause 20), its connection is gone (RFC 5626 §5.3.1), or nothing has come back.
        var isUnreachable: Bool { code >= 300 && (cause == 20 || cause == 102 || code == 430 || code == 503 && by != nil) }

        func made(by maker: String) -> Status { Status(code: code, cause: cause, by: maker == "callee" ? maker : nil) }
    }

    /// Which relay and which mixer serve the leg; chosen from the announcements before it starts.
    struct Placement: Codable, Sendable, Equatable {
        var relay: String
        var mixer: String
    }

    struct Media: Codable, Sendable, Equatable {
        enum Stage: String, Codable, Sendable { case creating, ready, failed, deleting, gone }
        var stage = Stage.creating
        /// Our SDP for the phone.
        var description = ""
        /// The same for browsers, where one of them is to ring; the first answer decides which of the two was meant.
        var browserOffer: String?
        /// The same for phones that have refused plain RTP.
        var secureOffer: String?
        /// The relay makes no such offer.
        var refusesSRTP: Bool?
        /// Of the phones that our offer is for, when it is not the usual one.
        var family: AddressFamily?
        var inside: InsideEndpoint?
        /// The relay has the phone's SDP too.
        var isAgreed = false
        /// A re-INVITE's offer is with the relay; the phone waits for the answer.
        var isRenegotiating = false
        /// Our offer is with the phone and its answer comes in an ACK (RFC 3264 §4).
        var awaitsAnswerInAck = false
        /// The relay that refused the session before this one took it.
        var refusedBy: String?
        /// What the relay was told of the phone's description, until it has said that it knows.
        var asked: Asked?
        /// What is heard of the phone before it answers.
        var early: EarlyMedia?
    }

    struct Asked: Codable, Sendable, Equatable {
        var kind: UpdateMediaSession.Kind
        var remote: String
        var profile: MediaProfile?
    }

    /// A place in a room, on the way from wanted to linked.
    struct Seat: Codable, Sendable, Equatable {
        enum Stage: String, Codable, Sendable { case none, joining, linking, linked }
        var roomID: String
        var participantID: String
        var instance: String
        var stage = Stage.none
        /// Counts the places this leg has had: what concerns an earlier one must not touch this one.
        var number = 0
        /// Where the room takes the leg's sound.
        var inside: InsideEndpoint?
        /// Set while the leg sits in a conference instead of its call's room.
        var conferenceID: String?
        /// It was there before, with this instance, which is gone.
        var resumes: String?
        /// Of taking it again.
        var attempts: Int?
        /// Asked for over the API.
        var isRequested: Bool?
        /// Set while the leg sits in another call's room as its supervisor.
        var supervises: Supervised?
    }

    /// The action of the flow that is being performed.
    struct Performing: Codable, Sendable {
        var runID: String
        var step: Int
        var action: Action
        var isStarted = false
        var playID: String?
        /// The calls that this action has made: what becomes of those of an earlier one is none of its business.
        var children: [String]?
        /// How often FlowManager is asked whether it is still wanted, in milliseconds; nil: it is until it ends.
        var watch: Int?
        /// Final results of the children of a `connect`, by call id.
        var results: [String: Status] = [:]
        /// How far a `dial` is.
        var dialling: Dialling?
        /// A call that is waited for, or met.
        var meeting: Meeting?
        /// How far a `record` is.
        var taking: Taking?
        /// How far a `gather` is.
        var gathering: Gathering?
    }

    /// Whether every call that the action has made is over.
    var hasNoChildLeft: Bool { !(performing?.children ?? []).contains { performing?.results[$0] == nil } }

    struct Dial: Codable, Sendable, Equatable {
        var number: String
        var callerName: String
        var isSearched = false
        /// Contacts with their routes that were invited, by branch number.
        var targets: [Target] = []
        var refusals: [Int: Int] = [:]
        var winner: Int?
    }

    struct Target: Codable, Sendable, Equatable {
        var contact: String
        var route: [String]
        /// `+sip.instance` of the phone, when it gave one.
        var instanceID: String?
        var wasCanceled = false
        /// Why it is rung, when it was not called.
        var redirection: Redirection?
        /// The Q.850 cause it was refused with.
        var cause: Int?
        /// Its INVITE has had its final response, or none will come.
        var isOver: Bool?
        /// It has refused plain RTP.
        var takesSRTP: Bool?
    }

    struct Program: Codable, Sendable, Equatable {
        var flowID: String?
        var actions: [Action]?
        var isStarted = false
        /// It begins while the phone rings.
        var isEarly: Bool?
        /// Of a flow that the API has sent the leg to: the how manyth, its run, and behind which step it counts.
        var number: Int?
        var runID: String?
        var after: Int?
    }

    enum TimerKind: String, Codable, Sendable, Hashable {
        /// The outbound leg has rung long enough.
        case ring
        /// The current action's own time (`digits_receive`, `echo`, `sleep`).
        case action
        /// An `amd` beside other actions has lasted long enough.
        case detection
        /// The longest a call may last.
        case duration
        /// Statistics that never come must not keep an ended leg.
        case farewell
        /// Ask FlowManager again.
        case flowRetry
        /// Whoever was asked over the API has had its time to answer.
        case asking
        /// A prompt whose end nobody told must not hold the flow for ever.
        case play
        /// Its media is to be carried over another relay.
        case move
        /// Its place is asked for again.
        case seat
        /// Who was called has not confirmed.
        case screening
        /// The session is to be refreshed (RFC 4028).
        case refresh
        /// Nobody has refreshed the session.
        case session
        /// A provisional response has had no PRACK yet (RFC 3262).
        case provisional
    }

    /// Bounds of a leg; settings of the service.
    struct Limits: Codable, Sendable {
        var ring = Interval.seconds(60)
        var duration = Interval.seconds(4 * 3_600)
        /// The longest a prompt may be.
        var play = Interval.seconds(3_600)
        var digits = 100
        /// So often a call that is up asks FlowManager again, with half a second between them.
        var flowRetries = 180
        /// Nil, as in what an older version wrote: an hour's.
        var closingRetries: Int?
    }

    var limits = Limits()
    var flowAttempts = 0
    /// The step at which the leg ended, until FlowManager has taken what it is told of it.
    var closing: Closing?
    /// Keys that were told of, so that none counts twice.
    var heardKeys: [String]?

    struct Closing: Codable, Sendable, Equatable {
        var runID: String
        var step: Int
        /// What the run is told; nil: that the call has ended.
        var outcome: Outcome?
    }

    /// The outcome that FlowManager has not acknowledged yet.
    var pendingOutcome: Outcome?
    /// What became of the action while the leg supervised: told when it is back.
    var heldOutcome: Outcome?
    /// How often FlowManager has asked for patience with this step.
    var flowPolls: Int?
    /// Of a flow's `set_header`: for the answer to the caller and for the calls it makes.
    var headers: [Header]?
    /// A called party is asked or told something before it is joined.
    var screening: Screening?
    /// Header fields of the INVITE that variables tell of, by lower-case name.
    var arrivedWith: [String: String]?
    /// Calls that end with this one, and the one that this one ends with.
    var chained: [String]?
    var chainedTo: String?
    /// What it counts as where calls are limited.
    var counted: Counted?
    /// Whether there is room for it is not known yet: it is not answered before.
    var awaitsAdmission: Bool?
    /// Seconds for who is refused.
    var retryAfter: Int?
    /// Nobody hears it; the API or its flow wants it so. It goes along from room to room, as does the next.
    var isMuted: Bool?
    /// It hears music, and nothing else, and is not heard.
    var isHeld: Bool?
    /// It is asked for something secret: the room knows.
    var hidesKeys: Bool?
    /// What the API asks beside the flow.
    var asking: Asking?
    /// Media streams, with their secrets sealed, and the seat they sit beside.
    var streams: [StreamSettings]?
    var streamSeat: Int?

    /// An inbound leg, as the INVITE found it.
    init(inbound record: Call, epoch: UInt64, placement: Placement, seat: Seat, sip: SIPState, limits: Limits) {
        (self.record, self.epoch, self.placement) = (record, epoch, placement)
        (self.seat, self.sip, self.limits) = (seat, sip, limits)
        refusal = Status(code: 480, cause: 31)
    }

    /// An outbound leg: the child of a `connect`, or a call of the API's.
    init(
        outbound record: Call, dial: Dial, program: Program?, epoch: UInt64, placement: Placement, seat: Seat, sip: SIPState,
        limits: Limits
    ) {
        self.init(inbound: record, epoch: epoch, placement: placement, seat: seat, sip: sip, limits: limits)
        (self.dial, self.program) = (dial, program)
    }

    var isInbound: Bool { record.direction == .inbound }
    var isEnded: Bool { phase == .ended }
    var isSeated: Bool { seat.stage == .linked }
}

/// Times an event happened at: monotonic for deadlines, wall clock for records.
struct Moment: Sendable {
    var now: Instant
    var time: Timestamp
}
