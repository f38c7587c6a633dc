import Addresses
import SDP
import Testing

@Suite("SDP: codecs")
struct SDPCodecTests {
    private func format(_ number: Int, _ encoding: String?, _ parameters: String? = nil) throws -> Codec? {
        let lines = [encoding.map { "a=rtpmap:\(number) \($0)\r\n" }, parameters.map { "a=fmtp:\(number) \($0)\r\n" }]
            .compactMap(\.self).joined()
        let text = "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nc=IN IP4 1.1.1.1\r\nm=audio 9 RTP/AVP \(number)\r\n" + lines
        return try SessionDescription.parse(text).media[0].payloadFormats.first?.codec
    }

    @Test("RFC 7587 §6.1: every parameter of Opus is read, and what is out of range is not")
    func opus() throws {
        let codec = try #require(
            try format(
                111, "OPUS/48000/2",
                "minptime=10; useinbandfec=1;usedtx=1; stereo=1;sprop-stereo=1;cbr=1;maxaveragebitrate=24000;maxplaybackrate=16000"))
        let parameters = try #require(codec.opusParameters)
        #expect(parameters.usesInbandFEC && parameters.usesDTX && parameters.prefersStereo && parameters.sendsStereo)
        #expect(parameters.usesConstantBitRate && parameters.maximumAverageBitRate == 24_000)
        #expect(parameters.maximumPlaybackRate == 16_000 && parameters.minimumPacketTime == 10)
        #expect(Codec.opus(parameters).opusParameters == parameters)
        let odd = "maxaveragebitrate=5;;=;x;maxplaybackrate=99999999999999999999;minptime=0;stereo=2"
        #expect(try format(111, "opus/48000/2", odd)?.opusParameters == OpusParameters())
        #expect(try format(96, "opus/48000")?.opusParameters == nil)
    }

    @Test("RFC 3551 §4.5.2: G.722 has a clock of 8000 and sound of 16000")
    func g722() throws {
        let codec = try #require(try format(9, nil))
        #expect(codec.isSameFormat(as: .g722) && codec.clockRate == 8_000 && codec.samplingRate == 16_000 && codec.staticPayloadType == 9)
    }

    @Test(
        "RFC 4856 §2.1.9: G.729 may describe silence unless it says no",
        arguments: [(nil, true), ("annexb=no", false), ("AnnexB=NO", false), ("annexb=yes", true)] as [(String?, Bool)])
    func g729(parameters: String?, usesAnnexB: Bool) throws {
        #expect(try format(18, "G729/8000", parameters)?.usesAnnexB == usesAnnexB)
        #expect(Codec.g729.usesAnnexB == false && Codec.pcmu.usesAnnexB == nil)
    }

    @Test("the other formats under their names", arguments: [
        (3, nil, Codec.gsm), (11, nil, .linear(44_100)), (10, nil, .linear(44_100, channels: 2)), (97, "L16/16000", .linear(16_000)),
        (98, "L16/48000/2", .linear(48_000, channels: 2)), (13, nil, .comfortNoise()), (99, "CN/16000", .comfortNoise(16_000)),
        (100, "telephone-event/16000", .telephoneEvent(16_000)),
    ] as [(Int, String?, Codec)])
    func others(number: Int, encoding: String?, codec: Codec) throws {
        #expect(try format(number, encoding)?.isSameFormat(as: codec) == true)
    }

    @Test("RFC 3264 §6.1: what needs no transcoding comes first where the caller says so, the rest in the offer's order")
    func preference() throws {
        let offer = try SessionDescription.parse(
            "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nc=IN IP4 1.1.1.1\r\nm=audio 9 RTP/AVP 111 9 18 0 8\r\na=rtpmap:111 opus/48000/2\r\n")
        let local = LocalMedia(address: SocketAddress(.loopbackIPv4, port: 2), codecs: [.pcma, .pcmu, .g729, .g722, .opus])
        func formats(_ order: [Codec]) throws -> [String] {
            var side = OfferAnswer(sessionID: 1, local: local)
            return try side.answer(offer, preferring: order).media[0].formats
        }
        #expect(try formats([]) == ["111", "9", "18", "0", "8"])
        #expect(try formats([.pcmu, .g722]) == ["0", "9", "111", "18", "8"])
        #expect(try formats([.gsm]) == ["111", "9", "18", "0", "8"])
    }

    @Test("RFC 5576 §4.1: the sources a description names")
    func sources() throws {
        let lines = ["ssrc:7 cname:x", "ssrc:7 msid:a", "ssrc:4294967295 cname:x", "ssrc:4294967296 x", "ssrc"]
        let text = "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\nm=audio 9 RTP/AVP 0\r\n" + lines.map { "a=\($0)\r\n" }.joined()
        #expect(try SessionDescription.parse(text).media[0].sources == [7, .max])
    }
}
