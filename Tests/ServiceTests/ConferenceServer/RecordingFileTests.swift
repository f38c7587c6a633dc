import Audio
import Codecs
import Contracts
import Cryptography
import Foundation
import ServiceKit
import Testing

@testable import ConferenceServer

@Suite("Files of recordings")
struct RecordingFileTests {
    let folder = NSTemporaryDirectory() + "tandem-recordings-\(UInt64.random(in: .min ... .max))"
    let key = [UInt8](repeating: 7, count: 32)

    init() throws { try OutputFile.makeFolder(folder) }

    private func settings(_ keys: [[UInt8]] = []) -> RecordingSettings {
        var settings = RecordingSettings()
        (settings.folder, settings.keys) = (folder, keys)
        return settings
    }

    private func tone(_ seconds: Double, channels: Int = 1) -> [Int16] {
        var tone = Tone(frequency: 440)
        let sound = tone.next(Int(seconds * 8000))
        return channels == 1 ? sound : sound.flatMap { [$0, -$0] }
    }

    /// What no codec makes small.
    private func noise(_ seconds: Int, channels: Int = 1) -> [Int16] {
        var state: UInt64 = 1
        return (0..<(seconds * 8000 * channels)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int16(truncatingIfNeeded: state >> 48) / 4
        }
    }

    private func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))) }

    private func media(_ name: String, _ keys: [[UInt8]] = []) async throws -> [UInt8] {
        let media = try await RecordingMedia(try LocalBytes(path: "\(folder)/\(name)", threads: Completion.threads), keys: keys)
        let all = try await media.read(0, media.length)
        // In odd pieces it is the same.
        var pieces: [UInt8] = []
        while pieces.count < media.length { pieces += try await media.read(pieces.count, 5000) }
        #expect(pieces == all && all.count == media.length)
        return all
    }

    @Test("a WAV says at every moment how much it holds, silence left out takes no time to write", arguments: [1, 2])
    func wave(channels: Int) async throws {
        let file = try RecordingFile(creating: "\(folder)/a.wav", .init(format: .wav, channels: channels, bitrate: 0), key: nil)
        #expect(try bytes("a.wav").count == 44)
        file.appendSilence(frames: 50)
        file.append(tone(1, channels: channels))
        file.flush()
        let cut = try bytes("a.wav")
        let header = Array(WAVWriter.header(dataBytes: UInt32(cut.count - 44), channels: UInt16(channels)))
        #expect(cut.count == 44 + 32_000 * channels && cut.starts(with: header))
        file.finish()
        #expect(try await media("a.wav") == cut)
        #expect(try SoundFile.decode(cut).count == 16_000)
    }

    @Test("a WAV that was cut in the middle of a sample is mended, and measured")
    func mended() async throws {
        let file = try RecordingFile(creating: "\(folder)/a.wav", .init(format: .wav, channels: 2, bitrate: 0), key: nil)
        file.append(tone(1, channels: 2))
        file.flush()
        let handle = try FileHandle(forWritingTo: URL(filePath: "\(folder)/a.wav"))
        try handle.seekToEnd()
        try handle.write(contentsOf: [1, 2, 3, 4, 5, 6, 7])
        try handle.close()
        let completion = Completion(settings: settings())
        for _ in 0..<2 {
            try completion.complete("a.wav", format: .wav, channels: 2)
            let measure = try await completion.measure("a.wav", format: .wav, channels: 2)
            #expect(measure.size == 44 + 32_004 && measure.milliseconds == 1000)
            let whole = try bytes("a.wav")
            #expect(measure.sha256 == Completion.hexadecimal(DigestAlgorithm.sha256.hash(whole)))
            #expect(whole.starts(with: WAVWriter.header(dataBytes: 32_004, channels: 2)))
        }
    }

    @Test("Opus in Ogg: the length is exact, libsndfile hears the tone; cut anywhere it is mended and can be heard", arguments: [1, 2])
    func ogg(channels: Int) async throws {
        let file = try RecordingFile(creating: "\(folder)/a.ogg", .init(format: .ogg, channels: channels, bitrate: 24_000), key: nil)
        for _ in 0..<10 { file.append(tone(0.333, channels: channels)) }
        file.finish()
        let completion = Completion(settings: settings())
        try completion.complete("a.ogg", format: .ogg, channels: channels)
        let measure = try await completion.measure("a.ogg", format: .ogg, channels: channels)
        #expect(measure.milliseconds == 3330)
        let whole = try bytes("a.ogg")
        #expect(abs(try SoundFile.decode(whole).count - 26_640) <= 8)
        for cut in [whole.count - 1, whole.count - 700, whole.count / 2, 200] {
            try Data(whole.prefix(cut)).write(to: URL(filePath: "\(folder)/b.ogg"))
            try completion.complete("b.ogg", format: .ogg, channels: channels)
            let left = try bytes("b.ogg")
            #expect(left.count <= cut && whole.starts(with: left))
            let measure = try await completion.measure("b.ogg", format: .ogg, channels: channels)
            if left.count > 400 { #expect(abs(try SoundFile.decode(left).milliseconds - measure.milliseconds) <= 20) }
        }
    }

    @Test("sealed: nothing of it lies open, what is read is the same file; another key, a changed byte and a piece that moved are noticed")
    func sealed() async throws {
        for format in RecordingTerms.Format.allCases {
            let name = "a.\(format.rawValue)"
            let file = try RecordingFile(creating: "\(folder)/\(name)", .init(format: format, channels: 1, bitrate: 24_000), key: key)
            let sound = noise(8)
            file.append(sound)
            file.finish()
            let lying = try bytes(name)
            #expect(SealedStream.isOne(lying))
            #expect(Data(lying).range(of: Data(format == .wav ? "RIFF".utf8 : "OpusHead".utf8)) == nil)
            let open = try await media(name, [[UInt8](repeating: 9, count: 32), key])
            #expect(abs(try SoundFile.decode(open).count - sound.count) <= 8)
            if format == .wav { #expect(open.starts(with: WAVWriter.header(dataBytes: 128_000, channels: 1)) && open.count == 128_044) }
            await #expect(throws: RecordingTrouble.self) { try await media(name, [[UInt8](repeating: 9, count: 32)]) }
            for place in [60, SealedStream.place(of: 1) + 40, lying.count - 1] {
                var changed = lying
                changed[place] ^= 1
                try Data(changed).write(to: URL(filePath: "\(folder)/c"))
                await #expect(throws: RecordingTrouble.self) { try await media("c", [key]) }
            }
            var moved = lying
            let (first, second) = (SealedStream.place(of: 0), SealedStream.place(of: 1))
            moved.replaceSubrange(first..<second, with: lying[second..<SealedStream.place(of: 2)])
            try Data(moved).write(to: URL(filePath: "\(folder)/c"))
            await #expect(throws: RecordingTrouble.self) { try await media("c", [key]) }
        }
    }

    @Test("Opus that was sealed and cut ends with a whole page")
    func sealedPages() async throws {
        let file = try RecordingFile(creating: "\(folder)/a.ogg", .init(format: .ogg, channels: 2, bitrate: 48_000), key: key)
        for _ in 0..<8 {
            file.append(noise(1, channels: 2))
            file.flush()
        }
        let cut = try bytes("a.ogg")
        #expect((cut.count - SealedStream.headLength) % SealedStream.sealedPiece == 0 && cut.count > 8_000)
        let completion = Completion(settings: settings([key]))
        for _ in 0..<2 {
            try completion.complete("a.ogg", format: .ogg, channels: 2)
            let measure = try await completion.measure("a.ogg", format: .ogg, channels: 2)
            let plain = try await media("a.ogg", [key])
            var scan = OggScan()
            scan.read(plain)
            #expect(scan.length == plain.count && measure.milliseconds >= 1000)
            #expect(abs(try SoundFile.decode(plain).milliseconds - measure.milliseconds) <= 20)
        }
    }

    @Test("sealed and cut: what was written whole can be opened, before it is mended and after", arguments: [0, 5, 27, 28, 1000])
    func sealedAndCut(rest: Int) async throws {
        let file = try RecordingFile(creating: "\(folder)/a.wav", .init(format: .wav, channels: 1, bitrate: 0), key: key)
        file.append(tone(2))
        file.finish()
        let cut = SealedStream.place(of: 3) + rest
        try Data(try bytes("a.wav").prefix(cut)).write(to: URL(filePath: "\(folder)/b.wav"))
        let completion = Completion(settings: settings([key]))
        try completion.complete("b.wav", format: .wav, channels: 1)
        let measure = try await completion.measure("b.wav", format: .wav, channels: 1)
        #expect(measure.size == 44 + 3 * 4096 && measure.milliseconds == 768)
        let mended = try bytes("b.wav")
        try completion.complete("b.wav", format: .wav, channels: 1)
        #expect(try bytes("b.wav") == mended)
        #expect(try SoundFile.decode(try await media("b.wav", [key])).count == 3 * 2048)
    }
}
