import Addresses
import Contracts
import MediaSession
import SDP
import Testing

@testable import MediaRelay

@Suite("MediaRelay: which codecs are used")
struct CodecChoiceTests {
    private func answer(_ choice: CodecChoice, _ formats: String, _ lines: String..., noise: Bool = false) throws -> [String] {
        let head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP \(formats)"]
        let offer = try SessionDescription.parse((head + lines).map { $0 + "\r\n" }.joined())
        var exchange = OfferAnswer(sessionID: 1, local: LocalMedia(address: SocketAddress(.loopbackIPv4, port: 4000)))
        let order = choice.prepare(&exchange, answering: offer, takesComfortNoise: noise)
        return try exchange.answer(offer, preferring: order).media[0].formats
    }

    @Test("Without a wish: G.711 wherever it is offered, in the phone's order; else what it has")
    func usual() throws {
        #expect(try answer(.usual, "9 8 0 18") == ["8", "0"])
        #expect(try answer(.usual, "9 18") == ["9", "18"])
        #expect(CodecChoice.usual.offered == ForwardingPlan.plainCodecs)
    }

    @Test("With a list: nothing else, in its order, with events on the clocks of its codecs")
    func ordered() throws {
        let choice = try #require(CodecChoice(names: ["g722", "PCMA"]))
        #expect(try answer(choice, "0 8 9 101", "a=rtpmap:101 telephone-event/8000") == ["9", "8", "101"])
        #expect(throws: OfferAnswer.Refusal.noCommonCodec) { try answer(choice, "0 18") }
        let wide = try #require(CodecChoice(names: ["opus", "PCMU"]))
        #expect(wide.offered.map(\.encoding) == ["opus/48000/2", "PCMU/8000", "telephone-event/8000", "telephone-event/48000"])
        #expect(wide.names == ["opus", "PCMU"])
    }

    @Test("No names are no wish; an unknown one is refused")
    func names() {
        #expect(CodecChoice(names: []) == .usual && CodecChoice(names: ["PCMU", "MP3"]) == nil)
    }

    @Test("RFC 3389: comfort noise is answered where it is offered and taken")
    func comfortNoise() throws {
        #expect(try answer(.usual, "0 13", noise: true) == ["0", "13"])
        #expect(try answer(.usual, "0 13", noise: false) == ["0"])
    }
}
