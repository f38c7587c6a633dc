import Contracts
import Deadlines
import Flow
import Testing

@testable import CallServer

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

    @Test("RFC 3326: why one of the two hangs up, and who, is told of the other's leg, both ways; a flow that goes on to something else ends for itself")
    func causes() {
        var (fixture, child) = dialling()
        _ = fixture.apply(.childAnswered(child))
        _ = fixture.apply(.childEnded(child, .init(code: 200, cause: 102, by: "callee"), .completed))
        var other = fixture
        #expect(fixture.runEnds(after: 1).hasBye)
        #expect(fixture.leg.record.hangupBy == "callee" && fixture.leg.record.hangupCause == 102)
        _ = other.step(2, .answer)
        _ = other.runEnds(after: 2)
        #expect(other.leg.record.hangupBy == "platform" && other.leg.record.hangupCause == 16)
        (fixture, child) = dialling()
        _ = fixture.apply(.childAnswered(child))
        fixture.leg.sip.theirCause = 31
        let told = fixture.apply(.byed).compactMap { if case .tellChild(child, .parentGone(let cause)) = $0 { cause } else { nil } }
        #expect(told == [31])
        var callee = LegFixture.outbound()
        _ = callee.leg.begin(at: callee.moment)
        _ = callee.apply(.parentGone(cause: 31))
        #expect(callee.leg.record.hangupCause == 31 && callee.leg.record.hangupBy == "caller" && callee.leg.record.status == .canceled)
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

    @Test("a callee that came and went before the caller was answered leaves a 480, and the process alive")
    func cameAndWent() {
        var (fixture, child) = dialling()
        let ended = fixture.apply(.childEnded(child, .init(code: 200, cause: 16), .completed))
        #expect(ended.outcomes == [.failed("480")])
        #expect(fixture.runEnds(after: 1).responses == [480])
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

    @Test("An extension of a page and of desk phones rings them all, each with the offer it takes; the answer says to which offer it is")
    func mixedExtension() {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        let contacts = ["sip:a@127.0.0.1:5080", "sip:b@x1y2.invalid;transport=ws", "sip:c@127.0.0.1:5081"]
        let bindings = contacts.map {
            ReachableBinding(contact: $0, path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)
        }
        let found = fixture.apply(.found(bindings))
        #expect(found.invitedBranches.isEmpty && found.contains { if case .offerMedia(.browser, _) = $0 { true } else { false } })
        let rung = fixture.apply(.mediaOffered("for a browser", .browser))
        #expect(rung.invitations == ["our sdp", "for a browser", "our sdp"])
        let accepted = fixture.apply(.accepted(branch: 1, answer: "the page's"))
        #expect(accepted.canceledBranches == [0, 2] && accepted.answered == [.browser])
    }

    @Test("Without an offer for pages the desk phones ring all the same")
    func noBrowserOffer() {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        let bindings = ["sip:b@x1y2.invalid;transport=ws", "sip:c@127.0.0.1:5081"].map {
            ReachableBinding(contact: $0, path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)
        }
        _ = fixture.apply(.found(bindings))
        let rung = fixture.apply(.mediaOfferFailed(RPCError(.unavailable)))
        #expect(rung.invitations == ["our sdp"] && fixture.leg.dial?.targets.map(\.contact) == ["sip:c@127.0.0.1:5081"])
        #expect(fixture.apply(.accepted(branch: 0, answer: "sdp")).answered == [.plain])
    }

    @Test("RELIABILITY V5: a call whose media has no path or no keys ends, and its record says why", arguments: ["wrong_fingerprint", "no_path"])
    func mediaLost(reason: String) {
        var fixture = ringing()
        #expect(fixture.apply(.mediaLost(reason: reason)).isEmpty, "nothing is decided before the answer")
        _ = fixture.apply(.accepted(branch: 1, answer: "sdp"))
        let effects = fixture.apply(.mediaLost(reason: reason))
        #expect(effects.hasBye && effects.deletesMedia)
        #expect(fixture.leg.record.status == .failed && fixture.leg.record.hangupBy == "platform")
        #expect(fixture.leg.record.hangupReason == "media_" + reason && fixture.leg.record.sipCode == 488)
    }
}
