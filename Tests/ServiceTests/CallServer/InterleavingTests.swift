import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

/// Both phones do what they like, in any order, while answers of the services come when they come: whatever happens, every INVITE has one
/// final response, no leg is left and no room has anybody in it at the end.
@Suite("Calls under thousands of orders of events") struct InterleavingTests {
    private static let each = 500

    @Test("one final response, no leg left over, no room with anybody in it", arguments: 0..<8)
    func orders(block: Int) { each(of: block, mortal: false) }

    @Test("RELIABILITY K2: the same when the process dies up to three times anywhere in between, and another goes on", arguments: 0..<8)
    func deaths(block: Int) { each(of: block, mortal: true) }

    private func each(of block: Int, mortal: Bool) {
        for number in 0..<Self.each {
            let seed = UInt64(block * Self.each + number)
            var (world, trail) = (CallWorld(), [String]())
            play(seed, mortal: mortal, &world, &trail)
            let isClean =
                world.broken.isEmpty && world.legs.isEmpty && world.talking.isEmpty && world.ringing.isEmpty && world.rooms.values.allSatisfy(\.isEmpty)
                && world.mortality?.written.isEmpty ?? true
            guard isClean else {
                let left = world.legs.values.map { "\($0.record.id) \($0.phase) media \($0.media.stage) seat \($0.seat.stage)" }
                Issue.record(
                    """
                    seed \(seed): \(world.broken) legs \(left) talking \(world.talking) ringing \(world.ringing) rooms \(world.rooms)
                    \(trail.joined(separator: ", "))
                    """)
                return
            }
        }
    }

    private func play(_ seed: UInt64, mortal: Bool, _ world: inout CallWorld, _ trail: inout [String]) {
        var random = SeededNumbers(seed)
        let wishes: [SIPState.Provisionals.Wish?] = [nil, .supported, .required]
        let reliability = wishes[Int.random(in: 0..<3, using: &random)]
        var lives = mortal ? 3 : 0
        if mortal { world.makeMortal(writesFirst: Bool.random(using: &random)) }
        let caller = world.call(from: "1001", to: "1002") { leg in
            leg.sip.provisionals = reliability.map { SIPState.Provisionals(wish: $0, invite: 1, next: 10) }
        }
        for _ in 0..<Int.random(in: 5...60, using: &random) {
            if lives > 0, world.mortality?.stepsLeft == nil, Int.random(in: 0..<8, using: &random) == 0 {
                world.mortality?.stepsLeft = Int.random(in: 0...12, using: &random)
            }
            if Int.random(in: 0..<10, using: &random) < 6 {
                if mortal { world.happenNext(&random) } else { world.deliverOne(&random) }
            } else {
                happen(&world, caller, &random, &trail)
            }
            guard world.isDead else { continue }
            lives -= 1
            trail.append("dies after \(world.mortality?.lastStep.prefix(60) ?? "")")
            world.succeed(caller)
        }
        world.mortality?.stepsLeft = nil
        // At last everybody hangs up, or gives up, and time passes.
        world.settle()
        trail.append("all leave")
        for id in world.ringing.sorted() { world.refuse(String(id.split(separator: "/")[0]), code: 480) }
        world.settle()
        for id in world.legs.keys.sorted() where world.legs[id]?.isInbound == true && world.sent[id]?.contains("final") != true { world.handle(id, .canceled) }
        for id in world.talking.sorted() { world.leave(id) }
        for _ in 0..<4 {
            world.settle()
            world.pass(.seconds(40))
            for id in world.talking.sorted() { world.leave(id) }
        }
        world.settle()
        // Of whom nothing was written nobody has heard: its phone asks again.
        if mortal, world.sent[caller] == nil { return }
        if world.sent[caller]?.filter({ $0 == "final" }).count != 1 { world.broken.append("\(caller): no final response") }
    }

    /// Another phone joins the call of that leg, or takes its place, where `CallEngine.place` lets it.
    private func comes(_ world: inout CallWorld, to leg: Leg, replacing: Bool) {
        let id = leg.record.id
        guard !leg.isEnded, let first = world.legs[leg.record.parentCallID ?? id], first.isSeated || first.phase != .up, first.seat.conferenceID == nil,
            leg.phase != .up || leg.isSeated, !replacing || (leg.phase == .up || !leg.isInbound) && (first.record.id != id || first.bridgedChild != nil)
        else { return }
        _ = world.call(from: "1004", to: "1002") { newcomer in
            if replacing { newcomer.takesPlaceOf = id } else { newcomer.joins = true }
            newcomer.wantsAnswer = true
            newcomer.record.parentCallID = first.record.id
            (newcomer.seat.roomID, newcomer.seat.instance) = (replacing ? first.seat.roomID : leg.seat.roomID, leg.seat.instance)
        }
    }

    /// Something that one of the phones does.
    private func happen(_ world: inout CallWorld, _ caller: String, _ random: inout SeededNumbers, _ trail: inout [String]) {
        let legs = world.legs.keys.sorted()
        guard let id = legs.randomElement(using: &random), let leg = world.legs[id] else { return }
        let isTalking = world.talking.contains(id)
        let isRinging = world.ringing.contains("\(id)/0")
        let choice = Int.random(in: 0..<17, using: &random)
        trail.append("\(id.suffix(4)) \(choice)")
        switch choice {
        case 0 where isRinging: world.handle(id, .rang(branch: 0))
        case 1 where isRinging: world.handle(id, .progressed(branch: 0, Progress(code: 183, dialog: nil, responseSequence: nil, description: "early")))
        case 2 where isRinging: world.answer(id)
        case 3 where isRinging: world.refuse(id, code: [486, 603, 480, 302].randomElement(using: &random) ?? 480)
        case 4 where isTalking: world.leave(id)
        case 5 where isTalking: world.handle(id, .reinvited(offer: "again"))
        case 6 where isTalking: world.handle(id, .updated(offer: "again", early: nil))
        case 7 where isTalking:
            // No more than what one call may grow to.
            if world.legs.count < 6 { world.handle(id, .referred(Leg.Referral(id: UInt32(world.moment.now.nanoseconds & 0xffff), number: "1003"))) }
        case 8:
            if let pending = leg.sip.provisionals?.pending, !leg.isEnded {
                world.handle(id, .acknowledgedEarly(.init(pending.sequence, of: CSeq(1, .invite)), body: nil))
            }
        case 9 where id == caller && leg.isInbound && world.sent[id]?.contains("final") != true: world.handle(id, .canceled)
        case 10: world.pass(.milliseconds(Int.random(in: 1...20_000, using: &random)))
        case 12 where isTalking && world.legs.count < 6:
            world.handle(leg.record.parentCallID ?? id, .consultWanted(by: id, number: "1003"))
        case 13: world.handle(id, .consultationOver(completes: Bool.random(using: &random)))
        case 14 where isTalking && leg.objectionToRedirecting == nil && world.legs.count < 6: world.handle(id, .redirected(flowID: "flow_2", actions: nil))
        case 15 where world.legs.count < 6: comes(&world, to: leg, replacing: false)
        case 16 where world.legs.count < 6: comes(&world, to: leg, replacing: true)
        case 11 where !leg.isEnded: world.handle(id, .hangUp(cause: 16))
        default: break
        }
    }
}
