import ChildProcesses
import Codecs
import Foundation
import Testing

/// What ffmpeg, made by others, makes of our payloads, and we of its.
@Suite("ffmpeg understands what we encode, and we what it encodes")
struct OracleTests {
    /// Formats ffmpeg both reads and writes raw, with the sampling rate it gives them.
    static let formats: [(name: String, coding: Coding, rate: Int)] = [
        ("g722", .g722, 16000), ("mulaw", .pcmu, 8000), ("alaw", .pcma, 8000), ("s16be", .linear(rate: 16000), 16000),
    ]

    @Test("Two tones are the same in both decoders", arguments: formats.map(\.name))
    func bothWays(name: String) throws {
        let format = try #require(Self.formats.first { $0.name == name })
        let rate = format.rate
        let sound = zip(Sine.samples(700, rate: rate, count: rate), Sine.samples(1900, rate: rate, count: rate)).map {
            $0 / 2 + $1 / 2
        }
        var encoder = try Encoder(format.coding, rate: rate)
        var decoder = try Decoder(format.coding, rate: rate)

        let ours = encoder.payloads(sound).flatMap { $0 }
        let theirHearing = try Self.ffmpeg(from: name, rate, ours, to: "s16le", rate).samples
        let ourHearing = decoder.sound(stride(from: 0, to: ours.count, by: 160).map { Array(ours[$0..<min($0 + 160, ours.count)]) })
        // Decoders are exact: the same bits are the same sound, but for a decoder's delay and the last bit.
        #expect(Self.distance(theirHearing, ourHearing) > 50)

        let theirs = try Self.ffmpeg(from: "s16le", rate, sound.bytes, to: name, rate)
        var other = try Decoder(format.coding, rate: rate)
        let heard = other.sound(stride(from: 0, to: theirs.count, by: 160).map { Array(theirs[$0..<min($0 + 160, theirs.count)]) })
        for frequency in [700.0, 1900] {
            let fit = Sine.fit(heard.dropFirst(rate / 4).prefix(rate / 2), frequency, rate: rate)
            #expect(abs(Sine.decibels(fit.amplitude, 4000)) < 1, "\(frequency) Hz")
        }
    }

    @Test("GSM 06.10: ffmpeg hears our tone at its level")
    func gsm() throws {
        var encoder = try Encoder(.gsm)
        let payloads = encoder.payloads(Sine.samples(600, rate: 8000, count: 8000)).flatMap { $0 }
        let heard = try Self.ffmpeg(from: "gsm", 8000, payloads, to: "s16le", 8000).samples
        var decoder = try Decoder(.gsm)
        #expect(Self.distance(heard, decoder.sound(payloads.chunks(of: 33))) > 30)
        #expect(abs(Sine.decibels(Sine.fit(heard.dropFirst(2000).prefix(4000), 600, rate: 8000).amplitude, 8000)) < 1)
    }

    @Test("G.711: every code is the same sound to ffmpeg, and every sample within one code of what it makes of it", arguments: ["mulaw", "alaw"])
    func everyCode(name: String) throws {
        let coding = name == "mulaw" ? Coding.pcmu : .pcma
        let codes = (0...255).map { UInt8($0) }
        let theirs = try Self.ffmpeg(from: name, 8000, codes, to: "s16le", 8000).samples
        var decoder = try Decoder(coding)
        let decoded = decoder.sound([codes])
        #expect(theirs == decoded)

        let samples = stride(from: -32_768, through: 32_767, by: 8).map { Int16($0) }
        let encoded = try Self.ffmpeg(from: "s16le", 8000, samples.bytes, to: name, 8000)
        var encoder = try Encoder(coding)
        let ours = encoder.payloads(samples).flatMap { $0 }
        // At a border between two codes, which is nearer is a matter of taste; the sound then differs by a step of that segment.
        let (left, right) = (decoder.sound(ours.chunks(of: 160)), decoder.sound(Array(encoded.prefix(ours.count)).chunks(of: 160)))
        #expect(left.count > 8000)
        for (index, (one, other)) in zip(left, right).enumerated() {
            #expect(abs(Int(one) - Int(other)) <= max(16, abs(Int(samples[index])) / 16 + 16), "\(samples[index])")
        }
    }

    @Test("G.729: ffmpeg hears our tone at its level")
    func g729() throws {
        var encoder = try Encoder(.g729)
        let payloads = encoder.payloads(Sine.samples(600, rate: 8000, count: 8000)).flatMap { $0 }
        let heard = try Self.ffmpeg(["-f", "g729"], payloads, ["-f", "s16le", "-ar", "8000", "-ac", "1"]).samples
        #expect(heard.count >= 7_800)
        #expect(abs(Sine.decibels(Sine.fit(heard.dropFirst(2000).prefix(4000), 600, rate: 8000).amplitude, 8000)) < 3)
    }

    @Test("Opus: ffmpeg hears our tone at its level, at each of our rates", arguments: [8000, 16000, 48000])
    func opus(rate: Int) throws {
        var encoder = try Encoder(.opus, rate: rate)
        let payloads = encoder.payloads(Sine.samples(600, rate: rate, count: rate))
        let heard = try Self.ffmpeg(from: "ogg", nil, Ogg.file(payloads, samplesPerPacket: 960), to: "s16le", 48000).samples
        #expect(heard.count >= 47_000)
        let fit = Sine.fit(heard.dropFirst(12_000).prefix(24_000), 600, rate: 48000)
        #expect(abs(Sine.decibels(fit.amplitude, 8000)) < 1)
        #expect(fit.ratio > 20)
    }

    @Test(
        "RFC 7587 §4.2: stereo at 48 kHz that others encode is heard as mono at our rates", arguments: [8000, 16000, 48000],
        [10, 20, 60])
    func stereo(rate: Int, milliseconds: Int) throws {
        let left = Sine.samples(500, rate: 48000, count: 48000)
        let right = Sine.samples(1500, rate: 48000, count: 48000)
        let file = try Self.ffmpeg(
            ["-f", "s16le", "-ar", "48000", "-ac", "2"], zip(left, right).flatMap { [$0, $1] }.bytes,
            ["-f", "ogg", "-c:a", "libopus", "-b:a", "96k", "-frame_duration", "\(milliseconds)"])
        let packets = Ogg.packets(file)
        #expect(packets.count >= 1000 / milliseconds)
        var decoder = try Decoder(.opus, rate: rate)
        let heard = decoder.sound(packets)
        #expect(heard.count >= rate)
        for frequency in [500.0, 1500] {
            let fit = Sine.fit(heard.dropFirst(rate / 4).prefix(rate / 2), frequency, rate: rate)
            #expect(abs(Sine.decibels(fit.amplitude, 4000)) < 1.5, "\(frequency) Hz")
        }
    }

    /// The ratio in dB of one sound to its difference from another, at the best of a few delays.
    static func distance(_ one: [Int16], _ other: [Int16]) -> Double {
        let count = min(one.count, other.count) - 200
        guard count > 1000 else { return -100 }
        return (-60...60).map { shift in
            var (signal, rest) = (0.0, 1e-9)
            for index in 100..<count {
                let (a, b) = (Double(one[index]), Double(other[index + shift]))
                (signal, rest) = (signal + a * a, rest + (a - b) * (a - b))
            }
            return 10 * log10(signal / rest)
        }.max() ?? -100
    }

    /// Raw or contained sound in, mono out.
    static func ffmpeg(from input: String, _ rate: Int?, _ bytes: [UInt8], to output: String, _ wanted: Int) throws -> [UInt8] {
        let raw = ["s16le", "s16be", "mulaw", "alaw"].contains(input)
        return try ffmpeg(
            ["-f", input] + (raw ? ["-ar", "\(rate ?? 8000)", "-ac", "1"] : []), bytes,
            ["-f", output, "-ar", "\(wanted)", "-ac", "1"])
    }

    /// Runs ffmpeg over files.
    private static func ffmpeg(_ input: [String], _ bytes: [UInt8], _ output: [String]) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("codec-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (source, target) = (folder.appendingPathComponent("in"), folder.appendingPathComponent("out"))
        try Data(bytes).write(to: source)
        let process = ChildProcess("/usr/bin/ffmpeg", ["-nostdin", "-loglevel", "error"] + input + ["-i", source.path] + output + [target.path])
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "ffmpeg refused \(input) to \(output)")
        return [UInt8](try Data(contentsOf: target))
    }
}

extension [UInt8] {
    /// Sixteen-bit samples, the lower byte first.
    var samples: [Int16] {
        stride(from: 0, to: count / 2 * 2, by: 2).map { Int16(bitPattern: UInt16(self[$0]) | UInt16(self[$0 + 1]) << 8) }
    }

    func chunks(of size: Int) -> [[UInt8]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}

extension [Int16] {
    var bytes: [UInt8] { flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } }
}
