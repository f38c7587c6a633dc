import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

extension [LegEffect] {
    /// CODE SEQUENCE BODY.
    fileprivate var reliable: [String] {
        compactMap { if case .respondReliably(let code, let body, let sequence) = $0 { "\(code) \(sequence) \(body ?? "-")" } else { nil } }
    }
    fileprivate var answersInDialog: [Int] { compactMap { if case .respondToReinvite(let code, _) = $0 { code } else { nil } } }
    fileprivate var offersTaken: [String] { compactMap { if case .updateMedia(.offer, let remote, _) = $0 { remote } else { nil } } }
    fileprivate var answersTaken: [String] { compactMap { if case .updateMedia(.answer, let remote, _) = $0 { remote } else { nil } } }
    fileprivate var bodies: [String?] { compactMap { if case .respond(_, let body) = $0 { .some(body) } else { nil } } }
}

@Suite("RFC 3262, RFC 3311: before the phone that calls is answered") struct ProvisionalTests {
    private func calling(_ wish: SIPState.Provisionals.Wish?, offer: String? = "their sdp") -> (LegFixture, child: String) {
        var fixture = LegFixture.inbound()
        fixture.leg.sip.provisionals = wish.map { SIPState.Provisionals(wish: $0, invite: 7, next: 100) }
        _ = fixture.apply(.invited(offer: offer, number: "1002"))
        _ = fixture.apply(.resolved(flowID: nil, defaultActions: []))
        _ = fixture.seatDown()
        var connect = Connect()
        connect.destinations = [Address(kind: .extension, target: "1002")]
        let child = fixture.step(1, .connect(connect)).createdChildren.first ?? ""
        return (fixture, child)
    }

    private func prack(_ sequence: UInt32, invite: UInt32 = 7, body: String? = nil) -> LegEvent {
        .acknowledgedEarly(ProvisionalAcknowledgement(sequence, of: CSeq(invite, .invite)), body: body)
    }

    @Test("RFC 3262 §3: required, even a 180 is acknowledged; repeated twice as late each time, then 504")
    func repeated() {
        var (fixture, child) = calling(.required)
        #expect(fixture.apply(.childRang(child)).reliable == ["180 100 -"])
        var sent: [Int] = []
        for half in 1...63 where !fixture.pass(.milliseconds(500)).reliable.isEmpty { sent.append(half * 500) }
        #expect(sent == [500, 1_500, 3_500, 7_500, 15_500, 31_500])
        #expect(fixture.pass(.milliseconds(500)).responses == [504])
    }

    @Test("RFC 3262 §3: a PRACK for another response is 481, for this one 200, and nothing is repeated any more")
    func matched() {
        var (fixture, child) = calling(.required)
        _ = fixture.apply(.childRang(child))
        #expect(fixture.apply(prack(99)).answersInDialog == [481])
        #expect(fixture.apply(prack(100, invite: 8)).answersInDialog == [481])
        #expect(fixture.apply(prack(100)).answersInDialog == [200])
        #expect(fixture.apply(prack(100)).answersInDialog == [481])
        #expect(fixture.pass(.seconds(40)).reliable.isEmpty)
        #expect(fixture.apply(.childAnswered(child)).bodies == ["our sdp"])
    }

    @Test("supported only, a 180 without a description goes as it always did")
    func supported() {
        var (fixture, child) = calling(.supported)
        let effects = fixture.apply(.childRang(child))
        #expect(effects.responses == [180] && effects.reliable.isEmpty)
    }

    @Test("RFC 3960: what the callee says before it answers is let through by a 183, which is acknowledged where it can be")
    func earlyMedia() {
        var (plain, first) = calling(nil)
        let progress = plain.apply(.childProgressed(first))
        #expect(progress.responses == [183] && progress.bodies == ["our sdp"] && plain.leg.phase == .ringing)
        #expect(plain.apply(.childProgressed(first)).responses.isEmpty, "once is enough")
        #expect(plain.apply(.childAnswered(first)).bodies == ["our sdp"])

        var (fixture, child) = calling(.supported)
        #expect(fixture.apply(.childProgressed(child)).reliable == ["183 100 our sdp"])
    }

    @Test("RFC 3262 §3: no 200 while a description waits for its PRACK, then one without")
    func answerWaits() {
        var (fixture, child) = calling(.supported)
        _ = fixture.apply(.childProgressed(child))
        #expect(fixture.apply(.childAnswered(child)).responses.isEmpty)
        let effects = fixture.apply(prack(100))
        #expect(effects.answersInDialog == [200] && effects.responses == [200] && effects.bodies == [nil])
    }

    @Test("RFC 3262 §3: the next acknowledged response waits for the PRACK of the one before")
    func queued() {
        var (fixture, child) = calling(.required)
        #expect(fixture.apply(.childRang(child)).reliable == ["180 100 -"])
        #expect(fixture.apply(.childProgressed(child)).reliable.isEmpty)
        #expect(fixture.apply(prack(100)).reliable == ["183 101 our sdp"])
    }

    @Test("RFC 3262 §5: without an offer in the INVITE the 183 makes it and the PRACK answers it")
    func lateOffer() {
        var (fixture, child) = calling(.supported, offer: nil)
        #expect(fixture.apply(.childProgressed(child)).reliable == ["183 100 our sdp"])
        let effects = fixture.apply(prack(100, body: "their answer"))
        #expect(effects.answersInDialog == [200] && effects.answersTaken == ["their answer"])
        #expect(!fixture.leg.media.awaitsAnswerInAck)
        #expect(fixture.apply(.childAnswered(child)).bodies == [nil])
    }

    @Test("RFC 3264 §4: an offer that nobody acknowledges is made in the 200 only")
    func lateOfferUnacknowledged() {
        var (fixture, child) = calling(nil, offer: nil)
        #expect(fixture.apply(.childProgressed(child)).bodies == [nil])
        #expect(fixture.apply(.childAnswered(child)).bodies == ["our sdp"])
    }

    @Test("RFC 3311 §5.2: UPDATE with an offer before the INVITE's has its answer is 500, after it the relay answers")
    func update() {
        var (fixture, child) = calling(.supported)
        #expect(fixture.apply(.updated(offer: "new", early: nil)).answersInDialog == [500])
        _ = fixture.apply(.childProgressed(child))
        #expect(fixture.apply(.updated(offer: "new", early: nil)).answersInDialog == [500])
        _ = fixture.apply(prack(100))
        #expect(fixture.apply(.updated(offer: "new", early: nil)).offersTaken == ["new"])
        // A second one while the first is with the relay.
        #expect(fixture.apply(.updated(offer: "newer", early: nil)).answersInDialog == [500])
        #expect(fixture.apply(.mediaUpdated(.init(description: "ours", held: false), kind: .offer)).answersInDialog == [200])
    }

    @Test("an offer in a PRACK is answered in its 200 (RFC 3262 §5)")
    func offerInPrack() {
        var (fixture, child) = calling(.supported)
        _ = fixture.apply(.childProgressed(child))
        #expect(fixture.apply(prack(100, body: "new")).offersTaken == ["new"])
        #expect(fixture.apply(.mediaUpdated(.init(description: "ours", held: false), kind: .offer)).answersInDialog == [200])
    }

    @Test("RFC 3261 §15.1.2: a call that ends answers what it was asked, once")
    func ends() {
        var (fixture, child) = calling(.supported)
        _ = fixture.apply(.childProgressed(child))
        _ = fixture.apply(prack(100))
        _ = fixture.apply(.updated(offer: "new", early: nil))
        let ended = fixture.apply(.canceled)
        #expect(ended.answersInDialog == [487] && ended.responses == [487])
        #expect(fixture.apply(.mediaUpdated(.init(description: "ours", held: false), kind: .offer)).answersInDialog.isEmpty)
    }

    @Test("a successor sends again what nobody acknowledged, with its number")
    func resumed() throws {
        var (fixture, child) = calling(.supported)
        fixture.leg.sip.invite = try ResumingTests.received()
        _ = fixture.apply(.childProgressed(child))
        var next = fixture
        next.leg = try JSON.roundTrip(fixture.leg)
        #expect(next.leg.resume(offer: "their sdp", at: next.moment).reliable == ["183 100 our sdp"])
        #expect(next.apply(prack(100)).answersInDialog == [200])
    }
}
