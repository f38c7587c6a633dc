import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

/// The process that has the call dies between any two things it does, once for each of them; then another goes on.
@Suite("RELIABILITY K2, §4.4: a transfer whose call server dies at any step of it") struct TransferDeathTests {
    /// 1001 talks with 1002; from here on the call server may die.
    private func talking(writesFirst: Bool) throws -> (CallWorld, caller: String, callee: String) {
        var (world, caller, callee) = try CallWorld.talking()
        world.makeMortal(writesFirst: writesFirst)
        return (world, caller, callee)
    }

    @Test(
        "RFC 5589 §6: it is accepted, the new party rings once, talks with who stays and nobody else, and who transfers is gone",
        arguments: [true, false], [true, false])
    func blind(byCaller: Bool, writesFirst: Bool) throws {
        let (world, caller, callee) = try talking(writesFirst: writesFirst)
        let (by, stays) = byCaller ? (caller, callee) : (callee, caller)
        try Deaths(of: world, first: caller).each([
            { $0.refer(by, to: "1003") },
            { world in if let third = world.phone("1003") { world.handle(third, .rang(branch: 0)) } },
            { world in if let third = world.phone("1003") { world.answer(third) } },
        ]) { world in
            guard let third = world.phone("1003") else { return ["nobody rings"] }
            var wrong: [String] = []
            if world.sent[by]?.filter({ $0.hasPrefix("REFER") }) != ["REFER 202"] { wrong.append("not accepted") }
            if world.sent[third]?.filter({ $0 == "INVITE" }).count != 1 { wrong.append("not one ring") }
            if world.sent[by]?.contains("NOTIFY 200") != true { wrong.append("who transfers is not told") }
            return wrong + world.complaints(ofTwo: stays, third)
        }
    }

    @Test(
        "RFC 5589 §7: attended, whoever called whom: the two who stay talk, and who has brought them together is gone",
        arguments: [true, false], [true, false])
    func attended(byCaller: Bool, otherByCaller: Bool) throws {
        for writesFirst in [true, false] {
            var world = CallWorld()
            let first = world.call(from: byCaller ? "1001" : "1002", to: byCaller ? "1002" : "1001")
            world.settle()
            let firstChild = try #require(world.child(of: first))
            world.answer(firstChild)
            let second = world.call(from: otherByCaller ? "1001" : "1003", to: otherByCaller ? "1003" : "1001")
            world.settle()
            let secondChild = try #require(world.child(of: second))
            world.answer(secondChild)
            world.settle()
            world.makeMortal(writesFirst: writesFirst)
            let (by, stays) = byCaller ? (first, firstChild) : (firstChild, first)
            let (other, partner) = otherByCaller ? (second, secondChild) : (secondChild, second)
            try Deaths(of: world, first: first).each([{ $0.refer(by, to: "1003", replacing: other) }]) { world in
                var wrong: [String] = []
                if world.sent[by]?.filter({ $0.hasPrefix("REFER") }) != ["REFER 202"] { wrong.append("not accepted") }
                if world.sent[by]?.contains("NOTIFY 200") != true { wrong.append("who transfers is not told") }
                if world.sent[by]?.last != "BYE" || world.sent[other]?.last != "BYE" { wrong.append("who transfers is not gone") }
                return wrong + world.complaints(ofTwo: stays, partner)
            }
        }
    }

    @Test("RFC 3911 §4: a phone joins a call that rings or talks: all three talk, and hear nothing else", arguments: [true, false])
    func joins(isUp: Bool) throws {
        for writesFirst in [true, false] {
            var world = CallWorld()
            let caller = world.call(from: "1001", to: "1002")
            world.settle()
            let callee = try #require(world.child(of: caller))
            if isUp { world.answer(callee) }
            world.settle()
            world.makeMortal(writesFirst: writesFirst)
            var newcomer = ""
            try Deaths(of: world, first: caller).each([
                { world in
                    newcomer = world.call(from: "1003", to: "1002") { leg in
                        leg.joins = true
                        leg.wantsAnswer = true
                        leg.record.parentCallID = caller
                        leg.seat.roomID = "room_" + caller.dropFirst(5)
                    }
                },
                { $0.answer(callee) },
            ]) { world in
                // Who has never heard of it calls again.
                if world.sent[newcomer] == nil { return [] }
                let all: Set = [caller, callee, newcomer]
                var wrong = world.broken
                if world.talking != all || world.members(ofRoomOf: caller) != all { wrong.append("talking: \(world.talking), there: \(world.members(ofRoomOf: caller))") }
                if !world.playing.isEmpty { wrong.append("they hear \(world.playing)") }
                world.leave(caller)
                for _ in 0..<4 {
                    world.settle()
                    world.pass(.seconds(10))
                }
                world.settle()
                if !world.talking.isEmpty || !world.legs.isEmpty { wrong.append("left: \(world.talking) \(world.legs.keys)") }
                return wrong
            }
        }
    }

    @Test("RFC 3891: a phone takes another's place, of one that talks or rings", arguments: [true, false], [true, false])
    func replaces(isUp: Bool, ofCaller: Bool) throws {
        guard isUp || !ofCaller else { return }
        for writesFirst in [true, false] {
            var world = CallWorld()
            let caller = world.call(from: "1001", to: "1002")
            world.settle()
            let callee = try #require(world.child(of: caller))
            if isUp { world.answer(callee) }
            world.settle()
            world.makeMortal(writesFirst: writesFirst)
            let (replaced, stays) = ofCaller ? (caller, callee) : (callee, caller)
            var newcomer = ""
            try Deaths(of: world, first: caller).each([{ world in
                newcomer = world.call(from: "1003", to: "1002") { leg in
                    leg.takesPlaceOf = replaced
                    leg.wantsAnswer = true
                    leg.record.parentCallID = caller
                    leg.seat.roomID = "room_" + caller.dropFirst(5)
                }
            }]) { world in
                // Who has never heard of it calls again.
                if world.sent[newcomer] == nil { return [] }
                let goodbye = world.sent[replaced]?.last
                return (goodbye == (isUp ? "BYE" : "CANCEL") ? [] : ["\(replaced) is still there"]) + world.complaints(ofTwo: stays, newcomer)
            }
        }
    }

    @Test("RFC 3891, RFC 3911: one that is on its way into a call when both are taken over is not sent away", arguments: [true, false])
    func onItsWay(replaces: Bool) throws {
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1002")]
        let (first, _) = LegFixture.answered(performing: .connect(connect))
        try #require(first.leg.performing?.isStarted == true)
        var newcomer = LegFixture.inbound().leg
        newcomer.record.id = "call_01HZZZZZZZBBBBBBBBBBBBBBBB"
        newcomer.record.parentCallID = first.leg.record.id
        if replaces { newcomer.takesPlaceOf = "call_01HZZZZZZZCCCCCCCCCCCCCCCC" } else { newcomer.joins = true }
        let steps = newcomer.reunion(with: { $0 == first.leg.record.id ? first.leg : nil }, absence: { _ in nil })
        #expect(steps.isEmpty, "\(steps)")
    }
}

/// A call under every death there can be.
struct Deaths {
    private let world: CallWorld
    private let first: String

    init(of world: CallWorld, first: String) { (self.world, self.first) = (world, first) }

    /// What the phones do, one thing after the other; whoever dies meanwhile has a successor before the next.
    private func play(_ world: inout CallWorld, _ phases: [(inout CallWorld) -> Void]) {
        for phase in phases {
            phase(&world)
            world.settle()
            guard world.isDead else { continue }
            world.succeed(first)
            world.settle()
        }
    }

    /// `check` says what is wrong at the end, and may go on with the world.
    func each(_ phases: [(inout CallWorld) -> Void], check: (inout CallWorld) -> [String]) throws {
        var living = world
        play(&living, phases)
        let steps = try #require(living.mortality?.steps)
        #expect(check(&living) == [])
        #expect(steps > 10)
        for death in 0..<steps {
            var dying = world
            dying.mortality?.stepsLeft = death
            play(&dying, phases)
            let wrong = check(&dying)
            guard !wrong.isEmpty else { continue }
            let last = dying.mortality?.lastStep ?? ""
            Issue.record("death before step \(death) of \(steps), after \(last): \(wrong.joined(separator: "; ")) \(dying.sent)")
            return
        }
    }
}

extension CallWorld {
    /// The leg of a phone that was invited.
    func phone(_ number: String) -> String? {
        finals.keys.map { String($0.split(separator: "/")[0]) }.sorted().first { legs[$0]?.record.to == number }
    }

    /// What is wrong with a call of those two, who then hang up.
    mutating func complaints(ofTwo one: String, _ other: String) -> [String] {
        var wrong = broken
        if talking != [one, other] { wrong.append("talking: \(talking)") }
        if members(ofRoomOf: one) != [one, other] { wrong.append("in the room: \(members(ofRoomOf: one))") }
        if let seat = legs[one]?.seat {
            let room = "\(seat.roomID)@\(seat.instance)"
            if heardIn[one] != room || heardIn[other] != room { wrong.append("they do not hear each other: \(heardIn)") }
        }
        if !playing.isEmpty { wrong.append("they hear \(playing)") }
        for leg in [one, other] where legs[leg]?.phase != .up { wrong.append("\(leg) is not up") }
        leave(other)
        for _ in 0..<4 {
            settle()
            pass(.seconds(10))
        }
        settle()
        if !talking.isEmpty { wrong.append("talking at the end: \(talking)") }
        if !legs.isEmpty { wrong.append("left at the end: \(legs.values.map { "\($0.record.id) \($0.phase)" })") }
        if !rooms.values.allSatisfy(\.isEmpty) { wrong.append("in rooms at the end: \(rooms.filter { !$0.value.isEmpty })") }
        return wrong
    }
}
