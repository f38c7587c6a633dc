import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

@Suite struct InboundLegTests {
    @Test("an INVITE opens media and looks up the number at once, and answers nothing yet")
    func invite() {
        var fixture = LegFixture.inbound()
        let effects = fixture.apply(.invited(offer: "sdp", number: "1002"))
        #expect(effects.published == ["call.created"])
        #expect(effects.responses.isEmpty)
        #expect(effects.count == 3)
    }

    @Test("RFC 3261 §8.2.2.1: an unknown number is refused with 404 and leaves nothing behind")
    func unknownNumber() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "9999"))
        let refused = fixture.apply(.unresolved(RPCError(.notFound)))
        #expect(refused.responses == [404])
        // The media session that comes into being afterwards is deleted, then the call is over.
        let late = fixture.apply(.mediaCreated(.init(description: "", inside: LegFixture.inside)))
        #expect(late.deletesMedia)
        let ended = fixture.apply(.mediaDeleted(MediaStatistics()))
        #expect(ended.published == ["call.ended"])
        #expect(ended.isForgotten)
    }

    @Test("RFC 3261 §13.3.1.3: an offer without usable media is refused with 488")
    func unacceptableMedia() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        let effects = fixture.apply(.mediaFailed(RPCError(.notAcceptable)))
        #expect(effects.responses == [488])
        #expect(effects.isForgotten)
    }

    @Test("the answer waits for the seat: no 200 before sound can flow")
    func answerWaitsForSeat() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        #expect(fixture.step(1, .answer).responses.isEmpty)
        let effects = fixture.seatDown()
        #expect(effects.responses == [200])
        #expect(effects.published == ["call.answered"])
        #expect(effects.outcomes == [.completed])
    }

    @Test("RFC 3261 §9.2: CANCEL before the answer ends the call with 487 and the flow with call_ended")
    func cancel() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        _ = fixture.apply(.resolved(flowID: nil, defaultActions: []))
        _ = fixture.seatDown()
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1002")]
        let children = fixture.step(1, .connect(connect)).createdChildren
        #expect(children.count == 1)
        let effects = fixture.apply(.canceled)
        #expect(effects.responses == [487])
        #expect(effects.toldChildren == children)
        #expect(effects.outcomes == [.callEnded])
        #expect(effects.deletesMedia && effects.leavesRoom)
        #expect(fixture.leg.record.status == .canceled)
    }

    @Test("RFC 3261 §15.1.2: BYE ends the call without a BYE of ours; its statistics land in the record")
    func bye() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        let effects = fixture.apply(.byed)
        #expect(!effects.hasBye)
        #expect(effects.deletesMedia && effects.leavesRoom)
        let statistics = MediaStatistics(codec: "PCMU", packetsIn: 50)
        let ended = fixture.apply(.mediaDeleted(statistics))
        #expect(ended.published == ["call.ended"])
        #expect(fixture.leg.record.media == statistics)
        #expect(fixture.leg.record.hangupBy == "caller")
        #expect(fixture.leg.record.status == .completed)
    }

    @Test("RFC 3261 §15: BYE in an early dialog gives the call up: 487, never a 200 to the INVITE")
    func earlyBye() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        #expect(fixture.apply(.byed).responses == [487])
        #expect(fixture.leg.record.status == .canceled)
    }

    @Test("a caller who is not answered yet is told soon that the flow manager is away")
    func flowAwayBeforeAnswer() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        #expect(fixture.apply(.stepFailed(RPCError(.unavailable))).responses.isEmpty)
        #expect(fixture.apply(.stepFailed(RPCError(.unavailable))).responses == [503])
    }

    @Test("silence of a phone that was not answered yet ends nothing: there is no 200 without a session description")
    func silenceBeforeAnswer() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        #expect(fixture.apply(.mediaSilent).isEmpty)
        #expect(fixture.pass(.seconds(4 * 3_600 + 1)).responses == [408])
    }

    @Test("a seat that comes after the call is over is given up, and the leg waits for it")
    func lateSeat() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        _ = fixture.apply(.mediaCreated(.init(description: "our sdp", inside: LegFixture.inside)))
        #expect(!fixture.apply(.canceled).leavesRoom)
        #expect(!fixture.apply(.mediaDeleted(nil)).isForgotten)
        let effects = fixture.apply(.joined(seat: 0, roomID: "room_A", instance: "mixer-1", inside: LegFixture.inside))
        #expect(effects.leavesRoom && effects.isForgotten)
    }

    @Test("what comes for an earlier seat does not touch the present one")
    func earlierSeat() {
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var (fixture, _) = LegFixture.answered(performing: .conferenceJoin(option))
        #expect(fixture.apply(.linkFailed(seat: 0, RPCError(.unavailable))).isEmpty)
        #expect(fixture.apply(.joined(seat: 0, roomID: "room_A", instance: "mixer-1", inside: LegFixture.inside)).leavesRoom)
        #expect(fixture.leg.phase == .up)
        #expect(fixture.leg.seat.stage == .joining)
    }

    @Test("RFC 3261 §15.1.2: a re-INVITE that is pending when the call ends is answered with 487")
    func pendingReinvite() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.reinvited(offer: "hold"))
        let effects = fixture.apply(.byed)
        #expect(effects.contains { if case .respondToReinvite(487, nil) = $0 { true } else { false } })
        #expect(fixture.apply(.mediaUpdated(.init(description: "late", held: true), kind: .offer)).isEmpty)
    }

    @Test("RFC 3261 §14.1: a re-INVITE taken back leaves the call as it is, and another may follow")
    func canceledReinvite() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.reinvited(offer: "hold"))
        #expect(fixture.apply(.reinviteCanceled).isEmpty)
        #expect(fixture.apply(.mediaUpdated(.init(description: "late", held: true), kind: .offer)).isEmpty)
        #expect(fixture.apply(.reinvited(offer: "again")).contains { if case .updateMedia = $0 { true } else { false } })
    }

    @Test("RFC 3264 §4: SDP in an ACK is an answer only while an offer of ours is open")
    func answerInAck() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: nil, number: "700"))
        #expect(fixture.apply(.answeredInAck("sdp")).count == 1)
        #expect(fixture.apply(.answeredInAck("sdp again")).isEmpty)
    }

    @Test("a run that begins while the call ends is told that it is over")
    func lateRun() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.apply(.canceled)
        #expect(fixture.step(1, .answer).outcomes == [.callEnded])
    }

    @Test("an ended call whose relay never answers is forgotten after five seconds")
    func farewell() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.byed)
        #expect(fixture.pass(.seconds(4)).isEmpty)
        let effects = fixture.pass(.seconds(2))
        #expect(effects.published == ["call.ended"])
        #expect(effects.isForgotten)
    }

    @Test("RFC 3261 §14.2: a re-INVITE while another is pending gets 491")
    func glare() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.reinvited(offer: "hold"))
        let effects = fixture.apply(.reinvited(offer: "hold again"))
        guard case .respondToReinvite(491, nil)? = effects.first else {
            Issue.record("no 491 in \(effects)")
            return
        }
        let answered = fixture.apply(.mediaUpdated(.init(description: "held", held: true), kind: .offer))
        guard case .respondToReinvite(200, "held")? = answered.first else {
            Issue.record("no 200 in \(answered)")
            return
        }
    }

    @Test("a call never lasts longer than the limit")
    func maximumDuration() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        let effects = fixture.pass(.seconds(4 * 3_600 + 1))
        #expect(effects.hasBye)
        #expect(fixture.leg.record.hangupBy == "platform")
    }

    @Test("events of a call are numbered from 1 without a gap")
    func sequence() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.digit("1"))
        _ = fixture.apply(.byed)
        let effects = fixture.apply(.mediaDeleted(nil))
        let numbers = effects.compactMap { effect -> Int64? in
            if case .publish(_, _, let sequence, _) = effect { sequence } else { nil }
        }
        // created, answered, digits, ended
        #expect(numbers == [4])
    }

    @Test("a leg is its own snapshot: decoded, it goes on as if nothing had happened")
    func snapshot() throws {
        let (fixture, _) = LegFixture.answered(performing: .echo(Echo()))
        var copy = fixture
        copy.leg = try JSON.roundTrip(fixture.leg)
        #expect(copy.pass(.milliseconds(180_001)).outcomes == [.completed])
    }
}

@Suite struct ActionTests {
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
        for _ in 0..<5 {
            #expect(!fixture.apply(.stepFailed(RPCError(.unavailable))).hasBye)
            #expect(fixture.pass(.seconds(4)).outcomes == [.completed])
        }
        #expect(fixture.apply(.stepFailed(RPCError(.unavailable))).hasBye)
    }

    @Test("conference_join moves the seat without a SIP message and comes back when removed")
    func conference() {
        var option = ConferenceJoin()
        option.conferenceID = "conf_1"
        var (fixture, effects) = LegFixture.answered(performing: .conferenceJoin(option))
        #expect(effects.leavesRoom)
        #expect(fixture.leg.seat.conferenceID == "conf_1")
        _ = fixture.apply(.joined(seat: fixture.leg.seat.number, roomID: "room_conf", instance: "mixer-2", inside: LegFixture.inside))
        _ = fixture.apply(.linked(seat: fixture.leg.seat.number))
        #expect(fixture.leg.seat.stage == .linked)
        let removed = fixture.apply(.removedFromRoom(roomID: "room_conf"))
        #expect(removed.outcomes == [.completed])
        #expect(fixture.leg.seat.conferenceID == nil)
        #expect(fixture.leg.seat.stage == .joining)
    }
}

@Suite struct ConnectTests {
    private func dialling() -> (LegFixture, String) {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        _ = fixture.apply(.resolved(flowID: nil, defaultActions: []))
        _ = fixture.seatDown()
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1002")]
        let child = fixture.step(1, .connect(connect)).createdChildren.first ?? ""
        return (fixture, child)
    }

    @Test("ringing is passed on once, the answer answers, the hang-up of the callee ends the action")
    func wholeCall() {
        var (fixture, child) = dialling()
        #expect(fixture.apply(.childRang(child)).responses == [180])
        #expect(fixture.apply(.childRang(child)).responses.isEmpty)
        #expect(fixture.apply(.childAnswered(child)).responses == [200])
        let ended = fixture.apply(.childEnded(child, .init(code: 200, cause: 16), .completed))
        #expect(ended.outcomes == [.connected])
        #expect(fixture.runEnds(after: 1).hasBye)
    }

    @Test("keys pressed while talking are not input for the flow afterwards")
    func keysWhileTalking() {
        var (fixture, child) = dialling()
        _ = fixture.apply(.childAnswered(child))
        _ = fixture.apply(.digit("7"))
        _ = fixture.apply(.childEnded(child, .init(code: 200, cause: 16), .completed))
        #expect(fixture.step(2, .digitsReceive(DigitsReceive())).outcomes.isEmpty)
    }

    @Test("a child that answers after its parent is over is told so")
    func orphan() {
        var (fixture, child) = dialling()
        _ = fixture.apply(.canceled)
        #expect(fixture.apply(.childAnswered(child)).toldChildren == [child])
    }

    @Test("busy, decline and no answer reach the caller as the callee gave them", arguments: [486, 603, 480, 408])
    func refusals(code: Int) {
        var (fixture, child) = dialling()
        _ = fixture.apply(.childRang(child))
        let ended = fixture.apply(
            .childEnded(child, .init(code: code, cause: Leg.cause(forCode: code)), Leg.outcome(of: code)))
        #expect(ended.outcomes.count == 1)
        #expect(fixture.runEnds(after: 1).responses == [code])
    }

    @Test("the names of children follow from the step, so performing it twice makes the same call")
    func stableChildren() {
        #expect(dialling().1 == dialling().1)
        #expect(Identifier.isPlausible(dialling().1, prefix: "call"))
    }
}

@Suite struct OutboundLegTests {
    private func ringing(_ contacts: [String] = ["sip:a@127.0.0.1:5080", "sip:b@127.0.0.1:5081"]) -> LegFixture {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        let bindings = contacts.map {
            ReachableBinding(contact: $0, path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)
        }
        let effects = fixture.apply(.found(bindings))
        #expect(effects.invitedBranches == Array(contacts.indices))
        return fixture
    }

    @Test("nobody registered: 480 without an INVITE")
    func nobody() {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        let effects = fixture.apply(.found([]))
        #expect(effects.invitedBranches.isEmpty)
        guard case .childEnded(_, let status, _)? = effects.toldParent.first else {
            Issue.record("the parent was not told")
            return
        }
        #expect(status.code == 480)
    }

    @Test("RFC 3261 §16.7: the first answer wins, the other phones are cancelled, a crossing answer is hung up")
    func firstAnswerWins() {
        var fixture = ringing()
        #expect(fixture.apply(.rang(branch: 0)).published == ["call.ringing"])
        let accepted = fixture.apply(.accepted(branch: 1, answer: "sdp"))
        #expect(accepted.canceledBranches == [0])
        let crossing = fixture.apply(.accepted(branch: 0, answer: "sdp"))
        #expect(crossing.contains { if case .dismiss(0) = $0 { true } else { false } })
        let up = fixture.apply(.mediaUpdated(.init(description: nil, held: false), kind: .answer))
        #expect(up.published == ["call.answered"])
        #expect(up.toldParent.count == 1)
    }

    @Test("RFC 3261 §16.7 step 6: of several refusals the most telling is passed on")
    func bestRefusal() {
        var fixture = ringing()
        #expect(fixture.apply(.refused(branch: 0, code: 480)).toldParent.isEmpty)
        guard case .childEnded(_, let status, let outcome)? = fixture.apply(.refused(branch: 1, code: 486)).toldParent.first else {
            Issue.record("the parent was not told")
            return
        }
        #expect(status.code == 486)
        #expect(outcome == .busy)
    }

    @Test("no answer in the ring time: CANCEL to every phone, no_answer")
    func ringTimeout() {
        var fixture = ringing()
        let effects = fixture.pass(.seconds(61))
        #expect(effects.canceledBranches == [0, 1])
        #expect(fixture.leg.record.status == .noAnswer)
        // A 200 that crosses the CANCEL is acknowledged and hung up.
        #expect(fixture.apply(.accepted(branch: 0, answer: "sdp")).contains { if case .dismiss(0) = $0 { true } else { false } })
    }

    @Test("RFC 3264 §4: a 200 without an answer to our offer ends the call")
    func missingAnswer() {
        var fixture = ringing()
        let effects = fixture.apply(.accepted(branch: 0, answer: nil))
        #expect(effects.hasBye)
    }

    @Test("a call of the API's starts its flow when it is answered, not before")
    func originated() {
        var fixture = LegFixture.outbound(parent: nil, program: .init(flowID: "flow_1", actions: nil))
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        _ = fixture.apply(.found([ReachableBinding(contact: "sip:a@127.0.0.1", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)]))
        _ = fixture.apply(.accepted(branch: 0, answer: "sdp"))
        let effects = fixture.apply(.mediaUpdated(.init(description: nil, held: false), kind: .answer))
        #expect(effects.contains { if case .startRun = $0 { true } else { false } })
    }
}
