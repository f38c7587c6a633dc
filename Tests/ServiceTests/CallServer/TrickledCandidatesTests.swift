import Contracts
import Flow
import Testing

@testable import CallServer

@Suite("CallServer: candidates in INFO requests (RFC 8840)")
struct TrickledCandidatesTests {
    private static let head = ["a=ice-ufrag:8hhY", "a=ice-pwd:asd88fgpdd777uzjYhagZg", "m=audio 9 RTP/AVP 0", "a=mid:1"]
    private static let candidate = "a=candidate:1 1 UDP 2130706432 192.0.2.1 49203 typ host"

    private func fragment(_ lines: [String], type: String = TrickledCandidates.contentType) throws(TrickledCandidates.Mistake) -> String {
        try TrickledCandidates(contentType: type, body: Array(lines.joined(separator: "\r\n").utf8)).fragment
    }

    @Test("§9: a fragment is passed on as it came, however its type is spelt and its last line ends", arguments: [
        "application/trickle-ice-sdpfrag", "Application/Trickle-ICE-SDPfrag; charset=utf-8",
    ])
    func taken(type: String) throws {
        let lines = Self.head + [Self.candidate, "a=end-of-candidates"]
        #expect(try fragment(lines, type: type) == lines.joined(separator: "\r\n"))
        #expect(try fragment(lines + [""], type: type) == (lines + [""]).joined(separator: "\r\n"))
    }

    @Test("other content is 415; what has no such lines, or the head of a description, is 400")
    func mistakes() {
        #expect(throws: TrickledCandidates.Mistake.unsupported) { try fragment(Self.head, type: "application/sdp") }
        #expect(throws: TrickledCandidates.Mistake.unsupported) { try fragment(Self.head, type: "") }
        let broken: [[String]] = [
            [], [""], ["candidate:1"], ["v=0", "a=mid:0"], ["a=mid:0", "", "a=end-of-candidates"], ["m=audio"], ["a="], ["a=:x"], ["a=x\u{0}"], ["A=x"],
        ]
        for lines in broken {
            #expect(throws: TrickledCandidates.Mistake.malformed, "\(lines)") { try fragment(lines) }
        }
        #expect(throws: TrickledCandidates.Mistake.malformed) {
            try TrickledCandidates(contentType: TrickledCandidates.contentType, body: Array("a=".utf8) + [0xff, 0xfe])
        }
        #expect([TrickledCandidates.Mistake.unsupported.code, TrickledCandidates.Mistake.malformed.code] == [415, 400])
    }

    @Test("more bytes or candidates than any phone has are 413")
    func bounds() throws {
        let most = Self.head + Array(repeating: Self.candidate, count: 64)
        #expect(try fragment(most).utf8.count < 8 << 10)
        #expect(throws: TrickledCandidates.Mistake.tooLarge) { try fragment(most + [Self.candidate]) }
        #expect(throws: TrickledCandidates.Mistake.tooLarge) { try fragment(Self.head + ["a=x:" + String(repeating: "y", count: 8 << 10)]) }
        #expect(TrickledCandidates.Mistake.tooLarge.code == 413)
    }

    @Test("RFC 8838 §3: they are welcome where a description of ours says trickle, before the answer be it only that for browsers")
    func welcome() {
        let says = "v=0\r\na=ice-options:ice2 trickle\r\na=end-of-candidates\r\n"
        #expect(TrickledCandidates.areWelcome(by: says))
        for other in ["", "v=0\r\na=ice-options:ice2\r\n", "a=ice-options:trickled\r\n", "s=a=ice-options:trickle\r\n"] {
            #expect(!TrickledCandidates.areWelcome(by: other), "\(other)")
        }
        var leg = LegFixture.inbound().leg
        #expect(!leg.trickles)
        leg.media.browserOffer = says
        #expect(leg.trickles)
        leg.phase = .up
        #expect(!leg.trickles, "the phone that has answered was told nothing of it")
        (leg.media.description, leg.media.browserOffer) = (says, nil)
        #expect(leg.trickles)
    }

    @Test("§4.3: they go to the relay from the moment there is a session, before the answer too, and not after the end")
    func effects() {
        func trickled(_ effects: [LegEffect]) -> [String] { effects.compactMap { if case .trickle(let fragment) = $0 { fragment } else { nil } } }
        var fixture = LegFixture.inbound()
        _ = fixture.apply(.invited(offer: "their sdp", number: "700"))
        #expect(trickled(fixture.apply(.trickled("early"))) == [])
        _ = fixture.seatDown()
        #expect(fixture.leg.phase != .up)
        #expect(trickled(fixture.apply(.trickled("a"))) == ["a"])
        var (answered, _) = LegFixture.answered(performing: .digitsReceive(DigitsReceive()))
        #expect(trickled(answered.apply(.trickled("b"))) == ["b"])
        _ = answered.apply(.byed)
        #expect(trickled(answered.apply(.trickled("c"))) == [])
    }
}
