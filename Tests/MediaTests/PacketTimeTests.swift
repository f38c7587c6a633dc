import Addresses
import Codecs
import MediaSession
import RTP
import SDP
import Testing

@Suite("What phones wish to be sent: the length of packets (RFC 8866 §6.4)")
struct PacketTimeTests {
    /// What the offer of a phone with these formats and attributes comes to.
    static func agreement(_ formats: String, _ attributes: [String]) throws -> Agreement {
        let head = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4000 RTP/AVP \(formats)"]
        let offer = try SessionDescription.parse((head + attributes.map { "a=\($0)" }).map { $0 + "\r\n" }.joined())
        var side = OfferAnswer(
            sessionID: 1, local: LocalMedia(address: SocketAddress(.loopbackIPv4, port: 2), codecs: ForwardingPlan.codecs))
        _ = try side.answer(offer)
        return try #require(side.agreement)
    }

    private static func sent(_ agreement: Agreement) throws -> [SessionRig.Packet] {
        var rig = try SessionRig(agreement)
        return rig.say((0..<9600).map { Int16($0 % 80 * 100 - 4000) }, from: 1)
    }

    @Test(
        "Opus has packets of 10, 20, 40 or 60 ms: as long as was wished, else shorter",
        arguments: [
            ([], 20), (["ptime:10"], 10), (["ptime:20"], 20), (["ptime:30"], 20), (["ptime:40"], 40), (["ptime:50"], 40), (["ptime:60"], 60),
            (["ptime:100"], 60), (["ptime:5"], 10), (["ptime:0"], 20), (["ptime:x"], 20),
            (["ptime:60", "maxptime:40"], 40), (["maxptime:10"], 10), (["maxptime:120"], 20),
            (["fmtp:111 minptime=40"], 40), (["fmtp:111 minptime=40", "ptime:10"], 40), (["fmtp:111 minptime=40", "maxptime:20"], 20),
            (["fmtp:111 minptime=10", "ptime:10"], 10),
        ] as [([String], Int)])
    func opus(lines: [String], milliseconds: Int) throws {
        let packets = try Self.sent(Self.agreement("111", ["rtpmap:111 opus/48000/2"] + lines))
        let decoder = try Decoder(.opus, rate: 8000)
        #expect(packets.count == 1200 / milliseconds)
        #expect(packets.allSatisfy { decoder.samples(in: $0.payload.span) == milliseconds * 8 })
        #expect(zip(packets, packets.dropFirst()).allSatisfy { $1.timestamp - $0.timestamp == milliseconds * 48 })
    }

    @Test(
        "Other codecs have what they can: G.711, G.722 and G.729 each 10 ms, GSM its frames of 20",
        arguments: [
            (0, 10, 10), (0, 30, 30), (0, 50, 50), (0, 60, 60), (0, 200, 60), (8, 35, 30), (9, 10, 10), (9, 50, 50), (18, 30, 30), (18, 40, 40),
            (3, 10, 20), (3, 30, 20), (3, 40, 40), (3, 60, 60),
        ] as [(UInt8, Int, Int)])
    func others(payloadType: UInt8, wished: Int, milliseconds: Int) throws {
        let packets = try Self.sent(Self.agreement("\(payloadType)", ["ptime:\(wished)"]))
        let bytesInTen: [UInt8: Int] = [0: 80, 8: 80, 9: 80, 18: 10]
        let bytes = bytesInTen[payloadType].map { $0 * milliseconds / 10 } ?? milliseconds / 20 * 33
        #expect(packets.count == 1200 / milliseconds && packets.allSatisfy { $0.payload.count == bytes && $0.type == payloadType })
        #expect(zip(packets, packets.dropFirst()).allSatisfy { $1.timestamp - $0.timestamp == milliseconds * 8 })
    }

    @Test("maxptime bounds G.711, too, and is not taken for a wish")
    func longest() throws {
        let bounded = try Self.sent(Self.agreement("0", ["ptime:60", "maxptime:30"]))
        let usual = try Self.sent(Self.agreement("0", ["maxptime:150"]))
        #expect(bounded.count == 40 && bounded.allSatisfy { $0.payload.count == 240 })
        #expect(usual.count == 60 && usual.allSatisfy { $0.payload.count == 160 })
    }
}
