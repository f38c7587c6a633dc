import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite struct ActionTests {
    @Test("hangup with another call's id ends the call as that one has ended; one that goes on, or is nobody's, is no reason")
    func copiedCause() {
        var option = Hangup()
        option.referenceID = "call_other"
        for (found, cause) in [(17, 17), (nil, 21)] as [(Int?, Int)] {
            var (fixture, effects) = LegFixture.answered(performing: .hangup(option))
            #expect(!fixture.leg.isEnded && effects.contains { if case .copyCause("call_other") = $0 { true } else { false } })
            effects = fixture.apply(.causeCopied(found))
            #expect(fixture.leg.isEnded && fixture.leg.record.hangupCause == cause)
        }
        option.reason = .busy
        let (fixture, _) = LegFixture.answered(performing: .hangup(option))
        #expect(fixture.leg.isEnded && fixture.leg.record.hangupCause == 17, "its own reason counts")
    }

    @Test("digits_receive ends with the wanted number of digits and keeps the rest for the next action")
    func digitsByLength() {
        var option = DigitsReceive()
        option.length = 2
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(option))
        #expect(fixture.apply(.digit("1")).outcomes.isEmpty)
        #expect(fixture.apply(.digit("2")).outcomes == [.digits("12")])
    }

    @Test("type-ahead: digits pressed during a prompt count for the digits_receive that follows")
    func typeAhead() {
        var talk = Talk()
        talk.text = "hello"
        var (fixture, effects) = LegFixture.answered(performing: .talk(talk))
        #expect(effects.plays == [[.speech(text: "hello", language: nil)]])
        _ = fixture.apply(.digit("5"))
        #expect(fixture.apply(.playFinished(playID: fixture.leg.performing?.playID ?? "", .completed)).outcomes == [.completed])
        #expect(fixture.step(2, .digitsReceive(DigitsReceive())).outcomes == [.digits("5")])
    }

    @Test("a key pressed while the flow is asked for its next step, however long that takes, counts for that step")
    func pressedMeanwhile() {
        var option = DigitsReceive()
        option.length = 1
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(option))
        #expect(fixture.apply(.digit("1")).outcomes == [.digits("1")])
        #expect(fixture.apply(.digit("2")).outcomes.isEmpty)
        #expect(fixture.apply(.stepFailed(RPCError(.unavailable, "away"))).outcomes.isEmpty)
        #expect(fixture.apply(.digit("3")).outcomes.isEmpty)
        #expect(fixture.step(2, .digitsReceive(option)).outcomes == [.digits("2")])
        #expect(fixture.step(3, .digitsReceive(option)).outcomes == [.digits("3")])
    }

    @Test("a digit that ends a prompt is reported with it, so that a branch can follow at once")
    func bargeIn() {
        var talk = Talk()
        talk.text = "hello"
        talk.digitsHandle = .next
        var (fixture, _) = LegFixture.answered(performing: .talk(talk))
        _ = fixture.apply(.digit("5"))
        #expect(fixture.apply(.playFinished(playID: fixture.leg.performing?.playID ?? "", .digit)).outcomes == [.digits("5")])
        #expect(fixture.leg.digits.isEmpty)
    }

    @Test("digits_receive ends with its key and with its time")
    func digitsByKeyAndTime() {
        var option = DigitsReceive()
        option.key = "#"
        var (fixture, _) = LegFixture.answered(performing: .digitsReceive(option))
        _ = fixture.apply(.digit("4"))
        #expect(fixture.apply(.digit("#")).outcomes == [.digits("4#")])
        var (silent, _) = LegFixture.answered(performing: .digitsReceive(option))
        _ = silent.apply(.digit("4"))
        #expect(silent.pass(.seconds(11)).outcomes == [.digits("4")])
    }

    @Test("a prompt whose end nobody tells does not hold the flow for ever")
    func lostPlayFinished() {
        var talk = Talk()
        talk.text = "hello"
        var (fixture, _) = LegFixture.answered(performing: .talk(talk))
        #expect(fixture.pass(.seconds(3_601)).outcomes == [.failed("play_failed")])
    }

    @Test("echo goes on for its time and is switched off again")
    func echo() {
        var option = Echo()
        option.duration = 2_000
        var (fixture, effects) = LegFixture.answered(performing: .echo(option))
        #expect(effects.echoes == [true])
        let later = fixture.pass(.milliseconds(2_001))
        #expect(later.echoes == [false])
        #expect(later.outcomes == [.completed])
    }

    @Test("a step delivered twice is performed once")
    func repeatedStep() {
        var talk = Talk()
        talk.text = "once"
        var (fixture, _) = LegFixture.answered(performing: .talk(talk))
        #expect(fixture.step(1, .talk(talk)).plays.isEmpty)
    }

    @Test("a flow that ends hangs up an answered call")
    func flowEnds() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        #expect(fixture.runEnds(after: 1).hasBye)
    }

    @Test("a flow manager that is away is asked again, and a call is given up only after all attempts")
    func flowAway() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        fixture.leg.limits.flowRetries = 5
        for _ in 0..<5 {
            #expect(!fixture.apply(.stepFailed(RPCError(.unavailable))).hasBye)
            #expect(fixture.pass(.seconds(4)).outcomes == [.completed])
        }
        #expect(fixture.apply(.stepFailed(RPCError(.unavailable))).hasBye)
    }

    @Test("a flow manager that was away for long is asked within half a second of its return, and for as long as before")
    func flowAwayForLong() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        let retries = fixture.leg.limits.flowRetries
        for attempt in 0..<retries {
            #expect(!fixture.apply(.stepFailed(RPCError(.unavailable))).hasBye, "attempt \(attempt)")
            #expect(fixture.pass(.milliseconds(500)).outcomes == [.completed])
        }
        #expect(retries * 500 >= 90_000)
    }

    @Test("conference_join moves the seat without a SIP message and comes back when removed")
    func conference() {
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var (fixture, effects) = LegFixture.answered(performing: .conferenceJoin(option))
        #expect(!effects.leavesRoom, "not before it is heard there")
        #expect(fixture.leg.seat.conferenceID == "conf_1")
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_conf", instance: "mixer-2", inside: LegFixture.inside))
        #expect(fixture.apply(.linked(seat: fixture.leg.seat.number)).left == ["room_A@mixer-1"])
        #expect(fixture.leg.seat.stage == .linked)
        let removed = fixture.apply(.removedFromRoom(roomID: "room_conf"))
        #expect(removed.outcomes == [.completed])
        #expect(fixture.leg.seat.conferenceID == nil)
        #expect(fixture.leg.seat.stage == .joining)
    }
}
