import Deadlines
import NG
import SDP
import Testing

@testable import MediaRelay

@Suite("MediaRelay: candidates that come later over ng (RFC 8840)")
struct NGFragmentTests {
    private let to: [String: Value] = ["to-tag": .text("b")]
    private static let plain = "v=0\r\no=bob 7 3 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n"

    /// Of a side with that tag: its candidate is that port.
    private func fragment(_ port: UInt16, _ fragment: String = "EsAw") -> [String: Value] {
        let lines = [
            "a=ice-ufrag:\(fragment)", "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y", "m=audio 9 RTP/AVP 0", "a=mid:0",
            "a=candidate:1 1 udp 2130706431 127.0.0.1 \(port) typ host",
        ]
        return ["flags": .texts(["fragment"]), "sdp": .text(lines.map { $0 + "\r\n" }.joined())]
    }

    private static let lite = ["a=ice-lite", "a=ice-ufrag:EsAw", "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y", "a=ice-options:trickle"]

    /// An offerer that answers checks and makes none, and has said nothing of where it is.
    private static func waiting() -> String {
        (["v=0", "o=bob 7 3 IN IP4 192.0.2.9", "s=-", "c=IN IP4 0.0.0.0", "t=0 0"] + lite + ["m=audio 9 RTP/AVP 0", "a=rtcp-mux", "a=mid:0"])
            .map { $0 + "\r\n" }.joined()
    }

    @Test("RFC 8840: fragment: a candidate that comes after the answer, before it, or before the call is checked; of other credentials none is", arguments: 0...3)
    func fragments(order: Int) async throws {
        let relay = try NGRelay()
        let ear = try Ear()
        let ok: [String: Value] = ["result": .text("ok")]
        func trickle(when time: Int) async throws {
            guard order == time else { return }
            #expect(try await relay.ask("offer", fragment(ear.port)) == ok)
        }
        try await trickle(when: 0)
        _ = try await relay.describe("offer", Self.waiting())
        try await trickle(when: 1)
        let answer = try await relay.describe("answer", Self.plain, to.merging(["flags": .texts(["trickle ICE"])]) { $1 })
        #expect(answer.connectivity(ofMedia: 0)?.trickles == true && !answer.isICELite)
        try await trickle(when: 2)
        if order == 3 {
            #expect(try await relay.ask("offer", fragment(ear.port, "other")) == ok)
            let hearsNothing = try await ear.hearsNothing()
            #expect(hearsNothing)
        } else {
            // RFC 8489 §5: a Binding request.
            #expect(try await ear.hears().prefix(2) == [0, 1])
        }
    }

    @Test("RFC 8840 §9: a fragment that cannot be read is an error; without the flag nobody is told that candidates may come later")
    func badFragments() async throws {
        let relay = try NGRelay()
        let bad: [String: Value] = ["flags": .texts(["fragment"]), "sdp": .text("v=0\r\n")]
        #expect(try await relay.ask("offer", bad)["result"] == .text("error"))
        _ = try await relay.describe("offer", Self.waiting())
        let answer = try await relay.describe("answer", Self.plain, to)
        #expect(answer.connectivity(ofMedia: 0)?.options == ["ice2"])
        let offer = try await relay.describe(
            "offer", Self.plain, ["call-id": .text("d"), "ICE": .text("force"), "flags": .texts(["trickle-ice"])])
        #expect(offer.connectivity(ofMedia: 0)?.options == ["ice2", "trickle"])
    }

    @Test("fragments before their call are kept for a while, and not without end")
    func strays() throws {
        var strays = StrayFragments()
        let description = try SessionDescription.parse(trickled: Array("a=end-of-candidates\r\n".utf8))
        let start = Instant(nanoseconds: 1_000_000_000)
        for number in 0..<300 { strays.keep(Fragment(tag: "\(number)", description: description), of: number < 50 ? "a" : "b", until: start + .seconds(3), now: start) }
        #expect(strays.take("a", now: start).map(\.tag) == (44..<50).map { "\($0)" })
        #expect(strays.take("a", now: start).isEmpty)
        #expect(strays.take("b", now: start + .seconds(3)).isEmpty)
    }
}
