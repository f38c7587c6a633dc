import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("record: a recording that the flow waits for") struct RecordActionTests {
    private func begun(_ change: (inout Flow.Record) -> Void = { _ in }) -> LegFixture {
        var option = Flow.Record()
        option.beep = false
        change(&option)
        var (fixture, effects) = LegFixture.answered(performing: .record(option))
        #expect(effects.starts.count == 1)
        effects = fixture.apply(.recordingAnswered(step: 1, .completed))
        #expect(effects.outcomes.isEmpty, "the flow waits")
        return fixture
    }

    @Test("The tone first; a key ends it, and is heard of no more; the length is told")
    func key() {
        var (fixture, effects) = LegFixture.answered(performing: .record(Flow.Record()))
        #expect(effects.plays.count == 1 && effects.starts.isEmpty)
        effects = fixture.apply(.playFinished(playID: fixture.leg.performing?.playID ?? "", .completed))
        #expect(effects.starts.count == 1)
        _ = fixture.apply(.recordingAnswered(step: 1, .completed))
        _ = fixture.pass(.milliseconds(1500))
        effects = fixture.apply(.digit("#"))
        #expect(effects.stops.count == 1 && effects.outcomes.isEmpty)
        #expect(fixture.apply(.digit("5")).stops.isEmpty)
        let outcome = fixture.apply(.recordingAnswered(step: 1, .completed)).outcomes.first
        #expect(outcome?.result == .completed)
        #expect(outcome?.data?["milliseconds"] == 1500 && outcome?.data?["ended"] == "key")
        #expect(outcome?.data?["recording_id"]?.string == effects.stops.first)
        #expect(fixture.leg.digits == "5", "what came after the key is for the next")
    }

    @Test("Silence ends it, and the time does, also of a room that no longer answers")
    func silence() {
        var fixture = begun { $0.endOfSilence = 3 }
        #expect(fixture.leg.hearing?.watches.map(\.silence) == [3000])
        #expect(fixture.apply(.heard(watchID: "record", .silence(milliseconds: 3000))).stops.count == 1)
        #expect(fixture.leg.hearing?.watches.isEmpty == true)
        #expect(fixture.pass(.seconds(6)).outcomes.first?.data?["ended"] == "silence")
        fixture = begun { $0.duration = 20 }
        #expect(fixture.pass(.seconds(21)).stops.count == 1)
        #expect(fixture.apply(.recordingAnswered(step: 1, .completed)).outcomes.first?.data?["ended"] == "duration")
    }

    @Test("The caller hangs up: the run is told which recording was made; of one that had not begun, nothing")
    func hangsUp() {
        var fixture = begun()
        _ = fixture.pass(.seconds(4))
        let outcome = fixture.apply(.byed).outcomes.first
        #expect(outcome?.result == .callEnded && outcome?.data?["milliseconds"] == 4000)
        var (early, _) = LegFixture.answered(performing: .record(Flow.Record()))
        #expect(early.apply(.byed).outcomes.first == .callEnded)
    }

    @Test("A room that does not record, or does not answer")
    func refused() {
        var option = Flow.Record()
        option.beep = false
        var (fixture, _) = LegFixture.answered(performing: .record(option))
        #expect(fixture.apply(.recordingAnswered(step: 1, .failed("exhausted"))).outcomes.map(\.code) == ["exhausted"])
        (fixture, _) = LegFixture.answered(performing: .record(option))
        #expect(fixture.pass(.seconds(6)).outcomes.map(\.code) == ["timeout"])
    }
}

extension [LegEffect] {
    fileprivate var starts: [String] { compactMap { if case .startRecording(let id, _, _) = $0 { id } else { nil } } }
    fileprivate var stops: [String] { compactMap { if case .stopRecording(let id, _) = $0 { id } else { nil } } }
}
