import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("Two calls meet: one waits with music, the other comes") struct CallMeetingTests {
    private let place = CallPlace(callID: "call_P", roomID: "room_P", instance: "mixer-2", participantID: "part_P")

    private func waiting() -> LegFixture {
        var option = Hold()
        (option.lot, option.slot, option.timeout) = ("main", "5", 30_000)
        let (fixture, effects) = LegFixture.answered(performing: .hold(option))
        #expect(effects.plays == [[.music]] && effects.published.last == "call.parked")
        return fixture
    }

    @Test("The music ends when the other is there; both flows go on when it has left; only one comes")
    func waits() {
        var fixture = waiting()
        #expect(fixture.leg.objectionToMeeting("call_R") == nil)
        _ = fixture.apply(.peerCame("call_R", .coming))
        #expect(fixture.leg.objectionToMeeting("call_R") == nil && fixture.leg.objectionToMeeting("call_X") != nil)
        #expect(fixture.apply(.peerCame("call_X", .arrived)).isEmpty)
        let effects = fixture.apply(.peerCame("call_R", .arrived))
        #expect(effects.published == ["call.retrieved"] && effects.outcomes.isEmpty)
        #expect(fixture.apply(.peerCame("call_R", .arrived)).isEmpty, "told twice")
        #expect(fixture.pass(.seconds(100)).outcomes.isEmpty, "they talk as long as they like")
        let end = fixture.apply(.peerCame("call_R", .left))
        #expect(end.outcomes.map(\.result) == [.completed] && end.outcomes.first?.data?["call_id"] == "call_R")
        #expect(end.told.isEmpty, "it knows")
    }

    @Test("One that does not arrive leaves the other waiting; the time is up; the end of the call is told")
    func ends() {
        var fixture = waiting()
        _ = fixture.apply(.peerCame("call_R", .coming))
        _ = fixture.apply(.peerCame("call_R", .left))
        #expect(fixture.leg.objectionToMeeting("call_X") == nil)
        #expect(fixture.pass(.seconds(31)).outcomes.map(\.result) == [.noAnswer])
        fixture = waiting()
        _ = fixture.apply(.peerCame("call_R", .coming))
        _ = fixture.apply(.peerCame("call_R", .arrived))
        let effects = fixture.apply(.byed)
        #expect(effects.told == ["call_R left"] && effects.outcomes.map(\.result) == [.callEnded])
    }

    @Test("Who comes takes the seat, tells that it is there, and goes back to its own room in the end")
    func comes() {
        var option = Meet()
        option.callID = "call_P"
        var (fixture, effects) = LegFixture.answered(performing: .meet(option))
        let own = fixture.leg.ownRoomID
        #expect(effects.asks == ["call_P"])
        effects = fixture.apply(.peerFound(step: 1, place))
        #expect(effects.joined.map(\.roomID) == ["room_P"])
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_P", instance: "mixer-2", inside: LegFixture.inside))
        #expect(fixture.apply(.linked(seat: fixture.leg.seat.number)).told == ["call_P arrived"])
        #expect(fixture.pass(.seconds(100)).outcomes.isEmpty)
        effects = fixture.apply(.peerCame("call_P", .left))
        #expect(effects.outcomes.map(\.result) == [.completed] && effects.joined.map(\.roomID) == [own] && effects.told.isEmpty)
    }

    @Test("The call is gone, or never answers; hanging up tells it")
    func fails() {
        var option = Meet()
        option.callID = "call_P"
        var (fixture, _) = LegFixture.answered(performing: .meet(option))
        let missed = fixture.apply(.peerMissed(step: 1, RPCError(.conflict, "the call does not wait")))
        #expect(missed.outcomes.map(\.code) == ["conflict"] && missed.told.isEmpty)
        (fixture, _) = LegFixture.answered(performing: .meet(option))
        let late = fixture.pass(.seconds(11))
        #expect(late.outcomes.map(\.code) == ["timeout"] && late.told == ["call_P left"])
        (fixture, _) = LegFixture.answered(performing: .meet(option))
        _ = fixture.apply(.peerFound(step: 1, place))
        #expect(fixture.apply(.byed).told == ["call_P left"])
    }
}

extension [LegEffect] {
    fileprivate var told: [String] { compactMap { if case .tellPeer(let peer, let change) = $0 { "\(peer) \(change.rawValue)" } else { nil } } }
    fileprivate var asks: [String] { compactMap { if case .askPeer(let peer, _) = $0 { peer } else { nil } } }
}
