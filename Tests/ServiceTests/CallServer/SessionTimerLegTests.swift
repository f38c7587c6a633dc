import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

extension [LegEffect] {
    fileprivate var refreshes: [String?] { compactMap { if case .refresh(let body) = $0 { .some(body) } else { nil } } }
    fileprivate var asksForOffer: Bool { contains { if case .updateMedia(.makeOffer, _, _) = $0 { true } else { false } } }
    fileprivate var takenAnswers: [String] { compactMap { if case .updateMedia(.answer, let remote, _) = $0 { remote } else { nil } } }
    fileprivate var refusals: [Int] { compactMap { if case .respondToReinvite(let code, _) = $0 { code } else { nil } } }
    fileprivate var longer: [Int] { compactMap { if case .inviteLonger(let branch, _) = $0 { branch } else { nil } } }
}

@Suite("RFC 4028: the session timer of a leg") struct SessionTimerLegTests {
    private func talking(weRefresh: Bool, update: Bool = true, seconds: Int = 90) -> LegFixture {
        var fixture = LegFixture.inbound()
        (fixture.leg.sip.timer, fixture.leg.sip.takesUpdate) = (SessionTimer(seconds: seconds, weRefresh: weRefresh), update)
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        _ = fixture.apply(.resolved(flowID: "flow_1", defaultActions: []))
        _ = fixture.seatDown()
        _ = fixture.step(1, .answer)
        return fixture
    }

    private func taken(_ seconds: Int = 90, code: Int = 200, answer: String? = nil) -> LegEvent {
        .refreshAnswered(code: code, answer: answer, SessionTimer(seconds: seconds, weRefresh: true), minimum: nil, wait: .zero)
    }

    @Test("§10: refreshed by UPDATE after half the time, again and again, and never ended")
    func update() throws {
        var fixture = talking(weRefresh: true)
        #expect(fixture.pass(.seconds(44)).refreshes.isEmpty)
        for _ in 0..<5 {
            #expect(fixture.pass(.seconds(1)).refreshes == [nil])
            #expect(fixture.apply(taken()).isEmpty)
            #expect(fixture.pass(.seconds(44)).refreshes.isEmpty)
        }
        #expect(fixture.leg.phase == .up)
        #expect(try JSON.roundTrip(fixture.leg).sip.timer == fixture.leg.sip.timer)
    }

    @Test("§7.4: a phone without UPDATE has a re-INVITE with what the relay offers, and its answer goes there")
    func reinvite() {
        var fixture = talking(weRefresh: true, update: false)
        #expect(fixture.pass(.seconds(45)).asksForOffer)
        // Theirs meets ours before it has left.
        #expect(fixture.apply(.reinvited(offer: "theirs")).refusals == [491])
        #expect(fixture.apply(.mediaUpdated(.init(description: "ours again", held: false), kind: .makeOffer)).refreshes == ["ours again"])
        #expect(fixture.apply(.reinvited(offer: "theirs")).refusals == [491])
        #expect(fixture.apply(.moveWanted(relay: "relay-2")).isEmpty)
        #expect(fixture.apply(taken(answer: "their answer")).takenAnswers == ["their answer"])
        #expect(!fixture.apply(.reinvited(offer: "theirs")).refusals.contains(491))
    }

    @Test("RFC 3261 §14.1: a refresh that met theirs waits for the time it is told")
    func collision() {
        var fixture = talking(weRefresh: true, update: false)
        _ = fixture.pass(.seconds(45))
        _ = fixture.apply(.mediaUpdated(.init(description: "offer", held: false), kind: .makeOffer))
        _ = fixture.apply(.refreshAnswered(code: 491, answer: nil, nil, minimum: nil, wait: .milliseconds(1_500)))
        #expect(!fixture.pass(.milliseconds(1_400)).asksForOffer)
        #expect(fixture.pass(.milliseconds(100)).asksForOffer)
    }

    @Test("§10: 481 and silence end the call; UPDATE that is not allowed after all is a re-INVITE", arguments: [408, 481])
    func refused(code: Int) {
        var fixture = talking(weRefresh: true)
        _ = fixture.pass(.seconds(45))
        #expect(fixture.apply(taken(code: 405)).asksForOffer)
        _ = fixture.apply(.mediaUpdated(.init(description: "offer", held: false), kind: .makeOffer))
        #expect(fixture.apply(taken(code: code)).hasBye)
    }

    @Test("§7.3: 422 is asked again for what it wants, and not for ever")
    func tooSmall() {
        var fixture = talking(weRefresh: true)
        _ = fixture.pass(.seconds(45))
        let longer = LegEvent.refreshAnswered(code: 422, answer: nil, nil, minimum: 120, wait: .zero)
        #expect(fixture.apply(longer).refreshes == [nil])
        #expect(fixture.leg.sip.minimumSession == 120)
        #expect(fixture.apply(longer).refreshes.isEmpty)
    }

    @Test("§10: without the phone's refresh the call ends before the session does, in whosever hands it is by then")
    func expired() throws {
        var fixture = talking(weRefresh: false)
        #expect(fixture.pass(.seconds(59)).isEmpty)
        var next = fixture
        next.leg = try JSON.roundTrip(fixture.leg)
        _ = next.leg.resume(offer: nil, at: next.moment)
        let ended = next.pass(.seconds(1))
        #expect(ended.hasBye && next.leg.record.hangupReason == "session_expired" && next.leg.record.hangupCause == 102)
    }

    @Test("a refresh that a predecessor has sent is sent again under its name")
    func resumed() throws {
        var fixture = talking(weRefresh: true)
        _ = fixture.pass(.seconds(45))
        var next = fixture
        next.leg = try JSON.roundTrip(fixture.leg)
        let effects = next.leg.resume(offer: nil, at: next.moment)
        #expect(effects.contains { if case .refreshAgain(nil) = $0 { true } else { false } })
        #expect(next.apply(taken()).isEmpty && next.leg.phase == .up)
    }

    @Test("§7.3: an INVITE that is refused with 422 goes out again, three times at most")
    func shortInvite() {
        var fixture = LegFixture.outbound()
        fixture.leg.sip.branches = [0: .init(callID: "c", localTag: "t", name: nil)]
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        _ = fixture.apply(.found([ReachableBinding(contact: "sip:1002@127.0.0.1:5080", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)]))
        for minimum in [200, 300, 400] { #expect(fixture.apply(.refusedAsShort(branch: 0, minimum: minimum)).longer == [0]) }
        #expect(fixture.leg.sip.branches[0]?.sequence == 4)
        let given = fixture.apply(.refusedAsShort(branch: 0, minimum: 500))
        #expect(given.longer.isEmpty && fixture.leg.record.sipCode == 422)
    }

    @Test("§7.3: of two phones that refuse the same short session each is asked again")
    func shortForBoth() {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        _ = fixture.apply(.found((0..<2).map {
            ReachableBinding(contact: "sip:1002@127.0.0.1:508\($0)", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)
        }))
        for branch in 0..<2 { fixture.leg.sip.branches[branch] = .init(callID: "c\(branch)", localTag: "t", name: nil) }
        #expect(fixture.apply(.refusedAsShort(branch: 0, minimum: 1_800)).longer == [0])
        #expect(fixture.apply(.refusedAsShort(branch: 1, minimum: 1_800)).longer == [1])
        #expect(fixture.apply(.refusedAsShort(branch: 1, minimum: 1_800)).longer.isEmpty)
        #expect(fixture.leg.dial?.refusals == [1: 422])
    }
}
