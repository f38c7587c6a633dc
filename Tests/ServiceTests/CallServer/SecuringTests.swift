import Contracts
import Testing

@testable import CallServer

@Suite("Phones that take no plain RTP are offered SRTP once they have said so") struct SecuringTests {
    private func ringing(_ contacts: [String] = ["sip:1002@127.0.0.1:5070"]) -> LegFixture {
        var fixture = LegFixture.outbound()
        for branch in contacts.indices { fixture.leg.sip.branches[branch] = .init(callID: "c\(branch)", localTag: "t", name: nil) }
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        _ = fixture.apply(.found(contacts.map { ReachableBinding(contact: $0, path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil) }))
        return fixture
    }

    @Test("RFC 3261 §21.4.26: 488 to plain RTP asks the relay for keys, and the phone again; its answer is to that offer")
    func again() {
        var fixture = ringing()
        #expect(fixture.apply(.refused(branch: 0, code: 488)).profiles == [.sdes])
        #expect(!fixture.leg.isEnded)
        #expect(fixture.apply(.mediaOffered("secure", .sdes)).invitedAgain == ["0 secure"])
        #expect(fixture.leg.sip.branches[0]?.sequence == 2)
        #expect(fixture.apply(.accepted(branch: 0, answer: "keys")).answered == [.sdes])
    }

    @Test("one that refuses that, too, has refused the call; so has one whose relay makes no such offer, and a browser is not asked", arguments: [true, false])
    func refusedAgain(isOffered: Bool) {
        var fixture = ringing()
        _ = fixture.apply(.refused(branch: 0, code: 488))
        if isOffered {
            _ = fixture.apply(.mediaOffered("secure", .sdes))
            _ = fixture.apply(.refused(branch: 0, code: 488))
        } else {
            _ = fixture.apply(.mediaOfferFailed(RPCError(.unavailable, "away")))
        }
        #expect(fixture.leg.isEnded && fixture.leg.record.sipCode == 488)
        var busy = ringing()
        #expect(busy.apply(.refused(branch: 0, code: 486)).profiles.isEmpty && busy.leg.isEnded)
    }

    @Test("two phones that refuse plain RTP have one offer, with one set of keys; that the relay is away later changes nothing of a call that rings")
    func both() {
        var fixture = ringing(["sip:a@127.0.0.1:5070", "sip:b@127.0.0.1:5071"])
        #expect(fixture.apply(.refused(branch: 0, code: 488)).profiles == [.sdes])
        #expect(fixture.apply(.refused(branch: 1, code: 488)).profiles.isEmpty)
        #expect(fixture.apply(.mediaOffered("secure", .sdes)).invitedAgain == ["0 secure", "1 secure"])
        #expect(fixture.apply(.mediaOffered("other keys", .sdes)).invitedAgain.isEmpty && fixture.leg.media.secureOffer == "secure")
        _ = fixture.apply(.mediaOfferFailed(RPCError(.unavailable, "away")))
        #expect(fixture.leg.dial?.targets.count == 2 && !fixture.leg.isEnded)
    }

    @Test("of two phones one answers meanwhile: the other is not asked again; a successor asks for an offer that nobody has made")
    func beside() throws {
        var fixture = ringing(["sip:a@127.0.0.1:5070", "sip:b@127.0.0.1:5071"])
        _ = fixture.apply(.refused(branch: 0, code: 488))
        var next = fixture
        next.leg = try JSON.roundTrip(fixture.leg)
        #expect(next.leg.resume(offer: nil, at: next.moment).profiles == [.sdes])
        _ = fixture.apply(.accepted(branch: 1, answer: "plain"))
        #expect(fixture.apply(.mediaOffered("secure", .sdes)).invitedAgain.isEmpty)
    }
}

extension [LegEffect] {
    fileprivate var profiles: [MediaProfile] { compactMap { if case .offerMedia(let profile, _) = $0 { profile } else { nil } } }
    fileprivate var invitedAgain: [String] { compactMap { if case .inviteLonger(let branch, let body) = $0 { "\(branch) \(body)" } else { nil } } }
}
