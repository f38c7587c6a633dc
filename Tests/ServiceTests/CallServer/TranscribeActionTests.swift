import Contracts
import Flow
import Testing

@testable import CallServer

@Suite("transcribe_start: the flow is told whether anybody writes down what is said") struct TranscribeActionTests {
    @Test("it is done when the room listens, with the id of the transcription")
    func begun() {
        var (fixture, effects) = LegFixture.answered(performing: .transcribeStart(TranscribeStart()))
        #expect(effects.watches.map(\.id) == ["transcribe"] && effects.outcomes.isEmpty)
        let outcome = fixture.apply(.listening(watchID: "transcribe")).outcomes.first
        #expect(outcome?.result == .completed && outcome?.variables?["voipbin.transcribe.id"]?.hasPrefix("trans_") == true)
        #expect(fixture.apply(.listening(watchID: "transcribe")).outcomes.isEmpty, "told twice")
    }

    @Test("it fails with a code that a flow can branch on where no recogniser is set up; the call goes on")
    func refused() {
        var (fixture, _) = LegFixture.answered(performing: .transcribeStart(TranscribeStart()))
        let error = RPCError(.invalid, "no recogniser is set up here", problems: [Problem(pointer: "", code: "provider", detail: "no recogniser is set up here")])
        let effects = fixture.apply(.listenFailed(watchID: "transcribe", error))
        #expect(effects.outcomes.map(\.code) == ["provider"] && effects.published == ["transcript.failed"] && !fixture.leg.isEnded)
    }
}
