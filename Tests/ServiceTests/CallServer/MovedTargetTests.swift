import Contracts
import Deadlines
import Flow
import SIP
import Testing

@testable import CallServer

extension [LegEffect] {
    fileprivate var searched: [String] { compactMap { if case .findBindings(let number) = $0 { number } else { nil } } }
}

@Suite("RFC 3261 §8.1.3.4: phones that send a call on") struct RedirectingTests {
    private static func binding(_ user: String) -> ReachableBinding {
        ReachableBinding(contact: "sip:\(user)@127.0.0.1:5080", path: [], q: 1, expiresAt: Timestamp(milliseconds: 0), instanceID: nil)
    }

    private func ringing(_ phones: Int = 1) -> LegFixture {
        var fixture = LegFixture.outbound()
        _ = fixture.leg.begin(at: fixture.moment)
        _ = fixture.seatDown()
        _ = fixture.apply(.found((0..<phones).map { Self.binding("p\($0)") }))
        return fixture
    }

    @Test("rung in their stead, one after the other, and what the last of them says counts")
    func inOrder() throws {
        var fixture = ringing()
        #expect(fixture.apply(.targetMoved(branch: 0, code: 302, to: ["1003", "1004"])).searched == ["1003"])
        #expect(fixture.apply(.found([Self.binding("c")])).invitedBranches == [1])
        #expect(fixture.apply(.refused(branch: 1, code: 408)).searched == ["1004"])
        #expect(try JSON.roundTrip(fixture.leg).redirections == fixture.leg.redirections)
        #expect(fixture.apply(.found([Self.binding("d")])).invitedBranches == [2])
        let ended = fixture.apply(.refused(branch: 2, code: 486))
        #expect(ended.searched.isEmpty && fixture.leg.record.sipCode == 486)
    }

    @Test("RFC 5806, RFC 7044: the INVITE says who sent it on, and from where")
    func history() {
        var fixture = ringing()
        _ = fixture.apply(.targetMoved(branch: 0, code: 302, to: ["1003"]))
        _ = fixture.apply(.found([Self.binding("c")]))
        _ = fixture.apply(.targetMoved(branch: 1, code: 302, to: ["1004"]))
        _ = fixture.apply(.found([Self.binding("d")]))
        let headers = fixture.leg.history(of: fixture.leg.dial?.targets[2] ?? .init(contact: "", route: []))
        #expect(headers.first == .init(name: "Diversion", value: "<sip:1003@demo.localhost>;reason=unconditional;counter=2"))
        #expect(
            headers.last
                == .init(
                    name: "History-Info",
                    value: "<sip:1002@demo.localhost>;index=1, <sip:1003@demo.localhost?Reason=SIP%3Bcause%3D302>;index=1.1, "
                        + "<sip:1004@demo.localhost?Reason=SIP%3Bcause%3D302>;index=1.1.1"))
        #expect(fixture.leg.history(of: .init(contact: "", route: [])).isEmpty)
    }

    @Test("never in circles, never more than five times, and to nobody the call has failed")
    func bounded() {
        var fixture = ringing()
        #expect(fixture.apply(.targetMoved(branch: 0, code: 302, to: ["1002"])).searched.isEmpty)
        #expect(fixture.leg.record.sipCode == 480 && fixture.leg.isEnded)

        var long = ringing()
        var rung = 0
        for branch in 0..<20 where !long.leg.isEnded {
            let effects = long.apply(.targetMoved(branch: branch, code: 302, to: ["2\(branch)"]))
            guard !effects.searched.isEmpty else { continue }
            rung += 1
            _ = long.apply(.found([Self.binding("x\(branch)")]))
        }
        #expect(rung == 5 && long.leg.isEnded)
    }

    @Test("another phone of the called may still answer; then nobody else is rung")
    func others() {
        var fixture = ringing(2)
        #expect(fixture.apply(.targetMoved(branch: 0, code: 302, to: ["1003"])).searched.isEmpty)
        _ = fixture.apply(.accepted(branch: 1, answer: "sdp"))
        #expect(fixture.leg.dial?.winner == 1 && fixture.leg.phase == .up)
        #expect(fixture.apply(.targetMoved(branch: 0, code: 302, to: ["1004"])).searched.isEmpty)
    }

    @Test("RFC 3261 §16.7 step 5: after a decline nobody else is rung, whichever phone spoke first")
    func declined() {
        var fixture = ringing(2)
        _ = fixture.apply(.targetMoved(branch: 0, code: 302, to: ["1003"]))
        #expect(fixture.apply(.refused(branch: 1, code: 603)).searched.isEmpty)
        #expect(fixture.leg.isEnded && fixture.leg.record.sipCode == 603)
    }

    @Test("a number without phones is no way on: the next, or 480")
    func nobodyThere() {
        var fixture = ringing()
        _ = fixture.apply(.targetMoved(branch: 0, code: 302, to: ["1003", "1004"]))
        #expect(fixture.apply(.found([])).searched == ["1004"])
        let ended = fixture.apply(.notFound(RPCError(.notFound)))
        #expect(ended.published.contains("call.ended") == false && fixture.leg.record.sipCode == 480)
    }

    @Test("RFC 6432: the cause that the phone gave is the call's; RFC 3326: a CANCEL tells that somebody else has answered")
    func causes() {
        var fixture = ringing()
        fixture.leg.dial?.targets[0].cause = 27
        _ = fixture.apply(.refused(branch: 0, code: 480))
        #expect(fixture.leg.record.hangupCause == 27)
        var other = ringing(2)
        #expect(other.leg.cancelReason == "Q.850;cause=16")
        _ = other.apply(.accepted(branch: 1, answer: "sdp"))
        #expect(other.leg.cancelReason == "SIP;cause=200;text=\"Call completed elsewhere\"")
    }
}
