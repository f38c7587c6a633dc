import Contracts
import Deadlines
import Testing

@testable import CallServer

@Suite("RFC 3891: somebody takes a place in a call while one of its two transfers, or consults somebody") struct ReplacingTests {
    private func third(of world: CallWorld, besides caller: String, _ callee: String) throws -> String {
        try #require(world.legs.keys.first { $0 != caller && $0 != callee })
    }

    /// 1004 takes that leg's place in the call of `first`.
    private func replace(_ leg: String, of first: String, in world: inout CallWorld) -> String {
        let room = world.legs[first]?.seat.roomID ?? ""
        let newcomer = world.call(from: "1004", to: "1002") { joining in
            joining.takesPlaceOf = leg
            joining.wantsAnswer = true
            joining.record.parentCallID = first
            joining.seat.roomID = room
        }
        world.settle()
        return newcomer
    }

    /// What is wrong with a call of those two, who have nobody else.
    private func complaints(of one: String, _ other: String, in world: inout CallWorld) -> [String] {
        var wrong: [String] = []
        for leg in [one, other] {
            if world.legs[leg]?.isHeld == true { wrong.append("\(leg) is held") }
            if world.legs[leg]?.transfer != nil { wrong.append("\(leg) transfers") }
        }
        return wrong + world.complaints(ofTwo: one, other)
    }

    @Test("RFC 3515 §2.4.5: a blind transfer ends with it: nobody is rung for it, who transfers hears so, and the two talk", arguments: [true, false], [true, false])
    func blind(byCaller: Bool, ofCaller: Bool) throws {
        var (world, caller, callee) = try CallWorld.talking()
        let by = byCaller ? caller : callee
        world.handle(by, .referred(Leg.Referral(id: 7, number: "1003")))
        world.settle()
        let third = try third(of: world, besides: caller, callee)
        world.handle(third, .rang(branch: 0))
        world.settle()
        let newcomer = replace(ofCaller ? caller : callee, of: caller, in: &world)
        #expect(world.sent[third]?.last == "CANCEL")
        #expect(world.sent[by]?.filter { $0.hasPrefix("NOTIFY") } == ["NOTIFY 100", "NOTIFY 180", "NOTIFY 480"])
        #expect(world.sent[ofCaller ? caller : callee]?.last == "BYE")
        #expect(complaints(of: ofCaller ? callee : caller, newcomer, in: &world) == [])
    }

    @Test("a consultation ends with it: who was held is heard again, and who was consulted is let go", arguments: [true, false], [true, false])
    func consultation(byCaller: Bool, ofCaller: Bool) throws {
        for isAnswered in [true, false] {
            var (world, caller, callee) = try CallWorld.talking()
            world.handle(caller, .consultWanted(by: byCaller ? caller : callee, number: "1003"))
            world.settle()
            let third = try third(of: world, besides: caller, callee)
            if isAnswered { world.answer(third) }
            world.settle()
            let newcomer = replace(ofCaller ? caller : callee, of: caller, in: &world)
            #expect(world.sent[third]?.last == (isAnswered ? "BYE" : "CANCEL"))
            #expect(world.sent[ofCaller ? caller : callee]?.last == "BYE")
            #expect(complaints(of: ofCaller ? callee : caller, newcomer, in: &world) == [])
        }
    }

    @Test("the call of the new party is picked up elsewhere: who does so is the new party", arguments: [true, false])
    func pickedUp(byCaller: Bool) throws {
        var (world, caller, callee) = try CallWorld.talking()
        let (by, stays) = byCaller ? (caller, callee) : (callee, caller)
        world.handle(by, .referred(Leg.Referral(id: 7, number: "1003")))
        world.settle()
        let third = try third(of: world, besides: caller, callee)
        let newcomer = replace(third, of: caller, in: &world)
        #expect(world.sent[third]?.last == "CANCEL")
        #expect(world.sent[by]?.suffix(3) == ["NOTIFY 100", "NOTIFY 200", "BYE"])
        #expect(complaints(of: stays, newcomer, in: &world) == [])
    }
}
