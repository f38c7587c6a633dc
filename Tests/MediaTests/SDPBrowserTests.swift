import Addresses
import SDP
import Testing

private let digest = (0..<32).map { _ in "5A" }.joined(separator: ":")

/// What Chromium 156 offered for a call with sound and picture, with two more candidates and fewer video codecs.
private let chromiumOffer = """
    v=0\r
    o=- 4962303333179871722 2 IN IP4 127.0.0.1\r
    s=-\r
    t=0 0\r
    a=group:BUNDLE 0 1\r
    a=extmap-allow-mixed\r
    a=msid-semantic: WMS 8b1c\r
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r
    c=IN IP4 0.0.0.0\r
    a=rtcp:9 IN IP4 0.0.0.0\r
    a=candidate:1467250027 1 udp 2122260223 7c9d8a5e-1f3b-4a5e-9a6c-0c1d2e3f4a5b.local 46243 typ host generation 0 network-id 1\r
    a=candidate:435653019 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0\r
    a=ice-ufrag:EsAw\r
    a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r
    a=ice-options:trickle\r
    a=fingerprint:sha-256 \(digest)\r
    a=setup:actpass\r
    a=mid:0\r
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r
    a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r
    a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r
    a=sendrecv\r
    a=msid:8b1c 0c9a\r
    a=rtcp-mux\r
    a=rtcp-rsize\r
    a=rtcp-xr:rcvr-rtt=all\r
    a=rtpmap:111 opus/48000/2\r
    a=rtcp-fb:111 transport-cc\r
    a=fmtp:111 minptime=10;useinbandfec=1\r
    a=rtpmap:63 red/48000/2\r
    a=fmtp:63 111/111\r
    a=rtpmap:9 G722/8000\r
    a=rtpmap:0 PCMU/8000\r
    a=rtpmap:8 PCMA/8000\r
    a=rtpmap:13 CN/8000\r
    a=rtpmap:110 telephone-event/48000\r
    a=rtpmap:126 telephone-event/8000\r
    a=ssrc:1366781083 cname:4TOk42mSjXCkVIa6\r
    a=ssrc:1366781083 msid:8b1c 0c9a\r
    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r
    c=IN IP4 0.0.0.0\r
    a=rtcp:9 IN IP4 0.0.0.0\r
    a=ice-ufrag:EsAw\r
    a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r
    a=ice-options:trickle\r
    a=fingerprint:sha-256 \(digest)\r
    a=setup:actpass\r
    a=mid:1\r
    a=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r
    a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r
    a=sendrecv\r
    a=msid:- 4f589d43-b7fe-4f12-a528-ad8f99d3bcdd\r
    a=rtcp-mux\r
    a=rtcp-rsize\r
    a=rtcp-xr:rcvr-rtt=all\r
    a=rtpmap:96 VP8/90000\r
    a=rtcp-fb:96 goog-remb\r
    a=rtcp-fb:96 ccm fir\r
    a=rtcp-fb:96 nack pli\r
    a=rtpmap:97 rtx/90000\r
    a=fmtp:97 apt=96\r
    a=ssrc-group:FID 4115397926 3345509554\r
    a=ssrc:4115397926 cname:4TOk42mSjXCkVIa6\r
    a=ssrc:3345509554 cname:4TOk42mSjXCkVIa6\r

    """

@Suite("SDP: browsers (RFC 8829)")
struct SDPBrowserTests {
    private let codecs: [Codec] = [.pcmu, .pcma, .opus, .g722, .telephoneEvent(48_000), .telephoneEvent]
    private let ice = Connectivity(
        fragment: "tdmA", password: "ourpasswordourpassword00", isLite: true, candidates: ["1 1 udp 2130706431 192.0.2.99 30000 typ host"])

    private func browser() throws -> OfferAnswer {
        let fingerprint = try #require(Fingerprint("sha-256 \(digest)"))
        let local = LocalMedia.browser(
            address: SocketAddress(IPAddress(v4: 0xc000_0263), port: 30000), codecs: codecs, fingerprint: fingerprint, ice: ice)
        return OfferAnswer(sessionID: 7, local: local)
    }

    @Test("a browser's offer is answered as a lite agent that waits for its handshake, octet for octet")
    func answer() throws {
        var side = try browser()
        let answer = try side.answer(.parse(chromiumOffer), preferring: [.pcmu])
        #expect(
            answer.description == """
                v=0\r
                o=- 7 7 IN IP4 192.0.2.99\r
                s=-\r
                c=IN IP4 192.0.2.99\r
                t=0 0\r
                a=group:BUNDLE 0\r
                a=ice-lite\r
                m=audio 30000 UDP/TLS/RTP/SAVPF 0 111 9 8 110 126\r
                a=mid:0\r
                a=rtpmap:0 PCMU/8000\r
                a=rtpmap:111 opus/48000/2\r
                a=fmtp:111 minptime=10;useinbandfec=1\r
                a=rtpmap:9 G722/8000\r
                a=rtpmap:8 PCMA/8000\r
                a=rtpmap:110 telephone-event/48000\r
                a=fmtp:110 0-16\r
                a=rtpmap:126 telephone-event/8000\r
                a=fmtp:126 0-16\r
                a=ptime:20\r
                a=sendrecv\r
                a=rtcp-mux\r
                a=rtcp-xr:rcvr-rtt=all\r
                a=fingerprint:sha-256 \(digest)\r
                a=setup:passive\r
                a=ice-ufrag:tdmA\r
                a=ice-pwd:ourpasswordourpassword00\r
                a=candidate:1 1 udp 2130706431 192.0.2.99 30000 typ host\r
                a=end-of-candidates\r
                m=video 0 UDP/TLS/RTP/SAVPF 96 97\r
                a=mid:1\r

                """)
    }

    @Test("an address that is still to come is no hold, and its candidates are kept as they are")
    func agreement() throws {
        var side = try browser()
        _ = try side.answer(.parse(chromiumOffer))
        let agreement = try #require(side.agreement)
        #expect(agreement.direction == .sendReceive && agreement.multiplexesRTCP)
        let theirs = try #require(agreement.ice)
        #expect(theirs.fragment == "EsAw" && theirs.password == "bP+XJMM09aR8AiX1jdukzR6Y" && theirs.trickles)
        #expect(!theirs.isLite && !theirs.isComplete && theirs.candidates.count == 2)
        // Their order stays when nothing is preferred; the events on the clock of the sound are chosen (RFC 4733 §2.1).
        #expect(agreement.codec?.sendingPayloadType == 111 && agreement.telephoneEvent?.sendingPayloadType == 110)
        #expect(agreement.codec?.remoteParameters == "minptime=10;useinbandfec=1")
    }

    @Test("RFC 4733 §2.1: with sound on another clock, the events on that one")
    func events() throws {
        var side = try browser()
        _ = try side.answer(.parse(chromiumOffer), preferring: [.pcmu])
        #expect(side.agreement?.telephoneEvent?.sendingPayloadType == 126)
    }

    @Test("our offer to a browser, and its answer")
    func offer() throws {
        var side = try browser()
        let ours = side.offer()
        #expect(ours.bundles == [["0"]] && ours.isICELite && ours.media[0].mid == "0" && ours.media[0].multiplexesRTCP)
        #expect(ours.media[0].transport == "UDP/TLS/RTP/SAVPF" && ours.setup(ofMedia: 0) == .either)
        #expect(ours.connectivity(ofMedia: 0) == ice)
        #expect(ours.media[0].formats == ["0", "8", "96", "9", "101", "97"])
        let answer = chromiumOffer.replacing("a=setup:actpass", with: "a=setup:active").split(separator: "m=video")[0]
        let agreement = try side.accept(.parse(String(answer)))
        guard case .dtls(let terms) = agreement.security else { return #expect(Bool(false), "no handshake was agreed on") }
        #expect(!terms.isClient && agreement.ice?.fragment == "EsAw")
        // A later offer is the same one, with the same tag.
        #expect(side.offer() == ours)
    }

    @Test("RFC 9143 §6: sound that travels only in the bundle takes its path from the first of the bundle")
    func bundleOnly() throws {
        var side = try browser()
        let text = """
            v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=group:BUNDLE v a\r
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=rtcp-mux\r\na=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r
            a=fingerprint:sha-256 \(digest)\r\na=setup:actpass\r
            m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:a\r\na=bundle-only\r\na=rtcp-mux\r

            """
        let answer = try side.answer(.parse(text))
        #expect(answer.media.map(\.port) == [0, 30000] && answer.bundles == [["a"]] && answer.media.map(\.mid) == ["v", "a"])
        #expect(side.agreement?.ice?.fragment == "EsAw" && side.agreement?.security.kind == .dtls)
    }

    @Test("who offers no ICE is answered without it")
    func withoutICE() throws {
        var side = try browser()
        let text = chromiumOffer.split(separator: "\r\n").filter { !$0.hasPrefix("a=ice") && !$0.hasPrefix("a=candidate") }
            .map { $0.replacing("c=IN IP4 0.0.0.0", with: "c=IN IP4 192.0.2.7") + "\r\n" }.joined()
        let answer = try side.answer(.parse(text))
        #expect(answer.connectivity(ofMedia: 0) == nil && !answer.isICELite && side.agreement?.ice == nil)
        #expect(side.agreement?.remote == SocketAddress("192.0.2.7:9"))
    }

    @Test("no prefix and no changed octet of an offer traps, and what is answered is a description")
    func changed() throws {
        let bytes = Array(chromiumOffer.utf8)
        var answered = 0
        func answer(_ bytes: [UInt8]) throws {
            guard let offer = try? SessionDescription.parse(bytes) else { return }
            var side = try browser()
            guard let answer = try? side.answer(offer, preferring: [.pcmu]) else { return #expect(side.agreement == nil) }
            #expect(try SessionDescription.parse(answer.bytes) == answer)
            #expect(answer.media.count == offer.media.count)
            answered += 1
        }
        for end in stride(from: 0, to: bytes.count, by: 3) { try answer(Array(bytes[..<end])) }
        for index in bytes.indices {
            for octet in [0x20, 0x2f, 0x39, 0x3a] as [UInt8] {
                var changed = bytes
                changed[index] = octet
                try answer(changed)
            }
        }
        #expect(answered > 1000)
    }
}
