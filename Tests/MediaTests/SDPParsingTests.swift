import Addresses
import SDP
import Testing

/// What a common desk phone offers.
let phoneOffer = """
    v=0\r
    o=alice 2890844526 2890844526 IN IP4 192.0.2.10\r
    s=call\r
    i=a lunch call\r
    c=IN IP4 192.0.2.10\r
    b=AS:84\r
    t=0 0\r
    r=7d 1h 0 25h\r
    a=tool:phone\r
    m=audio 49170 RTP/AVP 18 8 0 96\r
    a=rtpmap:18 G729/8000\r
    a=rtpmap:8 PCMA/8000\r
    a=rtpmap:0 PCMU/8000\r
    a=rtpmap:96 telephone-event/8000\r
    a=fmtp:96 0-15\r
    a=ptime:30\r
    a=rtcp:49180 IN IP4 192.0.2.11\r
    a=sendrecv\r
    m=video 51372/2 RTP/AVP 31\r
    i=a face\r
    c=IN IP4 192.0.2.12\r
    a=inactive\r
    x=of the future\r

    """

@Suite("SDP: parsing and printing (RFC 8866)")
struct SDPParsingTests {
    @Test("RFC 8866 §5: every line of an offer is understood or kept")
    func fields() throws {
        let session = try SessionDescription.parse(phoneOffer)
        #expect(session.origin.sessionID == "2890844526" && session.origin.version == 2_890_844_526)
        #expect(session.name == "call")
        #expect(session.otherLines.map(\.type) == ["i", "b", "t", "r"])
        #expect(session.media.count == 2)
        let audio = session.media[0], video = session.media[1]
        #expect(audio.port == 49170 && audio.transport == "RTP/AVP" && audio.packetTime == 30)
        #expect(audio.payloadFormats.map(\.codec.name) == ["G729", "PCMA", "PCMU", "telephone-event"])
        #expect(audio.payloadFormats.last == Format(payloadType: 96, codec: Codec("telephone-event", parameters: "0-15")))
        #expect(audio.rtcp?.port == 49180 && audio.rtcp?.address == IPAddress("192.0.2.11"))
        #expect(session.direction(ofMedia: 0) == .sendReceive && session.direction(ofMedia: 1) == .inactive)
        #expect(session.connection(ofMedia: 0)?.ipAddress == IPAddress("192.0.2.10"))
        #expect(session.connection(ofMedia: 1)?.ipAddress == IPAddress("192.0.2.12"))
        #expect(video.portCount == 2)
        // The X line had no place in the order of §5, the i= line had.
        #expect(video.otherLines == [Line("i", "a face"), Line("x", "of the future")])
    }

    @Test("What came in the order of RFC 8866 §5 goes out unchanged")
    func roundTrip() throws {
        let session = try SessionDescription.parse(phoneOffer)
        #expect(try SessionDescription.parse(session.bytes) == session)
        let withoutX = phoneOffer.split(separator: "\r\n").filter { !$0.hasPrefix("x=") }.map { $0 + "\r\n" }.joined()
        #expect(try SessionDescription.parse(withoutX).description == withoutX)
    }

    @Test("Line feeds alone, missing s= and t=, trailing blank lines and stray spaces are forgiven")
    func lenient() throws {
        let session = try SessionDescription.parse("v=0\no=- 1 1 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1 \nm=audio 4000 RTP/AVP 0\n\n")
        #expect(session.media[0].payloadFormats == [Format(payloadType: 0, codec: .pcmu)])
        #expect(session.connection?.ipAddress == .loopbackIPv4)
    }

    @Test(
        "A static payload type needs no rtpmap (RFC 3551 §6); an rtpmap overrides nothing it does not name",
        arguments: [(UInt8(0), "PCMU"), (8, "PCMA"), (9, "G722"), (18, "G729"), (3, "GSM")])
    func staticTypes(payloadType: UInt8, name: String) throws {
        let media = try SessionDescription.parse("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP \(payloadType)\r\n").media[0]
        #expect(media.payloadFormats.map(\.codec.name) == [name])
        #expect(media.payloadFormats[0].codec.staticPayloadType == payloadType)
    }

    @Test(
        "Descriptions that break the grammar are refused",
        arguments: [
            "", "v=1\r\n", "v=0\r\n", "v=0\r\no=- 1 1 IN IP4\r\n", "v=0\r\no=- 1 x IN IP4 1.1.1.1\r\n",
            "v=0\r\ns=-\r\no=- 1 1 IN IP4 1.1.1.1\r\n", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nc=IN\r\n",
            "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nm=audio\r\n", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nm=audio 70000 RTP/AVP 0\r\n",
            "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nm=audio -1 RTP/AVP 0\r\n", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nm=audio 1/0 RTP/AVP 0\r\n",
            "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nhello\r\n", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\na=\r\n",
            "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\n\r\na=x\r\n", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=a\u{0}b\r\n",
            "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=a\rb\r\n", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nm=audio 1 RTP/AVP 0\r\ns=late\r\n",
        ])
    func refused(text: String) {
        #expect(throws: ParseError.self) { try SessionDescription.parse(text) }
    }

    @Test("Size is bounded before anything is kept")
    func bounded() {
        let head = "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\n"
        let tooMany = [
            head + String(repeating: "a=x\r\n", count: 2000), head + String(repeating: "m=audio 0 RTP/AVP 0\r\n", count: 17),
            head + "s=" + String(repeating: "x", count: 40_000) + "\r\n",
        ]
        for text in tooMany { #expect(throws: ParseError.tooLarge) { try SessionDescription.parse(text) } }
        #expect(throws: ParseError.self) {
            try SessionDescription.parse(head + "m=audio 1 RTP/AVP" + String(repeating: " 0", count: 65) + "\r\n")
        }
    }

    @Test("No prefix and no single changed octet traps")
    func everyPrefix() {
        let bytes = Array(phoneOffer.utf8)
        for end in bytes.indices { _ = try? SessionDescription.parse(Array(bytes[..<end])) }
        for index in bytes.indices {
            for octet in [0, 0x20, 0x2f, 0x39, 0x3d, 0x80, 0xff] as [UInt8] {
                var changed = bytes
                changed[index] = octet
                guard let session = try? SessionDescription.parse(changed) else { continue }
                for media in session.media { _ = (media.payloadFormats, media.rtcp, media.direction, media.packetTime) }
            }
        }
    }
}
