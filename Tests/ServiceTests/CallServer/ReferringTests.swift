import Addresses
import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

@Suite("RFC 3515: a flow has the phone of its call ring somebody else") struct ReferringTests {
    private func referring(_ target: Address = Address(kind: .extension, target: "1003")) -> (LegFixture, [LegEffect]) {
        var option = Flow.Transfer()
        (option.destinations, option.method, option.timeout) = ([target], .refer, 20_000)
        return LegFixture.answered(performing: .transfer(option))
    }

    @Test("§2.4.1: one REFER to the number within the customer's domain; a URI of another is the phone's affair")
    func targets() {
        #expect(referring().1.referred == ["sip:1003@demo.localhost"])
        #expect(referring(Address(kind: .sip, target: "sip:a@b.example")).1.referred == ["sip:a@b.example"])
        let (_, effects) = referring(Address(kind: .email, target: "a@b.example"))
        #expect(effects.referred.isEmpty && effects.outcomes == [.failed("no_reachable_destination")])
    }

    @Test("§2.4.5: what the NOTIFYs tell is the outcome, and the first final one alone", arguments: [
        (200, Outcome.completed), (486, .busy), (603, .declined), (408, .noAnswer), (480, .noAnswer), (404, .failed("404")),
    ])
    func progress(code: Int, outcome: Outcome) {
        var (fixture, _) = referring()
        #expect(fixture.leg.isReferring)
        #expect(fixture.apply(.referAnswered(code: 202)).outcomes.isEmpty)
        #expect(fixture.apply(.referralProgressed(code: 100, isOver: false)).outcomes.isEmpty)
        #expect(fixture.apply(.referralProgressed(code: code, isOver: true)).outcomes == [outcome])
        #expect(!fixture.leg.isReferring, "RFC 6665 §4.1.3: no more are taken")
        #expect(fixture.apply(.referralProgressed(code: 200, isOver: true)).outcomes.isEmpty)
    }

    @Test("A phone that takes no REFER, one that tells nothing any more, one that never tells")
    func failures() {
        var (fixture, _) = referring()
        #expect(fixture.apply(.referAnswered(code: 405)).outcomes == [.failed("405")])
        (fixture, _) = referring()
        #expect(fixture.apply(.referralProgressed(code: 180, isOver: true)).outcomes == [.failed("unknown")])
        (fixture, _) = referring()
        _ = fixture.apply(.referAnswered(code: 202))
        #expect(fixture.pass(.seconds(21)).outcomes == [.noAnswer])
    }

    @Test("The new party has answered: the run is over, and the phone is hung up on")
    func transferred() {
        var (fixture, _) = referring()
        #expect(fixture.apply(.referralProgressed(code: 200, isOver: true)).published == ["call.transferred"])
        #expect(fixture.runEnds(after: 1).hasBye)
    }

    @Test("Whoever takes the call over sends a REFER that nobody answered again, and waits on for the NOTIFYs of one that was")
    func resumes() throws {
        var (fixture, _) = referring()
        var layer = TransactionLayer(sentBy: try #require(SocketAddress("127.0.0.1:5060")), seed: 1)
        fixture.leg.sip.refer = SIPState.Sent(name: layer.newName(), sequence: 2)
        var successor = fixture
        #expect(successor.leg.resume(offer: nil, at: successor.moment).contains { if case .referAgain("sip:1003@demo.localhost") = $0 { true } else { false } })
        _ = fixture.apply(.referAnswered(code: 202))
        #expect(!fixture.leg.resume(offer: nil, at: fixture.moment).contains { if case .referAgain = $0 { true } else { false } })
        #expect(fixture.apply(.referralProgressed(code: 200, isOver: true)).outcomes == [.completed])
    }
}

extension [LegEffect] {
    fileprivate var referred: [String] { compactMap { if case .refer(let target) = $0 { target } else { nil } } }
}
