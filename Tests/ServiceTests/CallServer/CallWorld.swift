import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

/// Numbers that follow from a seed.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// The legs of one customer's calls with all that surrounds them: phones, relay, rooms, flows; without a network, in virtual time.
///
/// What the surroundings answer waits in `pending`; `settle` delivers it in order, `deliverOne` in an order of somebody's choice.
struct CallWorld {
    var legs: [String: Leg] = [:]
    var moment = Moment(now: Instant(nanoseconds: 1_000_000_000_000), time: Timestamp(milliseconds: 1_800_000_000_000))
    var pending: [(leg: String, event: LegEvent)] = []
    /// What each phone was sent, in words.
    var sent: [String: [String]] = [:]
    /// ROOM@MIXER to the legs that sit there.
    var rooms: [String: Set<String>] = [:]
    /// Legs that are over and gone.
    var forgotten: Set<String> = []
    /// INVITEs of ours without a final response, as LEG/BRANCH.
    var ringing: Set<String> = []
    /// Phones that talk: their leg has a dialog.
    var talking: Set<String> = []
    /// What broke a promise.
    var broken: [String] = []
    /// Where each leg's relay sends its sound, as ROOM@MIXER.
    var heardIn: [String: String] = [:]
    /// What rooms play to somebody until they are told to stop.
    var playing: Set<String> = []
    /// Phones that were invited, as LEG/BRANCH, with their final response.
    var finals: [String: Int?] = [:]
    /// Nil: nobody dies, and all is written at once.
    var mortality: Mortality?
    /// What phones have asked and were not answered.
    var unanswered: [PhoneRequest] = []
    /// Nil: each number has one phone.
    var forking: Forking?
    /// Nil: nothing is written down.
    var log: LegLog?
    private var calls = 0
    private var ready: [(leg: String, effects: [LegEffect])] = []
    private var isPerforming = false

    static let runs = "run_"

    /// A phone that calls; the flow connects it with `number`.
    mutating func call(from caller: String, to number: String, _ change: (inout Leg) -> Void = { _ in }) -> String {
        calls += 1
        let id = "call_01HZZZZZZZ" + String(repeating: "A", count: 14) + String(calls, radix: 10).padded
        let record = Call(
            id: id, customerID: "cust_1", direction: .inbound, status: .queued, from: caller, to: number, createdAt: moment.time)
        let suffix = String(id.dropFirst(5))
        var leg = Leg(
            inbound: record, epoch: 1, placement: LegFixture.placement,
            seat: Leg.Seat(roomID: "room_\(suffix)", participantID: "part_\(suffix)", instance: "mixer-1"), sip: SIPState(domain: "demo.localhost"),
            limits: .init())
        // Until its 200 is acknowledged.
        leg.sip.invite = try? ResumingTests.received()
        change(&leg)
        legs[id] = leg
        log?.open(leg)
        handle(id, .invited(offer: "offer of \(caller)", number: number))
        return id
    }

    mutating func handle(_ id: String, _ event: LegEvent) {
        guard !isDead else { return }
        if forking != nil { noteResponse(event, id) }
        guard var leg = legs[id] else { return }
        let effects = leg.apply(event, at: moment)
        legs[id] = leg
        log?.note(.applied(event, moment, effects), leg)
        carryOut(effects, of: id)
    }

    /// What surrounds a leg writes into it, as `CallEngine` does with names and dialogs.
    mutating func amend(_ id: String, _ change: @escaping @Sendable (inout Leg) -> Void) {
        guard var leg = legs[id] else { return }
        change(&leg)
        legs[id] = leg
        log?.note(.amended(change), leg)
    }

    private mutating func carryOut(_ effects: [LegEffect], of id: String) {
        guard mortality == nil else { return commit(effects, of: id) }
        if forking != nil { for effect in effects { prepareAtPhones(effect, id) } }
        perform(effects, of: id)
    }

    /// One leg's effects after the other's, as `CallEngine` performs them.
    mutating func perform(_ effects: [LegEffect], of id: String) {
        ready.append((id, effects))
        guard !isPerforming else { return }
        isPerforming = true
        while !ready.isEmpty {
            let now = ready
            ready = []
            for (id, effects) in now { for effect in effects where mayPerform("\(effect) of \(id)") { perform(effect, id) } }
        }
        isPerforming = false
    }

    mutating func resetPerforming() { (ready, isPerforming) = ([], false) }

    mutating func settle() {
        var steps = 0
        while !isDead {
            steps += 1
            guard steps < 10_000 else { return broken.append("events without end") }
            if mortality?.writesFirst == true, write() { continue }
            if !pending.isEmpty {
                let next = pending.removeFirst()
                handle(next.leg, next.event)
            } else if !find(), !write(), !writeRest() {
                return
            }
        }
    }

    mutating func deliverOne(_ random: inout SeededNumbers) {
        guard !pending.isEmpty else { return }
        // Of one leg in order, as one queue brings them; of several in any.
        let leg = pending[Int.random(in: pending.indices, using: &random)].leg
        guard let place = pending.firstIndex(where: { $0.leg == leg }) else { return }
        let next = pending.remove(at: place)
        handle(next.leg, next.event)
    }

    mutating func pass(_ interval: Interval) {
        moment.now = moment.now + interval
        moment.time = Timestamp(milliseconds: moment.time.milliseconds + Int64(interval.milliseconds))
        while true {
            var due: [(at: Instant, leg: String, kind: Leg.TimerKind)] = []
            for (id, leg) in legs {
                for (kind, deadline) in leg.deadlines where deadline <= moment.now { due.append((deadline, id, kind)) }
            }
            let first = due.min { ($0.at, $0.leg, $0.kind.rawValue) < ($1.at, $1.leg, $1.kind.rawValue) }
            guard let first, !isDead else { return }
            handle(first.leg, .due(first.kind))
        }
    }

    /// The phone of a branch answers; an answer that comes after a CANCEL may still come.
    mutating func answer(_ id: String, branch: Int = 0) {
        if forking != nil { return say(.accepted(branch: branch, answer: "answer of \(id)/\(branch)"), code: 200, id, branch) }
        guard ringing.remove("\(id)/\(branch)") != nil else { return }
        talking.insert(id)
        finals["\(id)/\(branch)"] = 200
        handle(id, .accepted(branch: branch, answer: "answer of \(id)"))
    }

    mutating func refuse(_ id: String, branch: Int = 0, code: Int) {
        if forking != nil { return say(.refused(branch: branch, code: code), code: code, id, branch) }
        guard ringing.remove("\(id)/\(branch)") != nil else { return }
        finals["\(id)/\(branch)"] = code
        handle(id, .refused(branch: branch, code: code))
    }

    /// The phone hangs up.
    mutating func leave(_ id: String) {
        guard talking.remove(id) != nil else { return }
        forking?.hangUp(id)
        if mortality != nil { unanswered.append(PhoneRequest(leg: id, kind: .bye)) }
        handle(id, .byed)
    }

    /// The only child of a leg.
    func child(of id: String) -> String? { legs[id]?.children.first }

    func members(ofRoomOf id: String) -> Set<String> {
        guard let seat = legs[id]?.seat else { return [] }
        return rooms["\(seat.roomID)@\(seat.instance)"] ?? []
    }

    // MARK: What surrounds the legs

    private mutating func perform(_ effect: LegEffect, _ id: String) {
        guard let leg = legs[id] else { return }
        if forking != nil, performAtPhones(effect, id) { return }
        switch effect {
        case .respond(let code, _):
            note(id, "\(code)")
            guard code >= 200 else { break }
            // A successor says again what was said; nothing else.
            let isRepeated = mortality != nil && sent[id]?.contains("\(code)") == true
            if sent[id]?.contains("final") == true, !isRepeated { broken.append("\(id): a second final response, \(code)") }
            if isRepeated, sent[id]?.contains("final") == true {
                amend(id) { $0.sip.invite = nil }
                break
            }
            note(id, "final")
            guard code < 300 else { break }
            talking.insert(id)
            amend(id) { $0.sip.invite = nil }
        case .respondReliably(let code, _, _): note(id, "\(code)")
        case .respondToReinvite(let code, _): note(id, "offer \(code)")
        case .respondToRefer(let code): answered(id, "REFER \(code)")
        case .notify(let code, _): note(id, "NOTIFY \(code)")
        case .notifyLast(let code, _): note(id, "last NOTIFY \(code)")
        case .message(let text): note(id, "MESSAGE \(text)")
        case .notifyAgain: if let notice = leg.sip.notice { note(id, "NOTIFY \(notice.code)") }
        case .invite(let branch, _), .inviteLonger(let branch, _):
            ringing.insert("\(id)/\(branch)")
            finals["\(id)/\(branch)"] = .some(nil)
            note(id, "INVITE")
        case .inviteAgain(let branch, _):
            // A phone that has it says again what it said last.
            switch finals["\(id)/\(branch)"] {
            case nil:
                ringing.insert("\(id)/\(branch)")
                finals["\(id)/\(branch)"] = .some(nil)
                note(id, "INVITE")
            case .some(nil): break
            case .some(let code?): pending.append((id, code == 200 ? .accepted(branch: branch, answer: "answer of \(id)") : .refused(branch: branch, code: code)))
            }
        case .cancel(let branch):
            note(id, "CANCEL")
            guard ringing.remove("\(id)/\(branch)") != nil else { break }
            finals["\(id)/\(branch)"] = 487
            pending.append((id, .refused(branch: branch, code: 487)))
        case .dismiss: talking.remove(id)
        case .bye, .byeAgain:
            if case .byeAgain = effect, sent[id]?.last == "BYE" { break }
            note(id, "BYE")
            talking.remove(id)
        case .resolve: pending.append((id, .resolved(flowID: nil, defaultActions: [])))
        case .findBindings(let number):
            let bindings = (0..<(forking?.count(of: number) ?? 1)).map {
                ReachableBinding(
                    contact: "sip:\(number)@127.0.0.1:\(5080 + $0)", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)
            }
            pending.append((id, .found(bindings)))
        case .createMedia:
            var reply = CreateMediaSession.Reply(description: "sdp for \(id)", inside: LegFixture.inside)
            // Half of the relays find the room at once.
            if leg.seat.stage == .none, leg.seat.conferenceID == nil, id.utf8.reduce(0, { $0 &+ Int($1) }) % 2 == 0 {
                let place = "\(leg.seat.roomID)@\(leg.seat.instance)"
                rooms[place, default: []].insert(id)
                heardIn[id] = place
                reply.place = .init(inside: InsideEndpoint(address: place, ssrc: 7), microseconds: 1)
            }
            pending.append((id, .mediaCreated(reply, seat: leg.seat)))
        case .updateMedia(let kind, _, _):
            pending.append((id, .mediaUpdated(.init(description: kind == .answer ? nil : "sdp for \(id) again", held: false), kind: kind)))
        case .hearEarly: pending.append((id, .heardEarly))
        case .deleteMedia: pending.append((id, .mediaDeleted(MediaStatistics())))
        case .link(let inside, let seat):
            heardIn[id] = inside.address
            pending.append((id, .linked(seat: seat)))
        case .join(let seat):
            rooms["\(seat.roomID)@\(seat.instance)", default: []].insert(id)
            pending.append((id, .joined(seat: seat.number, roomID: seat.roomID, instance: seat.instance, inside: InsideEndpoint(address: "\(seat.roomID)@\(seat.instance)", ssrc: 7))))
        case .leave(let room, _, let instance):
            rooms["\(room)@\(instance)"]?.remove(id)
            playing = playing.filter { !$0.hasSuffix(" to \(id)") }
        case .play(let playID, let sources, let loop, _):
            if loop { playing.insert("\(playID) to \(id)") }
            if sources == [.ringback] { note(id, "hears ringing") }
        case .stopPlay(let playID): playing.remove("\(playID) to \(id)")
        case .hush(let muted, let deaf): note(id, deaf ? "held" : muted ? "muted" : "heard")
        case .startRun:
            var connect = Connect()
            connect.destinations = [Address(kind: .extension, target: leg.record.to)]
            let action = leg.program?.actions?.first ?? Action(id: "a", .connect(connect))
            let step = (leg.program?.after ?? 0) + 1
            pending.append((id, .step(RunStep(runID: leg.program?.runID ?? Self.runs + id, step: step, action: action, finished: nil))))
        case .advance(let run, let step, let outcome):
            let how = outcome == .callEnded ? "call_ended" : "completed"
            pending.append((id, .step(RunStep(runID: run, step: step + 1, action: nil, finished: how))))
        case .createChild(let order): if !looksFor(order, of: id) { make(order, of: leg) }
        case .tellParent(let event):
            guard let parent = leg.record.parentCallID else { break }
            if legs[parent] != nil { handle(parent, event) } else { handle(id, .parentEnded) }
        case .tellChild(let child, let event): handle(child, event)
        case .forget:
            legs[id] = nil
            log?.close(id)
            forgotten.insert(id)
            forgotten(id)
        default: break
        }
    }

    private mutating func note(_ id: String, _ word: String) { sent[id, default: []].append(word) }

    /// As CallEngine.makeChild does.
    mutating func make(_ order: ChildOrder, of parent: Leg) {
        guard legs[order.id] == nil else { return reunite(order.id) }
        var record = Call(
            id: order.id, customerID: "cust_1", direction: .outbound, status: .queued, from: order.callerNumber, to: order.number,
            createdAt: moment.time)
        record.parentCallID = parent.record.id
        let suffix = String(order.id.dropFirst(5))
        var leg = Leg(
            outbound: record, dial: .init(number: order.number, callerName: ""), program: nil, epoch: 1, placement: LegFixture.placement,
            seat: Leg.Seat(
                roomID: order.place?.roomID ?? parent.ownRoomID, participantID: "part_\(suffix)",
                instance: order.place?.instance ?? parent.placement.mixer),
            sip: SIPState(domain: "demo.localhost"), limits: .init())
        leg.sip.branches = [0: .init(callID: "c", localTag: "t", name: nil)]
        legs[order.id] = leg
        log?.open(leg)
        let effects = leg.begin(at: moment)
        legs[order.id] = leg
        log?.note(.begun(moment, effects), leg)
        carryOut(effects, of: order.id)
    }
}

extension String {
    fileprivate var padded: String { String(repeating: "0", count: Swift.max(0, 2 - count)) + self }
}

extension CallWorld {
    /// 1001 talks with 1002.
    static func talking() throws -> (CallWorld, caller: String, callee: String) {
        var world = CallWorld()
        let caller = world.call(from: "1001", to: "1002")
        world.settle()
        let callee = try #require(world.child(of: caller))
        world.answer(callee)
        world.settle()
        return (world, caller, callee)
    }
}
