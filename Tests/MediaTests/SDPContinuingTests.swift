import Addresses
import SDP
import Testing

@Suite("SDP: another goes on with a session (RFC 3264 §8)")
struct SDPContinuingTests {
    private static let here = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 30000)
    private static let there = SocketAddress(IPAddress(v4: 0x7f00_0002), port: 40000)

    private func offer(_ lines: String...) throws -> SessionDescription {
        try .parse("v=0\r\no=- 5 5 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + lines.map { $0 + "\r\n" }.joined())
    }

    @Test("session name and lines stay, the version is the next, and numbers keep their meaning")
    func goesOn() throws {
        var first = OfferAnswer(sessionID: 77, local: LocalMedia(address: Self.here))
        let answer = try first.answer(
            offer("m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"))
        // It may have been written down meanwhile.
        let remembered = try SessionDescription.parse(answer.description)
        let local = LocalMedia(address: Self.there)
        var second = try #require(OfferAnswer(continuing: remembered, local: local))
        let next = second.offer()
        #expect(next.origin.sessionID == "77" && next.origin.version == remembered.origin.version + 1)
        #expect(next.media.map(\.port) == [0, 40000] && next.media[0].kind == "video")
        #expect(next.connection?.ipAddress == Self.there.address)
        let events = try #require(next.media[1].payloadFormats.first { $0.codec.isTelephoneEvent })
        #expect(events.payloadType == 96)
        let agreement = try second.accept(offer("m=video 0 RTP/AVP 31", "m=audio 4000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"))
        #expect(agreement.telephoneEvent?.sendingPayloadType == 96 && agreement.codec?.codec == .pcma)
    }

    @Test("without audio of ours, or with a name that is no number, there is nothing to go on with")
    func nothing() throws {
        let local = LocalMedia(address: Self.there)
        #expect(OfferAnswer(continuing: try offer("m=audio 0 RTP/AVP 0"), local: local) == nil)
        #expect(OfferAnswer(continuing: try offer("m=video 5000 RTP/AVP 31"), local: local) == nil)
        let named = try SessionDescription.parse("v=0\r\no=- 99999999999999999999999 5 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n")
        #expect(OfferAnswer(continuing: named, local: local) == nil)
    }
}
