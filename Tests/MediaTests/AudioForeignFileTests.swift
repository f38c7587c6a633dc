import ChildProcesses
import Testing

@testable import Audio

/// Files that ffmpeg makes, in every container and codec that is read.
@Suite("Sound files made by others")
struct AudioForeignFileTests {
    private static func ffmpeg(_ arguments: [String]) throws -> [UInt8] {
        try ChildProcess.output(of: "/usr/bin/ffmpeg", ["-v", "error", "-nostdin"] + arguments)
    }

    /// A tone of 700 Hz for two seconds.
    private static func tone(_ format: String, _ codec: String, rate: Int, channels: Int) throws -> [UInt8] {
        try ffmpeg([
            "-f", "lavfi", "-i", "sine=frequency=700:sample_rate=\(rate):duration=2", "-ac", "\(channels)", "-ar", "\(rate)", "-c:a",
            codec, "-f", format, "pipe:1",
        ])
    }

    struct Kind: Sendable, CustomTestStringConvertible {
        let format: String
        let codec: String
        var rate = 44_100
        var channels = 2
        var testDescription: String { "\(format) \(codec) \(rate) \(channels)" }
    }

    static let kinds = [
        Kind(format: "wav", codec: "pcm_s16le"), Kind(format: "wav", codec: "pcm_s24le", rate: 48_000),
        Kind(format: "wav", codec: "pcm_f32le", rate: 96_000, channels: 1), Kind(format: "wav", codec: "pcm_u8", rate: 11_025),
        Kind(format: "wav", codec: "pcm_mulaw", rate: 8000, channels: 1), Kind(format: "wav", codec: "pcm_alaw", rate: 8000),
        Kind(format: "aiff", codec: "pcm_s16be"), Kind(format: "au", codec: "pcm_s16be", rate: 22_050, channels: 1),
        Kind(format: "flac", codec: "flac", rate: 48_000), Kind(format: "ogg", codec: "libvorbis"),
        Kind(format: "ogg", codec: "libopus", rate: 48_000), Kind(format: "mp3", codec: "libmp3lame"),
        Kind(format: "mp3", codec: "libmp3lame", rate: 16_000, channels: 1),
    ]

    @Test("Every container and codec becomes two seconds of its tone at its level", arguments: kinds)
    func read(kind: Kind) throws {
        let bytes = try Self.tone(kind.format, kind.codec, rate: kind.rate, channels: kind.channels)
        let samples = try SoundFile.decode(bytes)
        // An MP3 has up to three frames more than it was made of.
        #expect((15_900...17_200).contains(samples.count), "\(samples.count)")
        var meter = ToneMeter()
        meter.append(samples.values[6000..<7600])
        // ffmpeg's sine has an eighth of full scale, and half the power of that on each of two sides.
        let expected = kind.channels == 1 ? -18.06 : -21.07
        #expect(abs(meter.hears(700) - expected) < 1, "\(meter.hears(700))")
        #expect(meter.level - meter.hears(700) < 1, "nothing but the tone")
    }

    @Test("Cut anywhere, a file gives what is left of it, or a typed error", arguments: kinds)
    func cut(kind: Kind) throws {
        let whole = try Self.tone(kind.format, kind.codec, rate: kind.rate, channels: kind.channels)
        var read = 0
        for cut in Array(0..<64) + stride(from: 64, to: whole.count, by: max(1, whole.count / 60)) {
            do throws(SoundError) {
                let samples = try SoundFile.decode(Array(whole.prefix(cut)))
                #expect(samples.count <= 17_200)
                read += 1
            } catch {
                continue
            }
        }
        #expect(read > 0, "half a file is half a sound")
    }

    @Test("Changed anywhere, a file gives some sound within the bound, or a typed error", arguments: kinds)
    func damaged(kind: Kind) throws {
        let whole = try Self.tone(kind.format, kind.codec, rate: kind.rate, channels: kind.channels)
        var state: UInt64 = 0x9e37_79b9
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(1, limit)
        }
        for round in 0..<60 {
            var bytes = whole
            // Heads are where lengths and counts are.
            let reach = round % 2 == 0 ? min(200, bytes.count) : bytes.count
            for _ in 0..<(1 + random(below: 8)) { bytes[random(below: reach)] = UInt8(random(below: 256)) }
            do throws(SoundError) {
                let samples = try SoundFile.decode(bytes, seconds: 5)
                #expect(samples.count <= 5 * Samples.rate + 64)
            } catch {
                continue
            }
        }
    }

    @Test("Garbage behind the first bytes of every kind is a typed error or silence, never a trap")
    func garbage() {
        var state: UInt64 = 7
        for start in ["RIFF", "RF64", "RIFX", "FORM", ".snd", "fLaC", "OggS", "ID3\u{3}"] {
            for length in [0, 1, 8, 40, 400, 20_000] {
                let tail = (0..<length).map { _ -> UInt8 in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return UInt8(truncatingIfNeeded: state >> 40)
                }
                do throws(SoundError) {
                    let samples = try SoundFile.decode(Array(start.utf8) + tail, seconds: 5)
                    #expect(samples.count <= 5 * Samples.rate + 64)
                } catch {
                    continue
                }
            }
        }
    }

    @Test("Kinds that nobody needs are not shown to the library")
    func kindsRefused() {
        for start in ["MThd", "8SVX", "MATL", "caff", "riff", "PVF1", "NIST", "RIF", "\u{1}\u{2}", "<htm"] {
            #expect(throws: SoundError.unrecognised) { try SoundFile.decode(Array(start.utf8) + Array(repeating: 0, count: 500)) }
        }
    }

    @Test("Ten minutes of nothing in a few kilobytes are refused; a minute of it is honest")
    func overcompressed() throws {
        func silence(_ seconds: Int) throws -> [UInt8] {
            // The largest block FLAC has: 65,535 samples in a dozen bytes.
            try Self.ffmpeg([
                "-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "\(seconds)", "-c:a", "flac", "-frame_size", "65535", "-f", "flac",
                "pipe:1",
            ])
        }
        let (short, long) = (try silence(50), try silence(590))
        #expect(long.count < 30_000)
        #expect(abs(try SoundFile.decode(short).count - 400_000) < 100)
        #expect(throws: SoundError.overcompressed(limit: SoundFile.largestExpansion)) { try SoundFile.decode(long) }
        #expect(throws: SoundError.tooLong(limit: 20)) { try SoundFile.decode(short, seconds: 20) }
    }
}
