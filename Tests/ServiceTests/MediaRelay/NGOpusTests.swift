import Audio
import NG
import RTP
import SDP
import Testing

@testable import MediaRelay

@Suite("MediaRelay: Opus in calls over ng that go through the codecs")
struct NGOpusTests {
    private let to: [String: Value] = ["to-tag": .text("b")]

    private static func sdp(_ port: UInt16, _ format: String, _ attributes: String...) -> String {
        (["v=0", "o=bob 7 3 IN IP4 192.0.2.9", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(port) RTP/AVP \(format)"]
            + attributes.map { "a=\($0)" }).map { $0 + "\r\n" }.joined()
    }

    private static func packet(_ sequence: UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        Header(
            payloadType: .pcmu, sequence: SequenceNumber(sequence), timestamp: Timestamp(UInt32(sequence) * 160), ssrc: SSRC(9)
        ).append(to: &bytes)
        let shift = Int(sequence) * 7
        let sound = (0..<160).map { Int16(($0 + shift) % 73 * 100 - 3600) }
        return bytes + G711.encode(sound, .ulaw)
    }

    /// What a caller with those attributes is sent while a callee with G.711 speaks for 200 ms, and what it is answered.
    private func call(_ relay: NGRelay, _ attributes: [String], packets: Int) async throws -> (heard: [[UInt8]], answer: SessionDescription) {
        let (caller, callee) = (try Ear(), try Ear())
        let lines = (["rtpmap:96 opus/48000/2"] + attributes).map { "a=\($0)\r\n" }.joined()
        let flags: [String: Value] = ["flags": .texts(["codec-mask-all", "codec-transcode-PCMU"])]
        let offer = try await relay.describe("offer", Self.sdp(caller.port, "96") + lines, flags)
        #expect(offer.media[0].formats == ["0"])
        let answer = try await relay.describe("answer", Self.sdp(callee.port, "0", "ptime:20"), to)
        for sequence in UInt16(1)...10 { callee.send(Self.packet(sequence), to: offer.media[0].port) }
        var heard: [[UInt8]] = []
        for _ in 0..<packets { heard.append(try await caller.hears()) }
        #expect(try await caller.hearsNothing())
        return (heard, answer)
    }

    @Test("RFC 7587 §6.1, RFC 8866 §6.4: an offerer is sent what its fmtp and its lengths of packets wish for")
    func wishes() async throws {
        let relay = try NGRelay()
        let (heard, _) = try await call(relay, ["fmtp:96 cbr=1;maxaveragebitrate=16000", "ptime:60", "maxptime:40"], packets: 5)
        // 16,000 bits a second in 40 ms.
        #expect(heard.allSatisfy { $0.count == 12 + 80 })
        let times = try heard.map { try Header(parsing: $0.span).timestamp }
        #expect(zip(times, times.dropFirst()).allSatisfy { $1.distance(from: $0) == 1920 })
    }

    @Test("RFC 7587 §6.1: the answer says what the relay takes, whatever the offerer wishes")
    func answer() async throws {
        let relay = try NGRelay()
        let (heard, answer) = try await call(relay, ["fmtp:96 maxaveragebitrate=6000;stereo=1;usedtx=1"], packets: 10)
        #expect(answer.media[0].payloadFormats.map(\.codec.parameters) == ["minptime=10;useinbandfec=1"])
        // RFC 6716 §3.1: narrowband, one channel.
        #expect(heard.allSatisfy { $0.count > 12 && $0[12] == 0x08 })
    }
}
