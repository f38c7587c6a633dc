import SDP
import Testing

@Suite("SDP: candidates that come later (RFC 8840)")
struct SDPTricklingTests {
    private func parse(_ lines: String...) throws -> SessionDescription {
        try SessionDescription.parse(trickled: Array(lines.map { $0 + "\r\n" }.joined().utf8))
    }

    @Test("§9: credentials of the session, candidates of the media its tag names")
    func fragment() throws {
        let fragment = try parse(
            "a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=ice-ufrag:8hhY", "m=audio 9 RTP/AVP 0", "a=mid:1",
            "a=candidate:1 1 UDP 2130706432 192.0.2.1 49203 typ host", "a=candidate:2 1 UDP 1 192.0.2.2 49204 typ host",
            "m=audio 9 RTP/AVP 0", "a=mid:2", "a=candidate:1 1 UDP 2130706432 192.0.2.1 49205 typ host", "a=end-of-candidates")
        let (first, second) = try (#require(fragment.index(ofMedia: "1")), #require(fragment.index(ofMedia: "2")))
        let ice = try #require(fragment.connectivity(ofMedia: first))
        #expect(ice.fragment == "8hhY" && ice.password == "asd88fgpdd777uzjYhagZg" && ice.candidates.count == 2 && !ice.isComplete)
        #expect(fragment.connectivity(ofMedia: second)?.candidates.count == 1 && fragment.connectivity(ofMedia: second)?.isComplete == true)
        #expect(fragment.index(ofMedia: "3") == nil)
    }

    @Test("§4.4: a stream is told of the candidates behind the line with its tag; where one of the two has no tag, a single line is meant")
    func lines() throws {
        let credentials = ["a=ice-ufrag:8hhY", "a=ice-pwd:asd88fgpdd777uzjYhagZg"]
        func trickled(_ mid: String?, _ lines: String...) throws -> Int? {
            try SessionDescription.parse(trickled: Array((credentials + lines).map { $0 + "\r\n" }.joined().utf8)).trickled(for: mid)?.candidates.count
        }
        let (line, candidate) = ("m=audio 9 RTP/AVP 0", "a=candidate:1 1 UDP 1 192.0.2.1 49203 typ host")
        #expect(try trickled("1", line, "a=mid:0", line, "a=mid:1", candidate) == 1)
        #expect(try trickled("0", line, "a=mid:0", line, "a=mid:1", candidate) == 0)
        #expect(try trickled("2", line, "a=mid:0", line, "a=mid:1", candidate) == nil)
        #expect(try trickled("2", line, "a=mid:0", candidate) == nil)
        #expect(try trickled(nil, line, "a=mid:0", candidate) == 1)
        #expect(try trickled("0", line, candidate) == 1)
        #expect(try trickled(nil, line, candidate, line) == nil)
        #expect(try trickled(nil, candidate) == nil)
        #expect(try parse("m=audio 9 RTP/AVP 0", "a=mid:0", candidate).trickled(for: "0") == nil, "whose they are is not said")
    }

    @Test("§9: the end alone says something, too")
    func end() throws {
        let fragment = try parse(
            "a=ice-ufrag:8hhY", "a=ice-pwd:asd88fgpdd777uzjYhagZg", "m=audio 9 RTP/AVP 0", "a=mid:1", "a=end-of-candidates")
        #expect(fragment.connectivity(ofMedia: 0)?.isComplete == true && fragment.connectivity(ofMedia: 0)?.candidates == [])
    }

    @Test("what is malformed is refused with its line")
    func malformed() {
        #expect(throws: ParseError.malformed(line: 2)) { try parse("a=ice-ufrag:8hhY", "m=audio") }
        #expect(throws: ParseError.malformed(line: 1)) { try parse("v=0") }
        #expect(throws: ParseError.tooLarge) { try parse(String(repeating: "a", count: 40_000)) }
    }
}
