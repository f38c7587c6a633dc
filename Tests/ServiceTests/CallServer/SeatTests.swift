import Contracts
import Flow
import Testing

@testable import CallServer

@Suite("CallServer: a leg goes from room to room, and its room from instance to instance") struct SeatTests {
    private static let there = InsideEndpoint(address: "127.0.0.1:9100", ssrc: 9)

    private func arrive(_ fixture: inout LegFixture, _ room: String, _ instance: String) -> [LegEffect] {
        fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: room, instance: instance, inside: Self.there))
            + fixture.apply(.linked(seat: fixture.leg.seat.number))
    }

    @Test("asked for over the API: the new seat first, then the relay, then the old seat is left; nothing is said to the phone")
    func moved() {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        let asked = fixture.apply(.moveRequested(roomID: "room_B", instance: "mixer-2", conferenceID: nil))
        #expect(asked.joined.map(\.roomID) == ["room_B"] && asked.left.isEmpty && asked.responses.isEmpty)
        let joined = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_B", instance: "mixer-2", inside: Self.there))
        #expect(joined.linkedTo == [Self.there] && joined.left.isEmpty)
        let linked = fixture.apply(.linked(seat: fixture.leg.seat.number))
        #expect(linked.left == ["room_A@mixer-1"] && linked.published == ["call.moved"])
        #expect(fixture.leg.record.roomID == "room_B" && fixture.leg.isTalking)
        #expect(fixture.apply(.byed).left == ["room_B@mixer-2"])
    }

    @Test("a room that cannot be entered leaves the call where it is")
    func refused() {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        _ = fixture.apply(.moveRequested(roomID: "room_B", instance: "mixer-2", conferenceID: nil))
        let refused = fixture.apply(.joinFailed(seat: fixture.leg.seat.number, RPCError(.exhausted)))
        #expect(refused.published == ["call.move_failed"] && refused.left.isEmpty && refused.linkedTo == [LegFixture.inside])
        _ = fixture.apply(.linked(seat: fixture.leg.seat.number))
        #expect(fixture.leg.isTalking && fixture.leg.seat.roomID == "room_A" && fixture.leg.leaving == nil)
    }

    @Test("moved by its flow, into a conference and back: its record says where it is, each time")
    func recordSaysWhere() {
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var (fixture, _) = LegFixture.answered(performing: .answer)
        fixture.leg.seat.roomID = fixture.leg.ownRoomID
        _ = fixture.step(2, .conferenceJoin(option))
        let there = arrive(&fixture, "room_conf", "mixer-1")
        #expect(there.published == ["call.moved"] && there.toldRooms == ["room_conf"])
        _ = fixture.apply(.removedFromRoom(roomID: "room_conf"))
        let back = arrive(&fixture, fixture.leg.ownRoomID, "mixer-1")
        #expect(back.published == ["call.moved"] && back.toldRooms == [fixture.leg.ownRoomID])
    }

    @Test("a room that takes the seat and that its relay cannot speak to is not where the record says it is")
    func linkedInVain() {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        _ = fixture.apply(.moveRequested(roomID: "room_B", instance: "mixer-2", conferenceID: nil))
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_B", instance: "mixer-2", inside: Self.there))
        _ = fixture.apply(.linkFailed(seat: fixture.leg.seat.number, RPCError(.timeout)))
        _ = fixture.apply(.linked(seat: fixture.leg.seat.number))
        #expect(fixture.leg.record.roomID == "room_A" && fixture.leg.seat.roomID == "room_A")
    }

    @Test("a call that ends on its way leaves both places")
    func endsOnTheWay() {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        _ = fixture.apply(.moveRequested(roomID: "room_B", instance: "mixer-2", conferenceID: nil))
        let number = fixture.leg.seat.number
        #expect(fixture.apply(.byed).left == ["room_A@mixer-1"])
        #expect(fixture.apply(.joined(seat: number, roomID: "room_B", instance: "mixer-2", inside: Self.there)).left == ["room_B@mixer-2"])
    }

    @Test("who comes back to the room it is about to leave is not put out of it")
    func thereAndBack() {
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var (fixture, _) = LegFixture.answered(performing: .answer)
        fixture.leg.seat.roomID = fixture.leg.ownRoomID
        #expect(fixture.step(2, .conferenceJoin(option)).joined.count == 1)
        // Its conference is not entered yet when the flow goes on.
        _ = fixture.apply(.removedFromRoom(roomID: "room_conf"))
        #expect(arrive(&fixture, fixture.leg.seat.roomID, "mixer-1").left.isEmpty)
        #expect(fixture.leg.isTalking)
    }

    @Test("the instance is gone: the seat is taken with another, the relay speaks to it, and the prompt is asked for again")
    func lost() {
        var talk = Talk()
        talk.text = "hello"
        var (fixture, _) = LegFixture.answered(performing: .talk(talk))
        let lost = fixture.apply(.seatLost(at: "mixer-1", successor: "mixer-2"))
        #expect(lost.joined.map(\.resumes) == ["mixer-1"] && lost.joined.map(\.instance) == ["mixer-2"] && lost.left.isEmpty)
        #expect(fixture.apply(.seatLost(at: "mixer-1", successor: "mixer-2")).isEmpty, "it is on its way")
        let back = arrive(&fixture, "room_A", "mixer-2")
        #expect(back.linkedTo == [Self.there] && back.plays == [[.speech(text: "hello", language: nil)]])
        #expect(fixture.leg.placement.mixer == "mixer-2" && fixture.leg.phase == .up)
    }

    @Test("while nobody has the room it is asked for again and again; the successor may die as well")
    func lostTwice() {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        _ = fixture.apply(.seatLost(at: "mixer-1", successor: "mixer-2"))
        for _ in 0..<3 {
            #expect(fixture.apply(.joinFailed(seat: fixture.leg.seat.number, RPCError(.unavailable))).isEmpty)
            #expect(fixture.pass(.milliseconds(300)).joined.map(\.instance) == ["mixer-2"])
        }
        let again = fixture.apply(.seatLost(at: "mixer-2", successor: "mixer-3"))
        #expect(again.joined.map(\.resumes) == ["mixer-2"])
        #expect(arrive(&fixture, "room_A", "mixer-3").linkedTo == [Self.there])
        #expect(fixture.leg.isTalking)
    }
}
