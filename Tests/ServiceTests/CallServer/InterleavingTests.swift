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
    func orders(block: Int) { each(of: block, mortal: false, forks: false) }

    @Test("RELIABILITY K2: the same when the process dies up to three times anywhere in between, and another goes on", arguments: 0..<8)
    func deaths(block: Int) { each(of: block, mortal: true, forks: false) }

    @Test("RFC 3261 §16.7: one to three phones ring for a number and say what they like: one wins, and every other is told", arguments: 0..<4)
    func forks(block: Int) { each(of: block, mortal: false, forks: true) }

    @Test("RELIABILITY K2: the same with deaths in between: no phone is invited twice but by repetition", arguments: 0..<4)
    func forkDeaths(block: Int) { each(of: block, mortal: true, forks: true) }

    @Test("DESIGN §5: a leg follows from what it was handed: the same once more gives the same, and from its snapshot, too", arguments: [false, true])
    func replays(throughSnapshot: Bool) throws {
        for seed in UInt64(0)..<20 {
            var (world, trail) = (CallWorld(), [String]())
            world.log = LegLog()
            play(seed, mortal: seed % 2 == 0, forks: seed % 4 < 2, &world, &trail)
            world.log?.closeAll()
            let lives = world.log?.closed ?? []
            #expect(!lives.isEmpty)
            for life in lives {
                guard let difference = try life.difference(throughSnapshot: throughSnapshot) else { continue }
                Issue.record("seed \(seed): \(difference)")
                return
            }
        }
    }

    private func each(of block: Int, mortal: Bool, forks: Bool) {
        for number in 0..<Self.each {
            let seed = UInt64(block * Self.each + number)
            var (world, trail) = (CallWorld(), [String]())
            play(seed, mortal: mortal, forks: forks, &world, &trail)
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

    private func play(_ seed: UInt64, mortal: Bool, forks: Bool, _ world: inout CallWorld, _ trail: inout [String]) {
        var random = SeededNumbers(seed)
        let wishes: [SIPState.Provisionals.Wish?] = [nil, .supported, .required]
        let reliability = wishes[Int.random(in: 0..<3, using: &random)]
        var lives = mortal ? 3 : 0
        if forks { world.forking = Forking(seed: seed) }
        if mortal { world.makeMortal(writesFirst: Bool.random(using: &random)) }
        let caller = world.call(from: "1001", to: "1002") { leg in
            leg.sip.provisionals = reliability.map { SIPState.Provisionals(wish: $0, invite: 1, next: 10) }
        }
        for _ in 0..<Int.random(in: 5...(forks ? 120 : 60), using: &random) {
            if lives > 0, world.mortality?.stepsLeft == nil, Int.random(in: 0..<8, using: &random) == 0 {
                world.mortality?.stepsLeft = Int.random(in: 0...12, using: &random)
            }
            if Int.random(in: 0..<10, using: &random) < 6 {
                if mortal { world.happenNext(&random) } else { world.deliverOne(&random) }
            } else if forks, Bool.random(using: &random) {
                say(&world, &random, &trail)
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
        for (id, branch) in branches(world) where !forks || seed % 3 > 0 { world.refuse(id, branch: branch, code: 480) }
        world.settle()
        for id in world.legs.keys.sorted() where world.legs[id]?.isInbound == true && world.sent[id]?.contains("final") != true { world.handle(id, .canceled) }
        for id in world.talking.sorted() { world.leave(id) }
        for _ in 0..<(forks ? 8 : 4) {
            world.settle()
            world.pass(.seconds(40))
            for id in world.talking.sorted() { world.leave(id) }
        }
        world.settle()
        world.broken += world.phonesLeft
        // Of whom nothing was written nobody has heard: its phone asks again.
        if mortal, world.sent[caller] == nil { return }
        if world.sent[caller]?.filter({ $0 == "final" }).count != 1 { world.broken.append("\(caller): no final response") }
    }

    /// The phones that ring, each with its leg.
    private func branches(_ world: CallWorld) -> [(id: String, branch: Int)] {
        world.ringing.sorted().map { key in
            let parts = key.split(separator: "/")
            return (String(parts[0]), Int(parts[1]) ?? 0)
        }
    }

    /// One of several phones that ring says something, or two of them at once.
    private func say(_ world: inout CallWorld, _ random: inout SeededNumbers, _ trail: inout [String]) {
        guard let (id, branch) = branches(world).randomElement(using: &random) else { return }
        let choice = Int.random(in: 0..<14, using: &random)
        trail.append("\(id.suffix(4))/\(branch) says \(choice)")
        switch choice {
        case 0: world.sayRinging(id, branch)
        case 1...3:
            let steps: [UInt32?] = [nil, 0, 1, 1, 2]
            let step = steps[Int.random(in: steps.indices, using: &random)]
            world.sayProgress(id, branch, fork: Int.random(in: 0..<2, using: &random), step: step)
        case 4, 5:
            let fork = Int.random(in: 0..<2, using: &random)
            world.say(.accepted(branch: branch, answer: "answer of \(id)/\(branch)"), code: 200, fork: fork, id, branch)
        case 6: for other in branches(world) where other.id == id { world.answer(id, branch: other.branch) }
        case 7: world.say(.accepted(branch: branch, answer: nil), code: 200, id, branch)
        case 8: world.refuse(id, branch: branch, code: [486, 603, 480, 404].randomElement(using: &random) ?? 480)
        case 9:
            let ways: [[String]] = [["1003"], ["1004", "1003"], ["1005"], []]
            world.say(.targetMoved(branch: branch, code: 302, to: ways.randomElement(using: &random) ?? []), code: 302, id, branch)
        case 10: world.say(.refusedAsShort(branch: branch, minimum: 1_800), code: 422, id, branch)
        case 11: world.refuse(id, branch: branch, code: 488)
        case 12: if Int.random(in: 0..<8, using: &random) == 0 { world.pass(.seconds(61)) }
        default: break
        }
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
        let isRinging = world.forking == nil && world.ringing.contains("\(id)/0")
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
