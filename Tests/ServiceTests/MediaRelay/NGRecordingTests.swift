import Audio
import Codecs
import NG
import RTP
import SDP
import SRTP
import Testing

@testable import MediaRelay

/// A phone that says a tone in a coding, a packet every 20 ms.
private final class Voice {
    private let ear: Ear
    private let payloadType: PayloadType
    private var encoder: Encoder
    private var tone: Tone
    private var sequence = SequenceNumber(7)
    private var timestamp = Timestamp(.random(in: .min ... .max))
    private let coding: Coding

    init(_ ear: Ear, _ coding: Coding, _ number: UInt8, _ frequency: Double) throws {
        (self.ear, self.coding, payloadType) = (ear, coding, PayloadType(number))
        encoder = try Encoder(coding)
        tone = Tone(frequencies: [frequency * 8000 / Double(encoder.rate)])
    }

    func say(to port: UInt16) {
        let sound = tone.next(encoder.rate / 50)
        var payload = [UInt8](repeating: 0, count: 1400)
        var room = payload.mutableSpan
        let length = encoder.encode(sound.span, into: &room, at: 0)
        var packet: [UInt8] = []
        Header(payloadType: payloadType, sequence: sequence, timestamp: timestamp, ssrc: SSRC(UInt32(payloadType.value) + 5)).append(to: &packet)
        ear.send(packet + payload.prefix(length), to: port)
        sequence = sequence.next
        timestamp = timestamp.advanced(by: coding.clockRate / 50)
    }
}

@Suite("MediaRelay: recordings over ng")
struct NGRecordingTests {
    private let to: [String: Value] = ["to-tag": .text("b")]

    private static func sdp(_ port: UInt16, _ formats: String = "0") -> String {
        (["v=0", "o=bob 7 3 IN IP4 192.0.2.9", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio \(port) RTP/AVP \(formats)",
            "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 L16/16000", "a=rtpmap:18 G729/8000"]).map { $0 + "\r\n" }.joined()
    }

    /// How loud frequencies are in a channel of a WAV file of sixteen bits, where they are heard best together.
    private static func levels(_ file: [UInt8], channel: Int, of channels: Int, _ frequencies: [Double]) -> [Double] {
        let samples = stride(from: 44 + 2 * channel, to: file.count - 1, by: 2 * channels).map {
            Int16(bitPattern: UInt16(file[$0]) | UInt16(file[$0 + 1]) << 8)
        }
        let pieces = stride(from: 0, to: samples.count - 800, by: 200).map { start in
            let piece = Array(samples[start..<(start + 800)])
            return frequencies.map { Goertzel.amplitude(of: $0, in: piece.span) }
        }
        let best = pieces.max { $0.reduce(0, +) < $1.reduce(0, +) } ?? frequencies.map { _ in 0 }
        return best.map { Level(amplitude: $0).dBFS }
    }

    /// A packet is due every 20 ms; on a machine with other things to do those that are late follow at once, as far as phones do that.
    private static func paced(_ packets: Int, _ say: () -> Void) async throws {
        var due = ContinuousClock.now
        for _ in 0..<packets {
            say()
            due = max(due + .milliseconds(20), .now - .milliseconds(100))
            try await Task.sleep(until: due)
        }
    }

    private static func channels(_ file: [UInt8]) -> Int { file.count > 44 ? Int(file[22]) : 0 }

    /// A call of a second between one who says 440 Hz and one who says 1230 Hz.
    private func talk(_ relay: NGRelay, _ packets: Int = 50, answer: [String: Value] = [:], before: [String: Value] = [:]) async throws -> (caller: UInt16, callee: UInt16) {
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe("offer", Self.sdp(caller.port), before)
        let described = try await relay.describe("answer", Self.sdp(callee.port), to.merging(answer) { $1 })
        return try await speak((caller, described.media[0].port), (callee, offer.media[0].port), packets, .pcmu, 0)
    }

    @discardableResult
    private func speak(
        _ caller: (Ear, port: UInt16), _ callee: (Ear, port: UInt16), _ packets: Int, _ coding: Coding, _ number: UInt8
    ) async throws -> (caller: UInt16, callee: UInt16) {
        let (first, second) = (try Voice(caller.0, coding, number, 440), try Voice(callee.0, coding, number, 1230))
        try await Self.paced(packets) {
            first.say(to: caller.port)
            second.say(to: callee.port)
        }
        return (caller.port, callee.port)
    }

    @Test(
        "RTPEngine, start recording: each side is heard in its channel, whatever both speak",
        arguments: [(Coding.pcmu, UInt8(0)), (.pcma, 8), (.g722, 9), (.opus, 96), (.gsm, 3), (.linear(rate: 16_000), 97)])
    func codings(_ coding: Coding, _ number: UInt8) async throws {
        let relay = try NGRelay(isRecording: true)
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe("offer", Self.sdp(caller.port, "\(number)"))
        let answer = try await relay.describe("answer", Self.sdp(callee.port, "\(number)"), to)
        #expect(try await relay.ask("start recording") == ["result": .text("ok")])
        try await speak((caller, answer.media[0].port), (callee, offer.media[0].port), 60, coding, number)
        #expect(try await relay.ask("stop recording") == ["result": .text("ok")])
        let file = try #require(relay.files.first, "one file")
        #expect(relay.files.count == 1 && file.key.hasPrefix("c-") && file.key.hasSuffix(".wav") && Self.channels(file.value) == 2)
        let (left, right) = (Self.levels(file.value, channel: 0, of: 2, [440, 1230]), Self.levels(file.value, channel: 1, of: 2, [440, 1230]))
        #expect(left[0] > -25 && left[1] < -45 && right[1] > -25 && right[0] < -45, "\(left) \(right)")
    }

    @Test("Sound that goes through the codecs is recorded as each phone sends it")
    func translated() async throws {
        let relay = try NGRelay(isRecording: true)
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe(
            "offer", Self.sdp(caller.port, "0"), ["record-call": .text("on"), "flags": .texts(["codec-mask-all", "codec-transcode-G722"])])
        #expect(offer.media[0].formats == ["9"])
        let answer = try await relay.describe("answer", Self.sdp(callee.port, "9"), to)
        let (first, second) = (try Voice(caller, .pcmu, 0, 440), try Voice(callee, .g722, 9, 1230))
        try await Self.paced(60) {
            first.say(to: answer.media[0].port)
            second.say(to: offer.media[0].port)
        }
        _ = try await relay.ask("delete")
        let isThere = try await eventually { relay.files.first.map { $0.value.count > 30_000 } ?? false }
        #expect(isThere)
        let file = try #require(relay.files.first)
        let (left, right) = (Self.levels(file.value, channel: 0, of: 2, [440, 1230]), Self.levels(file.value, channel: 1, of: 2, [440, 1230]))
        #expect(left[0] > -25 && left[1] < -45 && right[1] > -25 && right[0] < -45, "\(left) \(right)")
    }

    @Test("mixed is one channel of both, single a file for each side, under the name that was asked for")
    func forms() async throws {
        let relay = try NGRelay(isRecording: true)
        _ = try await talk(relay, before: [
            "record-call": .text("yes"), "recording-form": .text("mixed"), "output-destination": .text("desk-1.wav"),
        ])
        _ = try await relay.ask("stop recording")
        let mixed = try #require(relay.files["desk-1.wav"])
        let both = Self.levels(mixed, channel: 0, of: 1, [440, 1230, 900])
        #expect(Self.channels(mixed) == 1 && both[0] > -25 && both[1] > -25 && both[2] < -45, "\(both)")
        _ = try await relay.ask("start recording", ["recording-form": .text("single"), "output-destination": .text("pair")])
        _ = try await relay.ask("stop recording")
        #expect(Set(relay.files.keys) == ["desk-1.wav", "pair.wav", "pair-2.wav"])
    }

    @Test("single: the first file is the caller's, the second the called one's")
    func single() async throws {
        let relay = try NGRelay(isRecording: true)
        _ = try await talk(relay, before: ["record-call": .text("yes"), "recording-form": .text("single"), "output-destination": .text("x")])
        _ = try await relay.ask("stop recording")
        let (first, second) = (try #require(relay.files["x.wav"]), try #require(relay.files["x-2.wav"]))
        let levels = [first, second].map { Self.levels($0, channel: 0, of: 1, [440, 1230]) }
        #expect(Self.channels(first) == 1 && levels[0][0] > -25 && levels[0][1] < -45, "\(levels)")
        #expect(Self.channels(second) == 1 && levels[1][1] > -25 && levels[1][0] < -45, "\(levels)")
    }

    @Test("pause recording: what is said meanwhile is in no file, and start recording goes on in the same one")
    func pause() async throws {
        let relay = try NGRelay(isRecording: true)
        let (caller, callee) = (try Ear(), try Ear())
        let offer = try await relay.describe("offer", Self.sdp(caller.port), ["flags": .texts(["record call"])])
        let answer = try await relay.describe("answer", Self.sdp(callee.port), to)
        func say(_ frequency: Double) async throws {
            let voice = try Voice(caller, .pcmu, 0, frequency)
            try await Self.paced(25) { voice.say(to: answer.media[0].port) }
            for _ in 0..<25 { _ = try await callee.hears() }
        }
        try await say(500)
        #expect(try await relay.ask("pause recording") == ["result": .text("ok")])
        try await say(1500)
        #expect(try await relay.ask("start recording") == ["result": .text("ok")])
        try await say(2500)
        _ = try await relay.ask("stop recording")
        #expect(offer.media[0].port != 0 && relay.files.count == 1)
        let file = try #require(relay.files.first?.value)
        let samples = stride(from: 44, to: file.count - 1, by: 4).map { Int16(bitPattern: UInt16(file[$0]) | UInt16(file[$0 + 1]) << 8) }
        #expect(samples.count > 11_000, "as long as it took: \(samples.count)")
        func loudest(_ frequency: Double) -> Double {
            stride(from: 0, to: samples.count - 400, by: 400).map { start in
                let piece = Array(samples[start..<(start + 400)])
                return Level(amplitude: Goertzel.amplitude(of: frequency, in: piece.span)).dBFS
            }.max() ?? -120
        }
        #expect(loudest(500) > -20 && loudest(2500) > -20 && loudest(1500) < -25, "\(loudest(500)) \(loudest(2500)) \(loudest(1500))")
    }

    @Test("pcap holds the packets of both sides as they came, in clear")
    func packets() async throws {
        let relay = try NGRelay(isRecording: true)
        let ports = try await talk(relay, 20, before: ["record-call": .text("yes"), "recording-form": .text("pcap")])
        _ = try await relay.ask("stop recording")
        let file = try #require(relay.files.first { $0.key.hasSuffix(".pcap") }?.value)
        let arrivals = Self.arrivals(file)
        #expect(arrivals.allSatisfy { $0.packet.count == 172 && $0.packet[0] == 0x80 })
        #expect(Dictionary(grouping: arrivals, by: \.port).mapValues(\.count) == [ports.caller: 20, ports.callee: 20])
    }

    /// The datagrams of a capture over IPv4, by the port they came to.
    private static func arrivals(_ file: [UInt8]) -> [(port: UInt16, packet: [UInt8])] {
        var (place, arrivals) = (24, [(port: UInt16, packet: [UInt8])]())
        while place + 16 + 28 <= file.count {
            let length = Int(file[place + 8]) | Int(file[place + 9]) << 8
            let udp = place + 16 + 20
            arrivals.append((UInt16(file[udp + 2]) << 8 | UInt16(file[udp + 3]), Array(file[(udp + 8)..<min(file.count, place + 16 + length)])))
            place += 16 + length
        }
        return arrivals
    }

    @Test("RFC 3711: what comes protected is captured once, in clear, and recorded")
    func protected() async throws {
        for form in ["pcap", "stereo"] {
            let relay = try NGRelay(isRecording: true)
            let (caller, callee) = (try Ear(), try Ear())
            let offer = try await relay.describe(
                "offer", Self.sdp(caller.port),
                ["transport protocol": .text("RTP/SAVP"), "DTLS": .text("off"), "record-call": .text("on"), "recording-form": .text(form)])
            let line = try CryptoAttribute(parsing: try #require(offer.media[0].crypto.first))
            let own = try #require(CryptoAttribute(tag: line.tag, line.suite, random: Array(0..<30)))
            let described = Self.sdp(callee.port).replacing("RTP/AVP", with: "RTP/SAVP") + "a=crypto:\(own)\r\n"
            _ = try await relay.describe("answer", described, to)
            var keys = Context(sending: try #require(own.key), receiving: try #require(line.key))
            var tone = Tone(frequencies: [1230])
            var sent: [[UInt8]] = []
            for number in 0..<40 {
                var packet: [UInt8] = []
                Header(
                    payloadType: .pcmu, sequence: SequenceNumber(UInt16(number)), timestamp: Timestamp(UInt32(number) * 160), ssrc: SSRC(9)
                ).append(to: &packet)
                packet += G711.encode(tone.next(160), .ulaw)
                sent.append(packet)
                let clear = packet.count
                packet += [UInt8](repeating: 0, count: 10)
                var room = packet.mutableSpan
                _ = try keys.protect(&room, count: clear)
                callee.send(packet, to: offer.media[0].port)
                _ = try await caller.hears()
                try await Task.sleep(for: .milliseconds(15))
            }
            _ = try await relay.ask("stop recording")
            let file = try #require(relay.files.first?.value)
            if form == "pcap" {
                #expect(Self.arrivals(file).map(\.packet) == sent)
            } else {
                #expect(Self.levels(file, channel: 1, of: 2, [1230])[0] > -25)
            }
        }
    }

    @Test("Names that lead elsewhere, calls that are not there, relays that write nothing and files that cannot be are errors; the call goes on")
    func refused() async throws {
        let relay = try NGRelay(isRecording: true, files: 2)
        for command in ["start recording", "stop recording", "pause recording"] {
            #expect(try await relay.ask(command)["error-reason"] == .text("Unknown call-id"))
        }
        _ = try await talk(relay, 1)
        for name in ["/etc/passwd", "../x", "a/b", "", ".wav", "x.wav/../../y"] {
            #expect(try await relay.ask("start recording", ["output-destination": .text(name)])["result"] == .text("error"), "\(name)")
        }
        #expect(relay.files.isEmpty)
        _ = try await relay.ask("start recording", ["output-destination": .text("once")])
        _ = try await relay.ask("stop recording")
        let again = try await relay.ask("start recording", ["output-destination": .text("once")])
        #expect(again["result"] == .text("error") && relay.files.count == 1, "no file is written over")
        let other = try await relay.ask("start recording")
        #expect(other["result"] == .text("ok"), "and another name is no error: \(other)")
        _ = try await relay.ask("stop recording")
        let silent = try NGRelay()
        _ = try await talk(silent, 1, before: ["record-call": .text("yes")])
        #expect(try await silent.ask("start recording")["error-reason"] == .text("this relay writes no such files: TANDEM_RECORDINGS is not set"))
        let full = try NGRelay(isRecording: true, files: 1)
        _ = try await talk(full, 1)
        #expect(try await full.ask("start recording", ["recording-form": .text("single")])["result"] == .text("error"))
        #expect(try await full.ask("start recording")["result"] == .text("ok"), "what could not be made whole holds no place")
    }

    @Test("RELIABILITY: a recording ends at its bound and is not begun again by signalling; record-call=off ends it, too")
    func bounds() async throws {
        let relay = try NGRelay(isRecording: true, seconds: 1)
        let (caller, callee) = (try Ear(), try Ear())
        _ = try await relay.describe("offer", Self.sdp(caller.port), ["record-call": .text("on")])
        let answer = try await relay.describe("answer", Self.sdp(callee.port), to)
        try await speak((caller, answer.media[0].port), (callee, answer.media[0].port), 90, .pcmu, 0)
        let isFull = try await eventually { relay.files.first?.value.count == 44 + 8000 * 4 }
        #expect(isFull)
        _ = try await relay.describe("offer", Self.sdp(caller.port), to)
        _ = try await relay.describe("answer", Self.sdp(callee.port), to)
        try await Task.sleep(for: .milliseconds(200))
        #expect(relay.files.count == 1)
        _ = try await relay.describe("offer", Self.sdp(caller.port), to.merging(["record-call": .text("off")]) { $1 })
        _ = try await relay.describe("offer", Self.sdp(caller.port), to.merging(["record-call": .text("on")]) { $1 })
        let isNew = try await eventually { relay.files.count == 2 }
        #expect(isNew)
    }
}
