import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("A leg that supervises another call")
struct SupervisingTests {
    private static let place = CallPlace(callID: "call_B", roomID: "room_B", instance: "mixer-2", participantID: "part_B")

    private func supervised(_ mode: Supervision.Mode = .listen) -> LegEvent {
        .supervise(Leg.Supervised(place: Self.place, supervision: Supervision(mode: mode)))
    }

    private func sleeping() -> LegFixture {
        var option = Sleep()
        option.duration = 5_000
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.step(2, .sleep(option))
        return fixture
    }

    @Test("It sits down in the other's room without a SIP message, and its flow waits until it is back")
    func thereAndBack() throws {
        var fixture = sleeping()
        let effects = fixture.apply(supervised())
        #expect(!effects.leavesRoom && effects.responses.isEmpty && effects.invitations.isEmpty)
        #expect(fixture.leg.seat.roomID == "room_B" && fixture.leg.seat.instance == "mixer-2")
        #expect(effects.published == ["call.supervision_changed"])
        let number = fixture.leg.seat.number
        _ = fixture.apply(.joined(seat: number, roomID: "room_B", instance: "mixer-2", inside: LegFixture.inside))
        #expect(fixture.apply(.linked(seat: number)).leavesRoom, "once it is heard there")
        #expect(fixture.leg.record.roomID == "room_B")
        #expect(fixture.pass(.seconds(6)).outcomes.isEmpty)
        #expect(fixture.leg.objectionToSupervising == nil)
        let snapshot = try JSON.roundTrip(fixture.leg)
        #expect(snapshot.heldOutcome == .completed && snapshot.seat == fixture.leg.seat)
        let back = fixture.apply(.removedFromRoom(roomID: "room_B"))
        #expect(back.outcomes == [.completed] && !back.leavesRoom)
        #expect(back.published == ["call.supervision_ended"])
        #expect(fixture.leg.seat.roomID == fixture.leg.ownRoomID && fixture.leg.seat.supervises == nil)
        _ = fixture.apply(
            .joined(seat: fixture.leg.seat.number, roomID: fixture.leg.ownRoomID, instance: fixture.leg.seat.instance, inside: LegFixture.inside))
        #expect(fixture.apply(.linked(seat: fixture.leg.seat.number)).leavesRoom)
    }

    @Test("Another mode in the same room is another join, not a leave")
    func mode() {
        var fixture = sleeping()
        _ = fixture.apply(supervised())
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_B", instance: "mixer-2", inside: LegFixture.inside))
        _ = fixture.apply(.linked(seat: fixture.leg.seat.number))
        let effects = fixture.apply(supervised(.barge))
        #expect(!effects.leavesRoom)
        let joins = effects.compactMap { if case .join(let seat) = $0 { seat.supervises?.supervision.mode } else { nil } }
        #expect(joins == [.barge])
        let ended = fixture.apply(.superviseNoMore)
        #expect(!ended.leavesRoom && ended.outcomes.isEmpty, "its action goes on")
        #expect(fixture.pass(.seconds(6)).outcomes == [.completed])
    }

    @Test("A prompt that is cut off by it counts as heard; a room that is no more lets it go back")
    func prompt() {
        var talk = Talk()
        talk.text = "hello"
        var (fixture, _) = LegFixture.answered(performing: .talk(talk))
        #expect(fixture.apply(supervised()).outcomes.isEmpty)
        let back = fixture.apply(.joinFailed(seat: fixture.leg.seat.number, RPCError(.notFound)))
        #expect(back.outcomes == [.completed])
        #expect(fixture.leg.phase == .up)
        #expect(fixture.leg.seat.roomID == fixture.leg.ownRoomID)
    }

    @Test("Who talks with others, or is not answered, does not supervise")
    func refused() {
        #expect(LegFixture.inbound().leg.objectionToSupervising != nil)
        #expect(LegFixture.outbound(parent: "call_parent").leg.objectionToSupervising != nil)
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var (fixture, _) = LegFixture.answered(performing: .conferenceJoin(option))
        #expect(fixture.leg.objectionToSupervising != nil)
        let room = fixture.leg.seat
        #expect(fixture.apply(supervised()).isEmpty)
        #expect(fixture.leg.seat == room)
    }
}
