import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("What flows ask of a leg: gather, tones, header fields, patience") struct FlowSignalTests {
    private func gather(_ change: (inout Gather) -> Void = { _ in }) -> Action.Kind {
        var option = Gather()
        option.text = "Which one?"
        change(&option)
        return .gather(option)
    }

    private func transcript(_ text: String, isFinal: Bool = true) -> LegEvent {
        .heard(watchID: "gather", .transcript(Transcript(side: .in, text: text, confidence: 0.9, start: 0, end: 1, isFinal: isFinal)))
    }

    @Test("gather: prompt, barge-in by a key, digits, outcome; a key too many stays for the next action")
    func digits() {
        var (fixture, effects) = LegFixture.answered(performing: gather { $0.length = 2 })
        #expect(effects.plays == [[.speech(text: "Which one?", language: nil)]])
        let first = fixture.apply(.digit("1"))
        #expect(first.stoppedPlays.count == 1)
        #expect(first.outcomes.isEmpty)
        #expect(fixture.apply(.digit("2")).outcomes.map(\.digits) == ["12"])
        _ = fixture.apply(.digit("3"))
        #expect(fixture.step(2, .digitsReceive(DigitsReceive())).outcomes == [.digits("3")])
    }

    @Test("gather: digits pressed before it began answer it without a question")
    func ahead() {
        var (fixture, _) = LegFixture.answered(performing: .sleep(Sleep()))
        _ = fixture.apply(.digit("7"))
        _ = fixture.pass(.milliseconds(10))
        let effects = fixture.step(2, gather { ($0.length, $0.typedAhead) = (2, "4") })
        #expect(effects.plays.isEmpty)
        #expect(effects.outcomes.map(\.digits) == ["47"])
    }

    @Test("gather: silence asks again with other words, then tells no_input; each prompt has its own name")
    func retries() {
        var (fixture, effects) = LegFixture.answered(performing: gather { ($0.attempts, $0.noInputText) = (2, "Hello?") })
        let name = fixture.leg.performing?.playID ?? ""
        #expect(fixture.apply(.playFinished(playID: name, .completed)).outcomes.isEmpty)
        effects = fixture.pass(.seconds(5))
        #expect(effects.plays == [[.speech(text: "Hello?", language: nil), .speech(text: "Which one?", language: nil)]])
        #expect(fixture.leg.performing?.playID != name)
        #expect(fixture.apply(.playFinished(playID: name, .completed)).isEmpty, "of the first prompt")
        _ = fixture.apply(.playFinished(playID: fixture.leg.performing?.playID ?? "", .completed))
        #expect(fixture.pass(.seconds(5)).outcomes.map(\.code) == ["no_input"])
    }

    @Test("gather: speech has a watch of its own, ends the prompt, tells what is understood, and is listened for no more")
    func speech() {
        var choice = Gather.Choice()
        choice.phrases = ["sales"]
        var (fixture, effects) = LegFixture.answered(performing: gather { ($0.inputs, $0.interim, $0.choices) = (["speech"], true, [choice]) })
        #expect(effects.watches.map(\.id) == ["gather"])
        #expect(effects.watches[0].transcription?.hints == ["sales"])
        #expect(effects.watches[0].transcription?.direction == .in)
        effects = fixture.apply(.heard(watchID: "gather", .speechStarted))
        #expect(effects.stoppedPlays.count == 1)
        #expect(effects.published.isEmpty, "it is no listen_start")
        #expect(fixture.apply(transcript("sa", isFinal: false)).published == ["call.gather_partial"])
        effects = fixture.apply(transcript("the sales, please"))
        #expect(effects.outcomes.first?.data?["choice"] == "sales")
        #expect(effects.stoppedWatches == ["gather"])
        #expect(effects.published.isEmpty, "it is no transcription of the call")
        #expect(fixture.apply(transcript("late")).isEmpty)
    }

    @Test("gather: a leg that is taken over mid-gather goes on where it was")
    func snapshot() throws {
        var (fixture, _) = LegFixture.answered(performing: gather { $0.length = 2 })
        _ = fixture.apply(.digit("1"))
        fixture.leg = try JSON.roundTrip(fixture.leg)
        #expect(fixture.apply(.digit("2")).outcomes.map(\.digits) == ["12"])
    }

    @Test("gather: a recogniser that is not there ends it when nothing but speech is an answer")
    func recogniserFails() {
        var (fixture, _) = LegFixture.answered(performing: gather { $0.inputs = ["speech"] })
        #expect(fixture.apply(.listenFailed(watchID: "gather", RPCError(.unavailable))).outcomes.map(\.code) == ["speech_unavailable"])
        var (both, _) = LegFixture.answered(performing: gather { $0.inputs = ["speech", "digits"] })
        #expect(both.apply(.listenFailed(watchID: "gather", RPCError(.unavailable))).outcomes.isEmpty)
    }

    @Test("play_tone: one period of a named tone, or for as long as it is asked for; a frequency has its length")
    func tones() {
        var tone = PlayTone()
        tone.tone = .busy
        let (_, once) = LegFixture.answered(performing: .playTone(tone))
        #expect(once.plays == [[.signal(name: "busy", country: nil)]])
        #expect(once.loops == [false])
        tone.duration = 2000
        var (fixture, effects) = LegFixture.answered(performing: .playTone(tone))
        #expect(effects.loops == [true])
        effects = fixture.pass(.seconds(2))
        #expect(effects.outcomes == [.completed])
        #expect(effects.stoppedPlays.count == 1)
        var frequency = PlayTone()
        (frequency.frequency, frequency.duration) = (440, 200)
        #expect(LegFixture.answered(performing: .playTone(frequency)).1.plays == [[.tone(frequency: 440, milliseconds: 200)]])
    }

    @Test("set_header: kept for the call and its children, replaced and taken back, never one that breaks a message")
    func headers() {
        var option = SetHeader()
        (option.name, option.value) = ("X-Account", "17")
        var (fixture, effects) = LegFixture.answered(performing: .setHeader(option))
        #expect(effects.outcomes == [.completed])
        option.value = "18"
        #expect(fixture.step(2, .setHeader(option)).outcomes == [.completed])
        #expect(fixture.leg.headers == [.init(name: "X-Account", value: "18")])
        option.value = "a\r\nVia: b"
        #expect(fixture.step(3, .setHeader(option)).outcomes == [.failed("invalid_header")])
        (option.name, option.value) = ("x-account", "")
        effects = fixture.step(4, .setHeader(option))
        #expect(effects.outcomes == [.completed] && fixture.leg.headers == nil)
        (option.name, option.value) = ("Route", "x")
        #expect(fixture.step(5, .setHeader(option)).outcomes == [.failed("invalid_header")])
    }

    @Test("A run that waits for a web server is asked again, with the same outcome, each time as a new question")
    func patience() {
        var (fixture, _) = LegFixture.answered(performing: .sleep(Sleep()))
        #expect(fixture.pass(.milliseconds(1)).outcomes == [.completed])
        let wait = LegEvent.step(RunStep(runID: "run_1", step: 1, action: nil, finished: nil, waiting: 50))
        #expect(fixture.apply(wait).isEmpty)
        let polls = fixture.leg.polls
        #expect(fixture.pass(.milliseconds(50)).outcomes == [.completed])
        #expect(fixture.apply(wait).isEmpty)
        #expect(fixture.leg.polls != polls)
        _ = fixture.step(2, .digitsReceive(DigitsReceive()))
        #expect(fixture.leg.polls.isEmpty && fixture.apply(.digit("1")).outcomes == [.digits("1")])
    }

    @Test("A call that ends while its run waits for its first action tells the run so")
    func endsWhileWaiting() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.apply(.canceled)
        let late = fixture.apply(.step(RunStep(runID: "run_1", step: 0, action: nil, finished: nil, waiting: 50)))
        #expect(late.outcomes == [.callEnded])
    }
}

extension [LegEffect] {
    var stoppedPlays: [String] { compactMap { if case .stopPlay(let id) = $0 { id } else { nil } } }
    var loops: [Bool] { compactMap { if case .play(_, _, let loop, _) = $0 { loop } else { nil } } }
}
