import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("CallServer: what the last action came to is told until it is taken") struct ClosingTests {
    /// A caller who hangs up four seconds into a message.
    private func leftMessage() -> (LegFixture, [LegEffect]) {
        var option = Flow.Record()
        option.beep = false
        var (fixture, _) = LegFixture.answered(performing: .record(option))
        _ = fixture.apply(.recordingAnswered(step: 1, .completed))
        _ = fixture.pass(.seconds(4))
        let effects = fixture.apply(.byed)
        return (fixture, effects)
    }

    @Test("FlowManager is away: the record is written all the same, the leg stays until its outcome is taken, and is told it again and again")
    func away() {
        var (fixture, effects) = leftMessage()
        let told = effects.outcomes
        #expect(told.first?.data?["milliseconds"] == 4000)
        #expect(fixture.apply(.stepFailed(RPCError(.unavailable))).isEmpty)
        effects = fixture.apply(.mediaDeleted(nil))
        #expect(effects.published == ["call.ended"] && !effects.isForgotten)
        var asked = 0
        for _ in 0..<60 {
            let again = fixture.pass(.seconds(1)).outcomes
            guard !again.isEmpty else { continue }
            asked += 1
            #expect(again == told)
            #expect(fixture.apply(.stepFailed(RPCError(asked.isMultiple(of: 2) ? .timeout : .unavailable))).isEmpty)
        }
        #expect(asked > 8)
        effects = fixture.runEnds(after: 1)
        #expect(effects.isForgotten && effects.published.isEmpty && fixture.leg.deadlines.isEmpty)
    }

    @Test("who goes on with the leg tells it, and says nothing else again")
    func successor() throws {
        var (fixture, effects) = leftMessage()
        let told = effects.outcomes
        _ = fixture.apply(.mediaDeleted(nil))
        fixture.leg.told(upTo: fixture.leg.sequence)
        var next = fixture
        next.leg = try JSON.roundTrip(fixture.leg)
        next.leg.epoch += 1
        effects = next.leg.resume(offer: nil, at: next.moment)
        #expect(effects.count == 1 && effects.outcomes == told)
        #expect(next.apply(.stepFailed(RPCError(.unavailable))).isEmpty)
        #expect(next.pass(.seconds(1)).outcomes == told)
        #expect(next.runEnds(after: 1).isForgotten)
    }

    @Test("a flow that would go on behind the message hears that the call has ended; one that is not there need not")
    func goesOn() {
        var (fixture, _) = leftMessage()
        _ = fixture.apply(.mediaDeleted(nil))
        #expect(fixture.step(2, .beep).outcomes == [.callEnded])
        #expect(fixture.runEnds(after: 2).isForgotten)
        (fixture, _) = leftMessage()
        _ = fixture.apply(.mediaDeleted(nil))
        #expect(fixture.apply(.stepFailed(RPCError(.notFound))).isForgotten)
        (fixture, _) = leftMessage()
        #expect(!fixture.runEnds(after: 1).isForgotten, "its media is awaited")
        #expect(fixture.apply(.mediaDeleted(nil)).isForgotten)
    }

    @Test("it is given up some time, and the leg with it")
    func forEver() {
        var (fixture, _) = leftMessage()
        fixture.leg.limits.closingRetries = 3
        _ = fixture.apply(.mediaDeleted(nil))
        for _ in 0..<3 {
            #expect(fixture.apply(.stepFailed(RPCError(.unavailable))).isEmpty)
            #expect(fixture.pass(.seconds(6)).outcomes.count == 1)
        }
        #expect(fixture.apply(.stepFailed(RPCError(.unavailable))).isForgotten)
    }

    @Test("a call that is up outlives a minute without FlowManager (RELIABILITY D3)")
    func minute() {
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        var effects = fixture.pass(.seconds(60))
        #expect(effects.outcomes.count == 1)
        var end = fixture.moment.now + .seconds(62)
        while fixture.moment.now < end {
            _ = fixture.apply(.stepFailed(RPCError(.unavailable)))
            effects = fixture.pass(.milliseconds(500))
            #expect(effects.outcomes.count == 1 && fixture.leg.phase == .up)
        }
        #expect(fixture.step(2, .beep).plays.count == 1)
        // But not for ever.
        _ = fixture.apply(.playFinished(playID: fixture.leg.performing?.playID ?? "", .completed))
        end = fixture.moment.now + .seconds(200)
        while fixture.moment.now < end, fixture.leg.phase == .up {
            _ = fixture.apply(.stepFailed(RPCError(.unavailable)))
            _ = fixture.pass(.milliseconds(500))
        }
        #expect(fixture.leg.phase == .ended)
    }
}
