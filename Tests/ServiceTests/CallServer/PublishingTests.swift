import Contracts
import Flow
import Testing

@testable import CallServer

/// Events are written behind the calls; what is not written yet stands in the leg's snapshot.
@Suite("Events that a successor tells of (DESIGN §5)")
struct PublishingTests {
    private struct Told: Equatable {
        var type: String
        var sequence: Int64
        var status: Call.Status
        var isAnswered: Bool
    }

    private func told(_ effects: [LegEffect]) -> [Told] {
        effects.compactMap {
            guard case .publish(let type, let record, let sequence, _, _) = $0 else { return nil }
            return Told(type: type, sequence: sequence, status: record.status, isAnswered: record.answeredAt != nil)
        }
    }

    @Test("those that are not known to be written, by the same numbers and as the call was then; the next has the next number")
    func again() throws {
        var (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        let last = fixture.leg.sequence
        #expect(fixture.leg.untold?.map(\.sequence) == Array(1...last))
        fixture.leg = try JSON.roundTrip(fixture.leg)
        let again = told(fixture.leg.resume(offer: nil, at: fixture.moment))
        #expect(again.map(\.sequence) == Array(1...last))
        #expect(again.first == Told(type: "call.created", sequence: 1, status: .queued, isAnswered: false))
        #expect(again.last == Told(type: "call.answered", sequence: last, status: .inProgress, isAnswered: true))
        fixture.leg.told(upTo: last)
        #expect(fixture.leg.untold == nil)
        _ = fixture.apply(.digit("7"))
        #expect(fixture.leg.untold?.map(\.sequence) == [last + 1])
        let rest = told(fixture.leg.resume(offer: nil, at: fixture.moment))
        #expect(rest.map(\.type) == ["call.digits"])
    }

    @Test("of a leg that nobody has heard of for long only so many")
    func bounded() {
        var (fixture, _) = LegFixture.answered(performing: .echo(.init()))
        for _ in 0..<400 { _ = fixture.apply(.digit("1")) }
        #expect(fixture.leg.untold?.count == 200 && fixture.leg.sequence > 400)
    }
}
