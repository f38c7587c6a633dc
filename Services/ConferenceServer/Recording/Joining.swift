import Audio
import Codecs
import Contracts
import Cryptography
import FoundationEssentials
import ServiceKit

/// Makes one recording of the parts in which several processes have gone on with it; silence where none did.
///
/// What is joined is written beside the parts and takes their place at the end, in steps that can be done again: whoever dies meanwhile
/// leaves either the parts or the whole.
struct Joining: Sendable {
    let completion: Completion
    let place: RecordingPlace
    let format: RecordingTerms.Format
    let layout: RecordingTerms.Layout

    /// A file of one part, and the frame of the recording at which it begins.
    private struct Piece {
        var name: String
        var position: Int
    }

    private var channels: Int { layout == .stereo ? 2 : 1 }
    private var isFolder: Bool { layout == .tracks }
    /// Of the whole, of what it is made of, and of where it is written.
    private var whole: String { place.stem + (isFolder ? "" : ".\(place.format)") }
    private var joined: String { place.stem + (isFolder ? ".whole" : ".whole.\(place.format)") }
    private var written: String { place.stem + (isFolder ? ".joining" : ".joining.\(place.format)") }

    /// The parts after the first, as they lie in the folder.
    private var parts: [RecordingPlace] {
        let begin = place.id + ".part"
        let names = LocalFile.names(completion.path(place.folders[1]))
        let found = names.compactMap { name -> RecordingPlace? in
            guard name.hasPrefix(begin) else { return nil }
            let words = name.dropFirst(begin.count).split(separator: ".", omittingEmptySubsequences: false)
            let numbers = (words.first ?? "").split(separator: "-").map { Int($0) }
            guard numbers.count == 2, let part = numbers[0], let position = numbers[1], position >= 0 else { return nil }
            var other = place
            (other.part, other.position) = (part, position)
            return other
        }
        return found.sorted { ($0.part ?? 0) < ($1.part ?? 0) }
    }

    /// Nothing happens when there is but one part.
    func join() async throws {
        let all = [place] + parts
        let isJoined = LocalFile.exists(completion.path(joined))
        guard all.count > 1 || isJoined else { return }
        if !isJoined {
            remove(written)
            if isFolder { try await joinTracks(all) } else { try await write(all.map { Piece(name: $0.file, position: $0.position) }, to: written, channels) }
            guard LocalFile.rename(completion.path(written), completion.path(joined)) else {
                throw RecordingTrouble.damaged("\(joined) cannot be put in its place")
            }
        }
        for part in all { remove(isFolder ? part.stem : part.file) }
        guard LocalFile.rename(completion.path(joined), completion.path(whole)) else {
            throw RecordingTrouble.damaged("\(whole) cannot be put in its place")
        }
    }

    private func joinTracks(_ all: [RecordingPlace]) async throws {
        var tracks: [RecordingTrack] = []
        var pieces: [[Piece]] = []
        for part in all {
            guard let list = try? completion.tracks(at: part) else { continue }
            for track in list {
                let piece = Piece(name: part.file(ofTrack: track.track), position: part.position)
                if let index = tracks.firstIndex(where: { $0.participantID == track.participantID }) {
                    pieces[index].append(piece)
                } else {
                    tracks.append(RecordingTrack(track: tracks.count + 1, participantID: track.participantID, callID: track.callID))
                    pieces.append([piece])
                }
            }
        }
        do throws(OutputFile.Failure) { try OutputFile.makeFolder(completion.path(written)) } catch {
            throw RecordingTrouble.damaged("\(error)")
        }
        for (track, pieces) in zip(tracks, pieces) { try await write(pieces, to: "\(written)/\(track.track).\(place.format)", 1) }
        try JSONEncoder().encode(tracks).write(to: URL(filePath: completion.path("\(written)/tracks.json")))
    }

    private func write(_ pieces: [Piece], to name: String, _ channels: Int) async throws {
        let kind = RecordingFile.Kind(format: format, channels: channels, bitrate: completion.settings.bitrate)
        let file: RecordingFile
        do throws(OutputFile.Failure) {
            file = try RecordingFile(
                creating: completion.path(name), kind, key: completion.settings.keys.first, encodes: format == .wav)
        } catch {
            throw RecordingTrouble.damaged("\(error)")
        }
        var frames = 0
        // One stream, whatever the parts were.
        var joiner = OggOpusJoiner(channels: channels, bitrate: completion.settings.bitrate, serial: .random(in: 0 ... .max))
        for piece in pieces {
            do throws(RecordingTrouble) { try completion.complete(piece.name, format: format, channels: channels) } catch {
                // A part that never came to a file.
                if case .missing = error { continue }
                throw error
            }
            let media = try await RecordingMedia(
                try LocalBytes(path: completion.path(piece.name), threads: Completion.threads), keys: completion.settings.keys)
            if format == .ogg {
                try await append(media, at: piece.position, to: file, &joiner)
                continue
            }
            if piece.position > frames {
                file.appendSilence(frames: piece.position - frames)
                frames = piece.position
            }
            frames += try await append(media, channels, to: file)
        }
        if format == .ogg {
            var pages: [UInt8] = []
            joiner.finish(into: &pages)
            file.append(pages: pages)
        }
        file.finish()
        if let failure = file.failure { throw RecordingTrouble.damaged("\(failure)") }
    }

    /// Linear sound; in frames.
    private func append(_ media: RecordingMedia, _ channels: Int, to file: RecordingFile) async throws -> Int {
        var offset = RecordingFile.headerLength
        while offset < media.length {
            let bytes = try await media.read(offset, 256 << 10)
            guard !bytes.isEmpty else { break }
            file.append(stride(from: 0, to: bytes.count - 1, by: 2).map { Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8) })
            file.flush()
            offset += bytes.count
        }
        return max(0, offset - RecordingFile.headerLength) / (2 * channels * Samples.frame)
    }

    /// A part that is Ogg, at a frame of the whole.
    private func append(_ media: RecordingMedia, at position: Int, to file: RecordingFile, _ joiner: inout OggOpusJoiner) async throws {
        joiner.follow(at: position)
        while joiner.frames < position {
            var pages: [UInt8] = []
            try joiner.silence(frames: min(50, position - joiner.frames), into: &pages)
            file.append(pages: pages)
        }
        joiner.follow(at: position)
        var offset = 0
        while offset < media.length {
            let bytes = try await media.read(offset, 256 << 10)
            guard !bytes.isEmpty else { break }
            var pages: [UInt8] = []
            joiner.append(bytes, into: &pages)
            file.append(pages: pages)
            offset += bytes.count
        }
    }

    private func remove(_ name: String) {
        let path = completion.path(name)
        for file in LocalFile.names(path) { LocalFile.remove("\(path)/\(file)") }
        LocalFile.removeFolder(path)
        LocalFile.remove(path)
    }
}
