import Contracts
import Testing

@testable import CallServer

@Suite("RFC 3261 §13.2.1, RFC 3264 §4: the answer that an ACK owes to an offer of ours") struct OwedAnswerTests {
    private func replies(_ effects: [LegEffect]) -> [Int] { effects.compactMap { if case .respondToReinvite(let code, _) = $0 { code } else { nil } } }

    /// The phone has called without an offer, and has ours with the 200.
    private func offered() -> LegFixture {
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: nil, number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.seatDown()
        #expect(fixture.step(1, .answer).responses == [200])
        return fixture
    }

    @Test("§13.2.1: without it a call of which nothing was ever agreed ends at once, and its record says why")
    func ofTheCall() {
        var fixture = offered()
        let effects = fixture.apply(.unansweredInAck)
        #expect(effects.hasBye && effects.outcomes == [.callEnded])
        let record = fixture.leg.record
        #expect(record.status == .failed && record.hangupCause == 88 && record.hangupReason == "offer_unanswered" && record.hangupBy == "platform")
    }

    @Test("§14.1: without it a re-INVITE changes nothing, and the next offer is answered; meanwhile it was 491")
    func ofReinvite() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.reinvited(offer: nil))
        #expect(replies(fixture.apply(.mediaUpdated(.init(description: "ours", held: false), kind: .makeOffer))) == [200])
        #expect(replies(fixture.apply(.reinvited(offer: "next"))) == [491])
        #expect(fixture.apply(.unansweredInAck).isEmpty)
        #expect(fixture.leg.phase == .up)
        #expect(fixture.apply(.reinvited(offer: "next")).contains { if case .updateMedia(.offer, "next", _) = $0 { true } else { false } })
    }

    @Test("an answer that has come is owed no more")
    func answered() {
        var fixture = offered()
        _ = fixture.apply(.answeredInAck("their sdp"))
        #expect(fixture.apply(.unansweredInAck).isEmpty)
        #expect(fixture.leg.phase == .up)
    }

    @Test("§9.2: a CANCEL that crosses the answer to a re-INVITE changes nothing: the phone has its answer, and owes one where that made an offer")
    func crossed() {
        var (fixture, _) = LegFixture.answered(performing: .answer)
        _ = fixture.apply(.reinvited(offer: nil))
        _ = fixture.apply(.mediaUpdated(.init(description: "ours", held: false), kind: .makeOffer))
        #expect(fixture.apply(.reinviteCanceled).isEmpty)
        #expect(fixture.apply(.answeredInAck("their sdp")).answered.count == 1)
    }
}
