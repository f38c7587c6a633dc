import Codecs
import RTP
import SDP
import Testing

@testable import MediaRelay

@Suite("MediaRelay: phones that speak G.729, GSM or L16 (RFC 3551 §4.5)")
struct SpokenCodecTests {
    private static let ports: ClosedRange<UInt16> = 27600...27679
    static let codecs = [
        SpokenCodec(coding: .g729, payloadType: 18, encoding: "G729/8000"), SpokenCodec(coding: .gsm, payloadType: 3, encoding: "GSM/8000"),
        SpokenCodec(coding: .linear(rate: 8_000), payloadType: 96, encoding: "L16/8000"),
        SpokenCodec(coding: .linear(rate: 16_000), payloadType: 97, encoding: "L16/16000"),
    ]

    @Test(
        "RFC 3551 §4.5.6, §4.5.8, §4.5.11: a phone that offers that codec alone is answered with it, and heard inside as PCMU; what is said inside it hears in its codec",
        arguments: codecs)
    func translated(codec: SpokenCodec) async throws {
        let relay = try SoundRelay(.patient(Self.ports))
        let (phone, room) = (try ToneSide(codec, frequency: 600), try ToneSide(.pcmu, frequency: 1130))
        let (answer, inside) = try await relay.join(phone, with: room)
        #expect(answer.media[0].formats == ["\(codec.payloadType)"])
        try await talk((phone, answer.media[0].port), (room, inside))
        #expect(room.hears(phone), room.report(on: phone))
        #expect(phone.hears(room), phone.report(on: room))
    }

    @Test("What two linked phones say in the same codec passes as it is, byte by byte, under the number that each gave it", arguments: codecs)
    func linked(codec: SpokenCodec) async throws {
        let relay = try SoundRelay(.patient(Self.ports))
        let (first, second) = (try ToneSide(codec, frequency: 600), try ToneSide(codec.renumbered, frequency: 1130))
        let firstPort = try await relay.open("a", for: first.ear, [first.codec.format]).answer.media[0].port
        let secondPort = try await relay.open("b", for: second.ear, [second.codec.format]).answer.media[0].port
        try await relay.link("a", with: "b")
        for (side, port, other) in [(first, firstPort, second), (second, secondPort, first)] {
            var last: Header?
            for _ in 0..<10 {
                let sent = side.packet()
                side.ear.send(sent, to: port)
                let heard = try await other.ear.hears()
                let header = try Header(parsing: heard.span)
                #expect(Array(heard.dropFirst(Header.length)) == Array(sent.dropFirst(Header.length)))
                #expect(header.payloadType.value == other.codec.payloadType)
                if let last {
                    #expect(header.ssrc == last.ssrc && header.sequence == last.sequence.next)
                    #expect(header.timestamp.distance(from: last.timestamp) == codec.coding.clockRate / 50)
                }
                last = header
            }
        }
    }
}
