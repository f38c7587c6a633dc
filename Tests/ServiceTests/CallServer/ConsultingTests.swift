import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("Attended transfers of the API") struct ConsultingTests {
    /// 1001 talks with 1002; one of them consults 1003.
    private func consulting(byCaller: Bool) throws -> (CallWorld, first: String, by: String, stays: String, third: String) {
        var (world, caller, callee) = try CallWorld.talking()
        let (by, stays) = byCaller ? (caller, callee) : (callee, caller)
        #expect(world.legs[caller]?.objectionToConsulting(by) == nil)
        world.handle(caller, .consultWanted(by: by, number: "1003"))
        world.settle()
        let third = try #require(world.legs.keys.first { $0 != caller && $0 != callee })
        #expect(world.legs[third]?.record.from == (byCaller ? "1001" : "1002") && world.legs[third]?.record.to == "1003")
        #expect(world.sent[by]?.last == "hears ringing" && world.sent[stays]?.last == "held")
        #expect(world.legs[caller]?.objectionToConsulting(by) != nil, "one at a time")
        return (world, caller, by, stays, third)
    }

    private func ends(_ world: inout CallWorld, _ last: String) {
        world.leave(last)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.talking.isEmpty && world.rooms.values.allSatisfy(\.isEmpty) && world.broken.isEmpty)
    }

    @Test("completed: the two who are left talk, and nobody is held", arguments: [true, false])
    func completed(byCaller: Bool) throws {
        var (world, first, by, stays, third) = try consulting(byCaller: byCaller)
        world.handle(first, .consultationOver(completes: true))
        #expect(world.legs[first]?.transfer?.consultation == .ringing, "not before somebody is there")
        world.answer(third)
        world.settle()
        #expect(world.talking == [by, stays, third] && world.legs[stays]?.isHeld == true)
        world.handle(first, .consultationOver(completes: true))
        world.settle()
        #expect(world.talking == [stays, third] && world.sent[by]?.last == "BYE" && world.sent[stays]?.last == "heard")
        #expect(world.members(ofRoomOf: stays) == [stays, third] && world.legs[stays]?.isHeld == false)
        ends(&world, stays)
    }

    @Test("canceled, refused, or the third hangs up: the two talk on", arguments: [true, false], [0, 1, 2])
    func canceled(byCaller: Bool, how: Int) throws {
        var (world, first, by, stays, third) = try consulting(byCaller: byCaller)
        if how == 1 { world.refuse(third, code: 486) } else { world.answer(third) }
        world.settle()
        if how == 0 { world.handle(first, .consultationOver(completes: false)) }
        if how == 2 { world.leave(third) }
        world.settle()
        #expect(world.talking == [by, stays] && world.legs[stays]?.isHeld == false && world.legs[first]?.transfer == nil)
        world.pass(.seconds(6))
        #expect(world.legs[third] == nil && world.members(ofRoomOf: stays) == [by, stays])
        // And somebody else.
        world.handle(first, .consultWanted(by: stays, number: "1004"))
        world.settle()
        #expect(world.legs.values.contains { $0.record.to == "1004" })
        world.handle(first, .consultationOver(completes: false))
        world.settle()
        ends(&world, by)
    }

    @Test("who consults hangs up: that completes the transfer, now or when the third answers", arguments: [true, false], [true, false])
    func leaves(byCaller: Bool, early: Bool) throws {
        var (world, _, by, stays, third) = try consulting(byCaller: byCaller)
        if !early { world.answer(third) }
        world.settle()
        world.leave(by)
        world.settle()
        #expect(world.legs[stays]?.isHeld == false)
        if early { world.answer(third) }
        world.settle()
        #expect(world.talking == [stays, third] && world.members(ofRoomOf: stays) == [stays, third])
        ends(&world, third)
    }

    @Test("who is held hangs up: the third is let go", arguments: [true, false])
    func heldLeaves(byCaller: Bool) throws {
        var (world, _, _, stays, third) = try consulting(byCaller: byCaller)
        world.answer(third)
        world.settle()
        ends(&world, stays)
    }
}

@Suite("Questions of the API") struct AskingTests {
    private func asking(_ change: (inout Gather) -> Void = { _ in }) -> (LegFixture, [LegEffect]) {
        var (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        var option = Gather()
        (option.text, option.length) = ("Which?", 2)
        change(&option)
        let effects = fixture.apply(.askWanted(id: "gather_1", Action(id: "ask", .gather(option))))
        return (fixture, effects)
    }

    private func told(_ effects: [LegEffect]) -> JSONValue? {
        effects.lazy.compactMap { if case .publish("call.gathered", _, _, _, let details) = $0 { details["gather"] } else { nil } }.first
    }

    @Test("keys are an answer, told by an event; the flow's action goes on and hears of none of them")
    func keys() {
        var (fixture, effects) = asking()
        #expect(effects.plays.count == 1 && fixture.leg.objectionToAsking != nil)
        _ = fixture.apply(.digit("4"))
        effects = fixture.apply(.digit("7"))
        #expect(told(effects)?["digits"] == "47" && told(effects)?["result"] == "completed" && told(effects)?["id"] == "gather_1")
        #expect(effects.outcomes.isEmpty && fixture.leg.digits.isEmpty && fixture.leg.performing != nil && fixture.leg.objectionToAsking == nil)
        _ = fixture.apply(.digit("1"))
        #expect(fixture.leg.digits == "1", "the next is the flow's again")
    }

    @Test("who is to be told by webhook is named by the event, also when a successor publishes it")
    func webhook() throws {
        var (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        var option = Gather()
        option.length = 1
        _ = fixture.apply(.askWanted(id: "gather_1", Action(id: "ask", .gather(option)), webhook: "https://example.com/hook"))
        fixture.leg = try JSON.roundTrip(fixture.leg)
        #expect(told(fixture.apply(.digit("4")))?["webhook_url"] == "https://example.com/hook")
        let (other, _) = asking()
        #expect(other.leg.asking?.webhook == nil)
    }

    @Test("silence, a prompt that ends, a successor, and the end of the call each have their result")
    func without() throws {
        var (fixture, _) = asking { ($0.attempts, $0.timeout) = (1, 3_000) }
        fixture.leg = try JSON.roundTrip(fixture.leg)
        _ = fixture.apply(.playFinished(playID: "gather_1/1", .completed))
        #expect(told(fixture.pass(.seconds(3)))?["code"] == "no_input")
        (fixture, _) = asking()
        #expect(told(fixture.apply(.byed))?["code"] == "call_ended")
        (fixture, _) = asking()
        #expect(told(fixture.apply(.redirected(flowID: "flow_2", actions: nil)))?["code"] == "interrupted")
    }
}
