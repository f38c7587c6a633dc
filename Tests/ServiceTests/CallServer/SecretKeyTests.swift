import Contracts
import Flow
import JSONCoding
import Testing

@testable import CallServer

@Suite("Secret questions are told to the room") struct SecretKeyTests {
    private var secret: Action.Kind {
        var option = Gather()
        (option.text, option.keys, option.length) = ("Your PIN?", .hidden, 4)
        return .gather(option)
    }

    @Test("before anybody hears the question, and when the next action has come")
    func told() throws {
        var (fixture, effects) = LegFixture.answered(performing: secret)
        let places = effects.indices.filter { if case .hideKeys(true) = effects[$0] { true } else { false } }
        let play = try #require(effects.firstIndex { if case .play = $0 { true } else { false } })
        let place = try #require(places.first)
        #expect(places.count == 1 && place < play)
        for digit in "471" { #expect(fixture.apply(.digit(String(digit))).hidings.isEmpty) }
        #expect(fixture.apply(.digit("1")).hidings.isEmpty, "what is pressed before the next action is still its own")
        #expect(fixture.step(2, secret).hidings.isEmpty && fixture.leg.hidesKeys == true)
        #expect(fixture.step(3, .sleep(Sleep())).hidings == [false] && fixture.leg.hidesKeys == nil)
    }

    @Test("the room it comes to next is told too, by a successor as well; at the end nobody is told anything more")
    func rooms() throws {
        let (fixture, _) = LegFixture.answered(performing: secret)
        var next = LegFixture(leg: try JSONText.decode(Leg.self, from: JSONText.encode(fixture.leg)), moment: fixture.moment)
        _ = next.apply(.seatLost(at: "mixer-1", successor: "mixer-2"))
        _ = next.apply(.joined(seat: next.leg.seat.number, roomID: next.leg.seat.roomID, instance: "mixer-2", inside: LegFixture.inside))
        #expect(next.apply(.linked(seat: next.leg.seat.number)).hidings == [true])
        #expect(next.apply(.byed).hidings.isEmpty)
    }
}

extension [LegEffect] {
    fileprivate var hidings: [Bool] { compactMap { if case .hideKeys(let hides) = $0 { hides } else { nil } } }
}
