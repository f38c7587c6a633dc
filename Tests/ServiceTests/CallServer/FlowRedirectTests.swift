import Contracts
import Flow
import Testing

@testable import CallServer

@Suite("Calls: what the API does with them")
struct RedirectTests {
    private static let actions = [Action(id: "e", .echo(.init()))]

    @Test("to another flow: the action ends, its run is told so, whom it called is let go, and the new run's steps go on from there")
    func redirect() throws {
        var (fixture, _) = LegFixture.answered(performing: .play(.init()))
        let before = fixture.leg.performing?.playID
        let effects = fixture.apply(.redirected(flowID: nil, actions: Self.actions))
        #expect(effects.contains { if case .stopPlay(let id) = $0 { id == before } else { false } })
        #expect(effects.contains { if case .leaveRun("run_1", step: 1) = $0 { true } else { false } })
        #expect(effects.contains { if case .startRun = $0 { true } else { false } })
        #expect(effects.published == ["call.redirected"])
        let program = try #require(fixture.leg.program)
        #expect(program.after == 1 && program.runID != nil && fixture.leg.performing == nil)

        // What the former run still says is none of ours.
        let late = fixture.step(2, .play(.init()))
        #expect(fixture.leg.performing == nil && late.plays.isEmpty)
        #expect(late.contains { if case .leaveRun("run_1", step: 2) = $0 { true } else { false } })
        _ = fixture.apply(.step(RunStep(runID: "run_1", step: 2, action: nil, finished: "call_ended")))
        #expect(fixture.leg.phase == .up, "the end of the former run is not the end of the call")

        let runID = try #require(program.runID)
        let begins = fixture.apply(.step(RunStep(runID: runID, step: 2, action: Self.actions[0], finished: nil)))
        #expect(begins.echoes == [true])
        _ = fixture.apply(.redirected(flowID: "flow_2", actions: nil))
        #expect(fixture.leg.program?.runID != runID && fixture.leg.program?.after == 2 && fixture.leg.program?.flowID == "flow_2")
    }

    @Test("one that talks with somebody lets go of the other")
    func connected() throws {
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1003")]
        var (fixture, effects) = LegFixture.answered(performing: .connect(connect))
        let child = try #require(effects.createdChildren.first)
        _ = fixture.apply(.childAnswered(child))
        effects = fixture.apply(.redirected(flowID: nil, actions: Self.actions))
        #expect(effects.toldChildren == [child] && fixture.leg.children.isEmpty && fixture.leg.bridgedChild == nil)
        let after = fixture.apply(.childEnded(child, Leg.Status(code: 200, cause: 16), .completed))
        #expect(after.outcomes.isEmpty && fixture.leg.phase == .up)
    }

    @Test("a call that another made and that is not answered, or one that is over, is not redirected; one that rings somebody begins the new flow when that answers")
    func refused() {
        var child = LegFixture.outbound()
        _ = child.leg.begin(at: child.moment)
        #expect(child.leg.objectionToRedirecting != nil)
        #expect(child.apply(.redirected(flowID: nil, actions: Self.actions)).isEmpty)
        var outbound = LegFixture.outbound(parent: nil, program: .init(flowID: "flow_1", actions: nil))
        _ = outbound.leg.begin(at: outbound.moment)
        let effects = outbound.apply(.redirected(flowID: "flow_2", actions: nil))
        #expect(!effects.contains { if case .startRun = $0 { true } else { false } })
        #expect(outbound.leg.program?.flowID == "flow_2" && outbound.leg.program?.isStarted == false)
        _ = outbound.apply(.hangUp(cause: 16))
        #expect(outbound.leg.objectionToRedirecting != nil)
    }

    @Test("one that was called is sent to another flow: it is a call of its own, in its own room, and for who called it as if it had hung up")
    func called() throws {
        var (world, _, callee) = try CallWorld.talking()
        world.handle(callee, .redirected(flowID: nil, actions: Self.actions))
        world.settle()
        #expect(world.talking == [callee] && world.legs[callee]?.record.parentCallID == nil)
        #expect(world.legs[callee]?.seat.roomID == world.legs[callee]?.ownRoomID && world.members(ofRoomOf: callee) == [callee])
        #expect(world.legs[callee]?.performing != nil)
        world.leave(callee)
        world.settle()
        world.pass(.seconds(10))
        #expect(world.legs.isEmpty && world.rooms.values.allSatisfy(\.isEmpty) && world.broken.isEmpty)
    }

    @Test("muted and held, a leg stays so from room to room, and in a successor's hands")
    func hushed() throws {
        var (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        #expect(fixture.apply(.muteWanted(true)).hushed == [.init(muted: true, deaf: false)])
        let held = fixture.apply(.holdWanted(true))
        #expect(held.hushed == [.init(muted: true, deaf: true)] && held.plays == [[.music]])
        _ = fixture.apply(.moveRequested(roomID: "room_B", instance: "mixer-2", conferenceID: nil))
        fixture.leg = try JSON.roundTrip(fixture.leg)
        #expect(fixture.leg.isHushed && fixture.leg.isHeld == true)
        var there = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_B", instance: "mixer-2", inside: LegFixture.inside))
        // Wanted while it is on its way.
        there += fixture.apply(.muteWanted(false))
        #expect(there.hushed.isEmpty)
        there = fixture.apply(.linked(seat: fixture.leg.seat.number))
        #expect(there.hushed == [.init(muted: true, deaf: true)] && there.plays == [[.music]])
        #expect(fixture.apply(.holdWanted(false)).hushed == [.init(muted: false, deaf: false)])
    }

    @Test("an answer over the API is a 200 when the seat is taken; a play of the API's tells its end by an event and ends no action")
    func answerAndPlay() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        #expect(fixture.apply(.answerWanted).responses.isEmpty)
        #expect(fixture.seatDown().responses == [200])
        _ = fixture.step(1, .sleep(.init()))
        let effects = fixture.apply(.playFinished(playID: "play_1", .completed))
        #expect(effects.published == ["call.play_finished"] && effects.outcomes.isEmpty)
    }

    @Test("recordings of a leg stand in its record, each once")
    func recordings() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.recorded(id: "rec_1"))
        _ = fixture.apply(.recorded(id: "rec_1"))
        _ = fixture.apply(.recordingAnswered(step: 9, Outcome(.completed, variables: ["voipbin.recording.id": "rec_2"])))
        _ = fixture.apply(.recordingAnswered(step: 9, Outcome(.failed, variables: ["voipbin.recording.id": "rec_3"])))
        #expect(fixture.leg.record.recordingIDs == ["rec_1", "rec_2"])
    }

    @Test("a record that nobody goes on with ends as far as it came", arguments: [true, false])
    func lost(wasAnswered: Bool) {
        var call = LegFixture.inbound().leg.record
        call.answeredAt = wasAnswered ? Timestamp(milliseconds: 1_800_000_010_000) : nil
        let ended = LostRecords.ended(call, at: Timestamp(milliseconds: 1_800_000_005_000))
        #expect(ended.status == (wasAnswered ? .completed : .failed))
        #expect(ended.hangupBy == "platform" && ended.hangupCause == 41 && ended.hangupReason == "server_lost")
        #expect(ended.endedAt == Timestamp(milliseconds: wasAnswered ? 1_800_000_010_000 : 1_800_000_005_000), "never before it was answered")
    }
}
