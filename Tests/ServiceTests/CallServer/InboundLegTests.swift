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

    @Test("A relay that is full or leaves is replaced by another, once; then the call is refused with 503")
    func relayRefuses() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "1002"))
        let again = fixture.apply(.mediaRefused(RPCError(.exhausted), offer: "sdp", other: "relay-2"))
        #expect(again.responses.isEmpty && again.createdMedia == ["sdp"] && fixture.leg.placement.relay == "relay-2")
        let refused = fixture.apply(.mediaRefused(RPCError(.exhausted), offer: "sdp", other: "relay-3"))
        #expect(refused.responses == [503] && refused.createdMedia.isEmpty && refused.isForgotten)
    }

    @Test("A place that the relay took along with the session is the leg's: no command more, and the answer follows")
    func placeComesWithTheSession() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        #expect(fixture.step(1, .answer).responses.isEmpty)
        let asked = fixture.leg.seat
        let effects = fixture.apply(.mediaCreated(Self.seated, seat: asked))
        #expect(effects.joined.isEmpty && effects.linkedTo.isEmpty && effects.left.isEmpty)
        #expect(effects.responses == [200] && fixture.leg.isSeated && fixture.leg.record.roomID == asked.roomID)
        #expect(fixture.leg.seat.inside == Self.seated.place?.inside && fixture.leg.seat.instance == "mixer-1")
    }

    @Test("A place that the relay could not take is asked for by the leg")
    func placeIsAskedFor() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "700"))
        let effects = fixture.apply(.mediaCreated(.init(description: "our sdp", inside: LegFixture.inside), seat: fixture.leg.seat))
        #expect(effects.joined.map(\.roomID) == [fixture.leg.seat.roomID] && fixture.leg.seat.stage == .joining)
    }

    @Test("Who is to sit elsewhere by now leaves the place that was taken for it, and whose call is over leaves it, too")
    func placeIsLeft() {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "700"))
        let asked = fixture.leg.seat
        var ended = fixture
        fixture.leg.seat = Leg.Seat(roomID: "room_B", participantID: asked.participantID, instance: "mixer-2", number: 1)
        let effects = fixture.apply(.mediaCreated(Self.seated, seat: asked))
        #expect(effects.left == ["room_A@mixer-1"] && effects.joined.map(\.roomID) == ["room_B"])
        _ = ended.apply(.canceled)
        let late = ended.apply(.mediaCreated(Self.seated, seat: asked))
        #expect(late.left == ["room_A@mixer-1"] && late.deletesMedia && late.joined.isEmpty)
    }

    @Test("A relay that did not answer may have taken the place: it is left", arguments: [false, true])
    func placeOfNobodyKnows(isOver: Bool) {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "sdp", number: "700"))
        if isOver { _ = fixture.apply(.canceled) }
        #expect(fixture.apply(.mediaFailed(RPCError(.timeout))).left == ["room_A@mixer-1"])
        if isOver {
            var unanswered = LegFixture.inbound()
            _ = unanswered.apply(.invited(offer: "sdp", number: "700"))
            _ = unanswered.apply(.canceled)
            let farewell = unanswered.pass(.seconds(5))
            #expect(farewell.left == ["room_A@mixer-1"] && farewell.deletesMedia && farewell.isForgotten)
        }
        var refused = LegFixture.inbound()
        _ = refused.apply(.invited(offer: "sdp", number: "700"))
        #expect(refused.apply(.mediaFailed(RPCError(.notAcceptable))).left.isEmpty)
    }

    private static let seated = {
        var reply = CreateMediaSession.Reply(description: "our sdp", inside: LegFixture.inside)
        reply.place = .init(inside: InsideEndpoint(address: "127.0.0.1:9100", ssrc: 8), microseconds: 900)
        return reply
    }()

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
        let effects = fixture.apply(.reinviteCanceled)
        guard effects.count == 1, case .respondToReinvite(487, nil)? = effects.first else {
            Issue.record("no 487 in \(effects)")
            return
        }
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
        _ = fixture.runEnds(after: 1)
        #expect(fixture.pass(.seconds(4)).isEmpty)
        let effects = fixture.pass(.seconds(2))
        #expect(effects.published == ["call.ended"])
        #expect(effects.isForgotten)
    }

    @Test("RFC 3261 §14.2: a re-INVITE while another of the phone's is pending gets 500")
    func glare() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.reinvited(offer: "hold"))
        let effects = fixture.apply(.reinvited(offer: "hold again"))
        guard case .respondToReinvite(500, nil)? = effects.first else {
            Issue.record("no 500 in \(effects)")
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
            if case .publish(_, _, let sequence, _, _) = effect { sequence } else { nil }
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
