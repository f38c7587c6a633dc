import Contracts
import Deadlines
import Flow

@testable import CallServer

/// A leg under test with a clock in hand.
struct LegFixture {
    var leg: Leg
    var moment = Moment(now: Instant(nanoseconds: 1_000_000_000_000), time: Timestamp(milliseconds: 1_800_000_000_000))

    static let seat = Leg.Seat(roomID: "room_A", participantID: "part_A", instance: "mixer-1")
    static let placement = Leg.Placement(relay: "relay-1", mixer: "mixer-1")
    static let inside = InsideEndpoint(address: "127.0.0.1:9000", ssrc: 7)

    static func inbound() -> LegFixture {
        let record = Call(
            id: "call_01HZZZZZZZAAAAAAAAAAAAAAAA", customerID: "cust_1", direction: .inbound, status: .queued, from: "1001", to: "1002",
            createdAt: Timestamp(milliseconds: 1_800_000_000_000))
        return LegFixture(leg: Leg(
            inbound: record, epoch: 1, placement: placement, seat: seat, sip: SIPState(domain: "demo.localhost"), limits: .init()))
    }

    static func outbound(parent: String? = "call_parent", program: Leg.Program? = nil) -> LegFixture {
        var record = Call(
            id: "call_01HZZZZZZZBBBBBBBBBBBBBBBB", customerID: "cust_1", direction: .outbound, status: .queued, from: "1001", to: "1002",
            createdAt: Timestamp(milliseconds: 1_800_000_000_000))
        record.parentCallID = parent
        return LegFixture(leg: Leg(
            outbound: record, dial: .init(number: "1002", callerName: ""), program: program, epoch: 1, placement: placement, seat: seat,
            sip: SIPState(domain: "demo.localhost"), limits: .init()))
    }

    mutating func apply(_ event: LegEvent) -> [LegEffect] { leg.apply(event, at: moment) }

    /// Moves the clock and fires what is due, the earliest first.
    mutating func pass(_ interval: Interval) -> [LegEffect] {
        moment.now = moment.now + interval
        moment.time = Timestamp(milliseconds: moment.time.milliseconds + Int64(interval.milliseconds))
        var effects: [LegEffect] = []
        while let due = leg.deadlines.filter({ $0.value <= moment.now }).min(by: { $0.value < $1.value }) {
            effects += leg.apply(.due(due.key), at: moment)
        }
        return effects
    }

    /// Media created, room joined and linked: what the services answer when all is well.
    mutating func seatDown() -> [LegEffect] {
        var effects = apply(.mediaCreated(.init(description: "our sdp", inside: Self.inside)))
        effects += apply(.joined(seat: leg.seat.number, roomID: leg.seat.roomID, instance: "mixer-1", inside: Self.inside))
        effects += apply(.linked(seat: leg.seat.number))
        return effects
    }

    mutating func step(_ number: Int, _ kind: Action.Kind) -> [LegEffect] {
        apply(.step(RunStep(runID: "run_1", step: number, action: Action(id: "a\(number)", kind), finished: nil)))
    }

    mutating func runEnds(after step: Int) -> [LegEffect] {
        apply(.step(RunStep(runID: "run_1", step: step + 1, action: nil, finished: "completed")))
    }

    /// An answered inbound leg that performs `kind` as step 1.
    static func answered(performing kind: Action.Kind) -> (LegFixture, [LegEffect]) {
        var fixture = inbound()
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.seatDown()
        let effects = fixture.step(1, kind)
        return (fixture, effects)
    }
}

extension [LegEffect] {
    var responses: [Int] { compactMap { if case .respond(let code, _) = $0 { code } else { nil } } }
    var createdMedia: [String?] { compactMap { if case .createMedia(let offer) = $0 { offer } else { nil } } }
    var toldRooms: [String?] { compactMap { if case .publish(_, let record, _, _, _) = $0 { record.roomID } else { nil } } }
    var published: [String] { compactMap { if case .publish(let type, _, _, _, _) = $0 { type } else { nil } } }
    var outcomes: [Outcome] { compactMap { if case .advance(_, _, let outcome) = $0 { outcome } else { nil } } }
    var invitedBranches: [Int] { compactMap { if case .invite(let branch, _) = $0 { branch } else { nil } } }
    var invitations: [String] { compactMap { if case .invite(_, let body) = $0 { body } else { nil } } }
    var answered: [MediaProfile?] { compactMap { if case .updateMedia(.answer, _, let profile) = $0 { profile } else { nil } } }
    var canceledBranches: [Int] { compactMap { if case .cancel(let branch) = $0 { branch } else { nil } } }
    var hasBye: Bool { contains { if case .bye = $0 { true } else { false } } }
    var deletesMedia: Bool { contains { if case .deleteMedia = $0 { true } else { false } } }
    /// ROOM@INSTANCE.
    var left: [String] { compactMap { if case .leave(let room, _, let instance) = $0 { "\(room)@\(instance)" } else { nil } } }
    var joined: [Leg.Seat] { compactMap { if case .join(let seat) = $0 { seat } else { nil } } }
    var linkedTo: [InsideEndpoint] { compactMap { if case .link(let inside, _) = $0 { inside } else { nil } } }
    var leavesRoom: Bool { contains { if case .leave = $0 { true } else { false } } }
    var isForgotten: Bool { contains { if case .forget = $0 { true } else { false } } }
    var plays: [[PlaySource]] { compactMap { if case .play(_, let sources, _, _) = $0 { sources } else { nil } } }
    var toldParent: [LegEvent] { compactMap { if case .tellParent(let event) = $0 { event } else { nil } } }
    var toldChildren: [String] { compactMap { if case .tellChild(let child, _) = $0 { child } else { nil } } }
    var createdChildren: [String] { compactMap { if case .createChild(let order) = $0 { order.id } else { nil } } }
    struct Hush: Equatable { var muted: Bool, deaf: Bool }
    var hushed: [Hush] { compactMap { if case .hush(let muted, let deaf) = $0 { Hush(muted: muted, deaf: deaf) } else { nil } } }
    var echoes: [Bool] { compactMap { if case .setParticipant(_, let echo) = $0 { echo } else { nil } } }
}
