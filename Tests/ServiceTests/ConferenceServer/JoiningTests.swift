import Audio
import ChildProcesses
import Contracts
import Foundation
import ServiceKit
import Testing

@testable import ConferenceServer

@Suite("Recordings in parts")
struct JoiningTests {
    private let settings: RecordingSettings
    private let recording: Recording

    init() throws {
        var settings = RecordingSettings()
        settings.folder = NSTemporaryDirectory() + "tandem-parts-\(UInt64.random(in: .min ... .max))"
        self.settings = settings
        recording = Recording(
            id: "rec_1", customerID: "cust_1", status: .storing, layout: .mixed, format: .wav, roomID: "room_1",
            startedAt: Timestamp(milliseconds: 1_800_000_000_000))
    }

    /// A part in which each of `voices` says one value, from the frame on at which it comes.
    private func write(_ terms: RecordingTerms, part: Int?, position: Int, frames: Int, voices: [(name: String, value: Int16, from: Int)]) throws {
        var place = RecordingPlace(recording)
        place.format = terms.format.rawValue
        (place.part, place.position) = (part, position)
        let take = try Take(terms, longest: 3600, mostTracks: 8, position: position)
        let files = try TakeFiles(take, at: place, settings)
        for (index, voice) in voices.enumerated() {
            files.receive(.name, Array("\(voice.name)\ncall_\(voice.name)".utf8).span, at: 0, flags: 0, track: UInt32(index + 1))
        }
        let silence = [UInt8]()
        for frame in position..<(position + frames) {
            for (index, voice) in voices.enumerated() where frame >= voice.from {
                let codes = [UInt8](repeating: G711.encode(voice.value, .ulaw), count: 160)
                if terms.layout == .tracks {
                    files.receive(.track, codes.span, at: frame, flags: RoomTap.Flag.voice, track: UInt32(index + 1))
                } else {
                    files.receive(.sides, codes.span, at: frame, flags: RoomTap.Flag.voice, track: 0)
                }
            }
            if terms.layout == .tracks { files.receive(.clock, silence.span, at: frame, flags: 0, track: 0) }
        }
        files.finish(at: position + frames)
    }

    private func samples(_ name: String) async throws -> [Int16] {
        let media = try await RecordingMedia(
            try LocalBytes(path: "\(settings.folder)/\(name)", threads: Completion.threads), keys: settings.keys)
        return try SoundFile.decode(try await media.read(0, media.length)).values
    }

    private func join(_ terms: RecordingTerms) async throws -> RecordingPlace {
        var place = RecordingPlace(recording)
        place.format = terms.format.rawValue
        let joining = Joining(
            completion: Completion(settings: settings), place: place, format: terms.format, layout: terms.layout)
        try await joining.join()
        // Again, nothing happens.
        try await joining.join()
        let names = LocalFile.names("\(settings.folder)/\(place.folders[1])")
        #expect(names.count == 1, "\(names)")
        return place
    }

    @Test("parts become one, with silence between them", arguments: RecordingTerms.Format.allCases)
    func two(format: RecordingTerms.Format) async throws {
        let terms = RecordingTerms(format: format)
        try write(terms, part: nil, position: 0, frames: 50, voices: [("a", 1000, 0)])
        try write(terms, part: 2, position: 60, frames: 40, voices: [("a", 2000, 0)])
        try write(terms, part: 3, position: 100, frames: 10, voices: [("a", 3000, 0)])
        let name = try await join(terms).file
        let measure = try await Completion(settings: settings).measure(name, format: format, channels: 1)
        #expect(measure.milliseconds == 2200)
        let sound = try await samples(name)
        guard format == .wav else {
            // What is where in it: OggJoinerTests.
            #expect(abs(sound.count - 110 * 160) <= 1)
            return
        }
        #expect(sound.count == 110 * 160)
        #expect(sound[0] == G711.decode(G711.encode(1000, .ulaw), .ulaw) && sound[50 * 160] == 0 && sound[60 * 160 - 1] == 0)
        #expect(sound[60 * 160] == G711.decode(G711.encode(2000, .ulaw), .ulaw))
        #expect(sound[109 * 160] == G711.decode(G711.encode(3000, .ulaw), .ulaw))
    }

    @Test("RFC 7845: to other programs a joined file of Ogg is one stream of full length", arguments: [RecordingTerms.Layout.mixed, .stereo])
    func otherPrograms(layout: RecordingTerms.Layout) async throws {
        let terms = RecordingTerms(layout: layout, format: .ogg)
        try write(terms, part: nil, position: 0, frames: 133, voices: [("a", 1000, 0)])
        try write(terms, part: 2, position: 200, frames: 75, voices: [("a", 2000, 0)])
        try write(terms, part: 3, position: 275, frames: 111, voices: [("a", 3000, 0)])
        let name = "\(settings.folder)/\(try await join(terms).file)"
        let probed = try ChildProcess.output(
            of: "/usr/bin/ffprobe", ["-v", "error", "-show_entries", "format=duration,nb_streams:stream=codec_name,channels", "-of", "flat", name])
        let fields = String(decoding: probed, as: UTF8.self).split(separator: "\n")
        #expect(fields.contains("format.nb_streams=1") && fields.contains("streams.stream.0.codec_name=\"opus\""), "\(fields)")
        #expect(fields.contains("streams.stream.0.channels=\(layout == .stereo ? 2 : 1)"))
        // 386 frames of 20 ms, and what is skipped at the beginning, which ffprobe counts or not.
        let duration = fields.first { $0.hasPrefix("format.duration") }?.split(separator: "\"").last.flatMap { Double($0) }
        #expect(abs((duration ?? 0) - 7.72) < 0.01, "\(fields)")
        let sound = try ChildProcess.output(
            of: "/usr/bin/ffmpeg", ["-v", "error", "-xerror", "-nostdin", "-i", name, "-ac", "1", "-ar", "8000", "-f", "s16le", "pipe:1"])
        #expect(abs(sound.count / 2 - 386 * 160) <= 80)
        #expect(try await samples(String(name.dropFirst(settings.folder.count + 1))).count >= 386 * 160 - 1)
    }

    @Test("tracks are joined by participant; who came in a later part is silent before, and all stay in step")
    func tracks() async throws {
        let terms = RecordingTerms(layout: .tracks)
        try write(terms, part: nil, position: 0, frames: 20, voices: [("a", 1000, 0), ("b", 2000, 10)])
        try write(terms, part: 2, position: 25, frames: 15, voices: [("b", 2000, 25), ("c", 3000, 30)])
        let place = try await join(terms)
        let list = try Completion(settings: settings).tracks(at: place)
        #expect(list.map(\.participantID) == ["a", "b", "c"] && list.map(\.track) == [1, 2, 3])
        let (b, c) = (try await samples(place.file(ofTrack: 2)), try await samples(place.file(ofTrack: 3)))
        #expect(b.count == 40 * 160 && c.count == 40 * 160)
        #expect(b[9 * 160] == 0 && b[10 * 160] != 0 && b[22 * 160] == 0 && b[26 * 160] != 0)
        #expect(c[29 * 160] == 0 && c[31 * 160] != 0)
    }

    @Test("a joining that was cut off is done again from what there is")
    func again() async throws {
        let terms = RecordingTerms()
        try write(terms, part: nil, position: 0, frames: 10, voices: [("a", 1000, 0)])
        try write(terms, part: 2, position: 10, frames: 10, voices: [("a", 2000, 0)])
        let place = RecordingPlace(recording)
        let path = "\(settings.folder)/\(place.stem)"
        try Data([1, 2, 3]).write(to: URL(filePath: path + ".joining.wav"))
        #expect(try await samples(try await join(terms).file).count == 20 * 160)
        // Died after the whole was there, and before all parts were gone.
        try FileManager.default.moveItem(atPath: path + ".wav", toPath: path + ".whole.wav")
        try write(terms, part: 2, position: 10, frames: 10, voices: [("a", 2000, 0)])
        #expect(try await samples(try await join(terms).file).count == 20 * 160)
    }
}
