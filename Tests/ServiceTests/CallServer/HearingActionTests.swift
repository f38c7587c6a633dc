import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite("A leg and what is heard of its phone") struct HearingActionTests {
    private static func machine(_ milliseconds: Int = 2000) -> LegEvent {
        .heard(watchID: "amd", .answerer(.machine, reason: "long_greeting", milliseconds: milliseconds))
    }

    @Test("amd: the room is asked, the verdict is told and lands in the flow's variables")
    func machineContinues() {
        var (fixture, effects) = LegFixture.answered(performing: .amd(AMD()))
        #expect(effects.watches.map(\.id) == ["amd"] && effects.watches[0].machine != nil)
        let heard = fixture.apply(Self.machine())
        #expect(heard.published == ["call.amd_finished", "call.machine_detected"])
        #expect(heard.stoppedWatches == ["amd"])
        #expect(heard.outcomes.map(\.variables) == [[
            "voipbin.call.amd.result": "machine", "voipbin.call.amd.reason": "long_greeting", "voipbin.call.amd.milliseconds": "2000",
        ]])
        #expect(fixture.apply(Self.machine()).isEmpty, "a verdict that comes again is nobody's")
    }

    @Test("machine_handle hangup ends the call with a machine, and not with a person")
    func hangup() {
        var option = AMD()
        option.machineHandle = .hangup
        var (fixture, _) = LegFixture.answered(performing: .amd(option))
        #expect(fixture.apply(Self.machine()).hasBye)
        var (person, _) = LegFixture.answered(performing: .amd(option))
        let heard = person.apply(.heard(watchID: "amd", .answerer(.human, reason: "short_greeting", milliseconds: 1500)))
        #expect(!heard.hasBye && heard.published == ["call.amd_finished"] && heard.outcomes.count == 1)
    }

    @Test("detect_beep waits for the beep behind the verdict, and for no more than its time")
    func beep() {
        var option = AMD()
        option.detectBeep = true
        var (fixture, effects) = LegFixture.answered(performing: .amd(option))
        #expect(effects.watches.first?.beep == true)
        #expect(fixture.apply(Self.machine()).outcomes.isEmpty)
        let heard = fixture.apply(.heard(watchID: "amd", .beep(frequency: 1000, milliseconds: 400)))
        #expect(heard.published == ["call.beep_detected"])
        #expect(heard.outcomes.first?.variables?["voipbin.call.amd.beep"] == "true")
        var (silent, _) = LegFixture.answered(performing: .amd(option))
        _ = silent.apply(Self.machine())
        #expect(silent.pass(.seconds(31)).outcomes.isEmpty)
        #expect(silent.pass(.seconds(2)).outcomes.first?.variables?["voipbin.call.amd.result"] == "machine")
    }

    @Test("async: the flow goes on at once, and the next action's outcome brings the result")
    func async() {
        var option = AMD()
        option.async = true
        var (fixture, effects) = LegFixture.answered(performing: .amd(option))
        #expect(effects.outcomes == [.completed])
        _ = fixture.step(2, .digitsReceive(DigitsReceive()))
        #expect(fixture.apply(Self.machine()).outcomes.isEmpty)
        let outcome = fixture.apply(.digit("5")).outcomes.first
        #expect(outcome?.digits == "5" && outcome?.variables?["voipbin.call.amd.result"] == "machine")
    }

    @Test("a verdict that is never told does not hold the flow; it is notsure")
    func lost() {
        var (fixture, _) = LegFixture.answered(performing: .amd(AMD()))
        let outcome = fixture.pass(.seconds(33)).outcomes.first
        #expect(outcome?.variables?["voipbin.call.amd.result"] == "notsure" && outcome?.variables?["voipbin.call.amd.reason"] == "timeout")
    }

    @Test("listen_start and the API ask for the same; another room is asked again; listen_stop ends it")
    func listening() {
        var option = ListenStart()
        (option.events, option.silence) = (["speech", "fax"], 700)
        var (fixture, effects) = LegFixture.answered(performing: .listenStart(option))
        #expect(effects.watches == [Watch(id: "listen", speech: true, fax: true)])
        #expect(effects.outcomes.isEmpty, "the room has not said that it listens")
        #expect(fixture.apply(.listening(watchID: "listen")).outcomes == [.completed])
        #expect(fixture.apply(.heard(watchID: "listen", .speechStarted)).published == ["call.speech_started"])
        #expect(fixture.apply(.heard(watchID: "listen", .fax(.calling))).published == ["call.fax_detected"])
        var join = ConferenceJoin()
        join.conferenceID = "conf_1"
        _ = fixture.step(2, .conferenceJoin(join))
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_C", instance: "mixer-2", inside: LegFixture.inside))
        #expect(fixture.apply(.linked(seat: fixture.leg.seat.number)).watches.map(\.id) == ["listen"])
        #expect(fixture.apply(.listenWanted(Watch(id: "", silence: 400))).watches == [Watch(id: "listen", silence: 400)])
        #expect(fixture.apply(.listenWanted(nil)).stoppedWatches == ["listen"])
        #expect(fixture.apply(.heard(watchID: "listen", .speechStarted)).isEmpty, "told after it was asked to stop")
    }
}

extension [LegEffect] {
    var watches: [Watch] { compactMap { if case .listen(let watch) = $0 { watch } else { nil } } }
    var stoppedWatches: [String] { compactMap { if case .stopListening(let id) = $0 { id } else { nil } } }
}
