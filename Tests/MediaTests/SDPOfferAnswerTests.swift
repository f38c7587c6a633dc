import Addresses
import SDP
import Testing

private func local(_ port: UInt16 = 30000, codecs: [Codec] = [.pcmu, .pcma, .telephoneEvent]) -> LocalMedia {
    LocalMedia(address: SocketAddress(IPAddress(v4: 0x7f00_0001), port: port), codecs: codecs)
}

private func offer(_ lines: String..., connection: String = "IN IP4 192.0.2.1") throws -> SessionDescription {
    try .parse("v=0\r\no=- 5 5 IN IP4 192.0.2.1\r\ns=-\r\nc=\(connection)\r\nt=0 0\r\n" + lines.map { $0 + "\r\n" }.joined())
}

@Suite("SDP: offer and answer (RFC 3264)")
struct SDPOfferAnswerTests {
    @Test("§6: the first audio stream is taken, the others are refused with port 0, in the offer's order")
    func answer() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        let answer = try side.answer(
            offer(
                "m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 18 8 0 96", "a=rtpmap:96 telephone-event/8000",
                "m=audio 4002 RTP/AVP 0"))
        #expect(answer.media.map(\.port) == [0, 30000, 0])
        #expect(answer.media[0].formats == ["31"] && answer.media[0].kind == "video")
        // §6.1: our numbers for dynamic types are the offerer's, and so is the order.
        #expect(answer.media[1].formats == ["8", "0", "96"])
        #expect(answer.media[1].direction == .sendReceive && answer.media[1].packetTime == 20)
        let agreement = try #require(side.agreement)
        #expect(agreement.codec?.codec == .pcma)
        #expect(agreement.telephoneEvent?.sendingPayloadType == 96)
        #expect(agreement.remote == SocketAddress("192.0.2.1:4000") && agreement.remoteControl == SocketAddress("192.0.2.1:4001"))
    }

    @Test("§6: no codec, no address, no audio: a typed refusal that leaves the agreement alone")
    func refusals() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        let good = try side.answer(offer("m=audio 4000 RTP/AVP 0"))
        let before = side
        let cases: [(SessionDescription, OfferAnswer.Refusal)] = try [
            (offer("m=audio 4000 RTP/AVP 18 9"), .noCommonCodec),
            (offer("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), .noCommonCodec),
            (offer("m=audio 0 RTP/AVP 0"), .noAudio), (offer("m=video 4000 RTP/AVP 0"), .noAudio), (offer(), .noAudio),
            (offer("m=audio 4000 RTP/SAVP 0"), .noAudio), (offer("m=audio 4000 RTP/AVP 0", connection: "IN IP4 phone.example"), .noAddress),
            // RFC 3264 §5: a group's address has the whole group called.
            (offer("m=audio 4000 RTP/AVP 0", connection: "IN IP4 239.1.2.3"), .noAddress),
            (offer("m=audio 4000 RTP/AVP 0", connection: "IN IP4 255.255.255.255"), .noAddress),
            (offer("m=audio 4000 RTP/AVP 0", connection: "IN IP6 ff02::1"), .noAddress),
        ]
        for (description, refusal) in cases {
            #expect(throws: refusal) { _ = try side.answer(description) }
            #expect(side == before)
        }
        #expect(side.localDescription == good)
    }

    @Test(
        "§6.1: the answer's direction for every offered and every wanted one",
        arguments: [
            ("sendrecv", Direction.sendReceive, "sendrecv"), ("sendonly", .sendReceive, "recvonly"), ("recvonly", .sendReceive, "sendonly"),
            ("inactive", .sendReceive, "inactive"), ("sendrecv", .sendOnly, "sendonly"), ("sendonly", .sendOnly, "inactive"),
            ("recvonly", .sendOnly, "sendonly"), ("sendrecv", .inactive, "inactive"), ("sendrecv", .receiveOnly, "recvonly"),
        ])
    func directions(offered: String, wanted: Direction, answered: String) throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        let answer = try side.answer(offer("m=audio 4000 RTP/AVP 0", "a=\(offered)"), direction: wanted)
        #expect(answer.direction(ofMedia: 0).rawValue == answered)
        #expect(side.agreement?.direction.rawValue == answered)
    }

    @Test("§8.4: c=0.0.0.0 is the old way to hold: nothing is sent there")
    func legacyHold() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        let answer = try side.answer(offer("m=audio 4000 RTP/AVP 0", connection: "IN IP4 0.0.0.0"))
        #expect(answer.direction(ofMedia: 0) == .receiveOnly)
        #expect(side.agreement?.direction.sends == false)
    }

    @Test("§5, §6.1: our offer's numbers are what we receive, the answer's what we send")
    func weOffer() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        let ours = side.offer()
        #expect(ours.media[0].formats == ["0", "8", "101"])
        #expect(side.isOfferPending)
        let agreement = try side.accept(offer("m=audio 4000 RTP/AVP 8 97", "a=rtpmap:97 telephone-event/8000", "a=ptime:30"))
        #expect(agreement.codec == AgreedFormat(codec: .pcma, sendingPayloadType: 8, receivingPayloadType: 8))
        #expect(agreement.telephoneEvent == AgreedFormat(codec: .telephoneEvent, sendingPayloadType: 97, receivingPayloadType: 101))
        #expect(agreement.packetTime == 30 && !side.isOfferPending)
    }

    @Test("RFC 6337 §3.1.1: the answer of a provisional response is repeated or replaced by the final one's")
    func answeredAgain() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        _ = side.offer()
        let early = try side.accept(offer("m=audio 4000 RTP/AVP 0"))
        let again = try side.accept(offer("m=audio 4000 RTP/AVP 0"))
        let other = try side.accept(offer("m=audio 5000 RTP/AVP 8"))
        #expect(early == again && other.remote.port == 5000 && side.agreement == other && !side.isOfferPending)
        _ = try side.answer(offer("m=audio 4000 RTP/AVP 0"))
        #expect(throws: OfferAnswer.Refusal.unexpectedAnswer) { try side.accept(offer("m=audio 4000 RTP/AVP 0")) }
    }

    @Test("§7: an answer that does not fit the offer is refused, and the offer can be withdrawn")
    func strangeAnswers() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        #expect(throws: OfferAnswer.Refusal.unexpectedAnswer) { try side.accept(offer("m=audio 4000 RTP/AVP 0")) }
        _ = side.offer()
        #expect(throws: OfferAnswer.Refusal.unexpectedAnswer) { try side.accept(offer("m=audio 1 RTP/AVP 0", "m=audio 2 RTP/AVP 0")) }
        #expect(throws: OfferAnswer.Refusal.noAudio) { try side.accept(offer("m=audio 0 RTP/AVP 0")) }
        #expect(throws: OfferAnswer.Refusal.noCommonCodec) { try side.accept(offer("m=audio 1 RTP/AVP 18")) }
        side.withdrawOffer()
        #expect(!side.isOfferPending && side.agreement == nil)
    }

    @Test("§8: the version grows by one when the description changes, and only then")
    func versions() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        let first = try side.answer(offer("m=audio 4000 RTP/AVP 0"))
        let same = try side.answer(offer("m=audio 4000 RTP/AVP 0"))
        let held = try side.answer(offer("m=audio 4000 RTP/AVP 0", "a=sendonly"))
        let resumed = side.offer()
        #expect([first, same, held, resumed].map(\.origin.version) == [7, 7, 8, 9])
        #expect(Set([first, same, held, resumed].map(\.origin.sessionID)) == ["7"])
    }

    @Test("§8: a later offer keeps the number of media lines and the meaning of payload types")
    func laterOffer() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        _ = try side.answer(offer("m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000"))
        let next = side.offer(direction: .sendOnly)
        #expect(next.media.map(\.port) == [0, 30000])
        #expect(next.media[1].formats == ["0", "8", "96"] && next.media[1].direction == .sendOnly)
    }

    @Test("RFC 5761, RFC 3605: where their RTCP goes")
    func controlAddress() throws {
        var side = OfferAnswer(sessionID: 7, local: local())
        let answer = try side.answer(offer("m=audio 4000 RTP/AVP 0", "a=rtcp-mux"))
        #expect(answer.media[0].multiplexesRTCP && side.agreement?.remoteControl == SocketAddress("192.0.2.1:4000"))
        _ = try side.answer(offer("m=audio 4000 RTP/AVP 0", "a=rtcp:4100"))
        #expect(side.agreement?.remoteControl == SocketAddress("192.0.2.1:4100"))
        _ = try side.answer(offer("m=audio 65535 RTP/AVP 0"))
        #expect(side.agreement?.remote.port == 65535)
    }
}
