import Addresses
import NG
import SDP
import Testing

@Suite("ng: descriptions passed on")
struct RewritingTests {
    private let browser = [
        "v=0", "o=- 4 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "a=ice-options:trickle", "a=fingerprint:sha-256 \(Array(repeating: "AA", count: 32).joined(separator: ":"))",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0", "a=candidate:1 1 udp 1 192.0.2.1 5 typ host", "a=ice-ufrag:abcd",
        "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa", "a=setup:actpass", "a=mid:0", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc",
        "a=extmap:1 urn:x", "a=ssrc:5 cname:x", "a=sendrecv", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:1",
    ].map { $0 + "\r\n" }.joined()

    private func local(_ transport: String) -> LocalStream {
        LocalStream(address: SocketAddress(IPAddress("198.51.100.1") ?? .anyIPv4, port: 30_000), transport: transport)
    }

    @Test("RFC 8829, RFC 3264: nothing of a browser's path, keys and bundle is left for a phone; its codecs and sources are")
    func forPhone() throws {
        let description = try SessionDescription.parse(browser)
        let changed = description.rewritten([local("RTP/AVP"), nil], Options(["replace": .texts(["origin"])]))
        let text = changed.description
        for gone in ["candidate", "ice-", "fingerprint", "setup", "BUNDLE", "rtcp-mux", "rtcp-fb", "0.0.0.0"] {
            #expect(!text.contains(gone) || gone == "0.0.0.0", "\(gone) is left in\n\(text)")
        }
        for kept in ["m=audio 30000 RTP/AVP 111 0", "a=rtpmap:111", "a=extmap:1", "a=ssrc:5", "a=mid:0", "a=rtcp:30001", "m=application 0 ", "o=- 4 2 IN IP4 198.51.100.1"] {
            #expect(text.contains(kept), "\(kept) is missing in\n\(text)")
        }
    }

    @Test("RFC 3264 §6: a stream of which no format is left is refused, and what is passed on can be read")
    func nothingLeft() throws {
        var stream = local("RTP/AVP")
        stream.formats = []
        let changed = try SessionDescription.parse(browser).rewritten([stream, nil], Options([:]))
        #expect(changed.media[0].port == 0 && changed.media[0].formats == ["111", "0"])
        #expect(try SessionDescription.parse(changed.description).media.count == 2)
    }

    @Test("RFC 8839, RFC 5763, RFC 5761: ours stand in their place for a browser")
    func forBrowser() throws {
        let phone = "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4009\r\n"
        var stream = local("UDP/TLS/RTP/SAVPF")
        stream.ice = Connectivity(fragment: "wxyz", password: String(repeating: "b", count: 24), isLite: true, candidates: ["1 1 UDP 1 198.51.100.1 30000 typ host"])
        (stream.multiplexes, stream.setup) = (true, .either)
        stream.fingerprints = [Fingerprint("sha-256 " + Array(repeating: "BB", count: 32).joined(separator: ":"))].compactMap(\.self)
        let text = try SessionDescription.parse(phone).rewritten([stream], Options(["flags": .texts(["generate-mid"])])).description
        for kept in [
            "c=IN IP4 198.51.100.1", "o=- 1 1 IN IP4 192.0.2.5", "a=ice-lite", "a=rtcp-mux", "a=setup:actpass", "a=fingerprint:sha-256 BB", "a=ice-ufrag:wxyz",
            "a=candidate:1 1 UDP", "a=mid:0", "a=rtcp:30000", "a=rtpmap:0 PCMU/8000", "a=sendrecv",
        ] { #expect(text.contains(kept), "\(kept) is missing in\n\(text)") }
        #expect(!text.contains("4009"))
    }

    @Test("RFC 8829 §5.2.1: a browser is told every format and the direction once, a phone no more than was said")
    func spelledOut() throws {
        let phone = "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\na=sendonly\r\nm=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 opus/48000/2\r\n"
        func lines(_ transport: String) throws -> [String] {
            try SessionDescription.parse(phone).rewritten([local(transport)], Options()).description.split(separator: "\r\n").map(String.init)
        }
        let told = try lines("UDP/TLS/RTP/SAVPF")
        for line in ["a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 opus/48000/2"] { #expect(told.count { $0 == line } == 1, "\(line)") }
        #expect(told.count { $0 == "a=sendonly" } == 2 && !told.contains("a=sendrecv"))
        let plain = try lines("RTP/AVP")
        #expect(!plain.contains("a=rtpmap:0 PCMU/8000") && plain.count { $0 == "a=sendonly" } == 1)
    }

    @Test("RFC 3605, RFC 5761, RFC 8839: where a stream is wanted, whichever way it is said")
    func streams() throws {
        let description = try SessionDescription.parse(browser)
        let audio = try #require(try StreamDescription(description, 0))
        #expect(audio.ice?.fragment == "abcd" && audio.multiplexes && audio.setup == .either && audio.fingerprints.count == 1)
        #expect(try StreamDescription(description, 1) == nil)
        let source = Options(["flags": .texts(["SIP-source-address"]), "received-from": .texts(["IP4", "203.0.113.4"])])
        let phone = try SessionDescription.parse(
            "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4009\r\nm=audio 0 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 0\r\nc=IN IP4 a.example\r\n")
        #expect(try StreamDescription(phone, 0, source)?.control == SocketAddress("203.0.113.4:4009"))
        #expect(try StreamDescription(phone, 0)?.remote == SocketAddress("10.0.0.1:4000"))
        #expect(try StreamDescription(phone, 1) == nil)
        #expect(throws: StreamDescription.Mistake.noAddress) { try StreamDescription(phone, 2) }
    }
}
