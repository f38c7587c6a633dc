import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("What flows ask of a leg in one word: mute, stops, an echo, a header of the way") struct PlainActionTests {
    @Test("mute: nobody hears the caller any more, it hears on, and the flow goes on at once")
    func mute() {
        var (fixture, effects) = LegFixture.answered(performing: .mute)
        #expect(effects.hushed == [.init(muted: true, deaf: false)] && effects.outcomes == [.completed])
        #expect(fixture.step(2, .beep).plays.count == 1)
    }

    @Test("transcribe_stop: the room listens no more, the end is told as an event, the flow goes on at once; without a transcription, too")
    func transcribeStop() {
        var (fixture, effects) = LegFixture.answered(performing: .transcribeStart(TranscribeStart()))
        _ = fixture.apply(.listening(watchID: "transcribe"))
        effects = fixture.step(2, .transcribeStop)
        #expect(effects.stoppedWatches == ["transcribe"] && effects.published == ["transcript.ended"] && effects.outcomes == [.completed])
        #expect(fixture.leg.hearing?.watches.isEmpty == true)
        effects = fixture.step(3, .transcribeStop)
        #expect(effects.stoppedWatches.isEmpty && effects.published.isEmpty && effects.outcomes == [.completed])
        #expect(fixture.step(4, .beep).plays.count == 1)
    }

    @Test("recording_stop: whoever records is asked, and the flow has the answer; that to another step is none", arguments: [
        Outcome.completed, .failed("unavailable"),
    ])
    func recordingStop(answer: Outcome) {
        var (fixture, effects) = LegFixture.answered(performing: .answer)
        effects = fixture.step(2, .recordingStop)
        #expect(effects.stoppedRecordings == [2] && effects.outcomes.isEmpty)
        #expect(fixture.apply(.recordingAnswered(step: 1, answer)).outcomes.isEmpty)
        #expect(fixture.apply(.recordingAnswered(step: 2, answer)).outcomes == [answer])
        #expect(fixture.step(3, .beep).plays.count == 1)
    }

    @Test("stream_echo: the caller hears itself for its time, then no more, and the flow goes on")
    func streamEcho() {
        var option = Echo()
        option.duration = 2_000
        var (fixture, effects) = LegFixture.answered(performing: .streamEcho(option))
        #expect(effects.echoes == [true] && effects.outcomes.isEmpty)
        #expect(fixture.pass(.milliseconds(1_999)).echoes.isEmpty)
        effects = fixture.pass(.milliseconds(2))
        #expect(effects.echoes == [false] && effects.outcomes == [.completed])
        #expect(fixture.step(2, .beep).plays.count == 1)
    }

    @Test("set_header: which way the call has come is told to those who are called, and not to the caller")
    func headersOfTheWay() {
        var option = SetHeader()
        (option.name, option.value) = ("Diversion", "<sip:1003@demo.localhost>;reason=unconditional")
        var (fixture, effects) = LegFixture.answered(performing: .setHeader(option))
        #expect(effects.outcomes == [.completed])
        (option.name, option.value) = ("X-Account", "17")
        _ = fixture.step(2, .setHeader(option))
        #expect(fixture.leg.headers?.map(\.name) == ["Diversion", "X-Account"])
        #expect(fixture.leg.headersForCaller == [.init(name: "X-Account", value: "17")])
    }
}

extension [LegEffect] {
    fileprivate var stoppedRecordings: [Int] { compactMap { if case .stopRecordings(let step) = $0 { step } else { nil } } }
}
