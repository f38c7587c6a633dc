import Codecs
import Contracts
import Cryptography
import FoundationEssentials

/// Makes the files of a recording whole after its process has died, and measures them; blocks.
struct Completion: Sendable {
    let settings: RecordingSettings

    /// What one file holds, as it is downloaded.
    struct Measure: Sendable, Equatable {
        var size: Int
        var sha256: String
        var milliseconds: Int
    }

    func path(_ name: String) -> String { "\(settings.folder)/\(name)" }

    /// Who the tracks are.
    func tracks(at place: RecordingPlace) throws(RecordingTrouble) -> [RecordingTrack] {
        let path = path(place.list)
        guard let length = LocalFile.length(path) else { throw .missing(path) }
        let bytes = try LocalFile.read(path, 0, length)
        guard let list = try? JSONDecoder().decode([RecordingTrack].self, from: Data(bytes)) else { throw .damaged("\(path) cannot be read") }
        return list
    }

    /// The file can be played and its end is where it says; what is so already stays.
    func complete(_ name: String, format: RecordingTerms.Format, channels: Int) throws(RecordingTrouble) {
        let path = path(name)
        guard let length = LocalFile.length(path) else { throw .missing(path) }
        let head = try LocalFile.read(path, 0, SealedStream.headLength)
        if SealedStream.isOne(head) { return try completeSealed(path, length, head, format) }
        switch format {
        case .wav:
            let width = 2 * channels
            let data = max(0, length - RecordingFile.headerLength) / width * width
            let header = RecordingFile.header(data, .init(format: .wav, channels: channels, bitrate: 0))
            let isWhole = try LocalFile.read(path, 0, header.count) == header
            guard !isWhole || data != length - RecordingFile.headerLength else { return }
            try LocalFile.mend(path, length: RecordingFile.headerLength + data, header, at: 0)
        case .ogg:
            var scan = OggScan()
            try eachPiece(path, length) { scan.read($0) }
            if scan.length < length { try LocalFile.mend(path, length: scan.length, [], at: 0) }
        }
    }

    private func completeSealed(
        _ path: String, _ length: Int, _ head: [UInt8], _ format: RecordingTerms.Format
    ) throws(RecordingTrouble) {
        let extent = SealedStream.extent(ofFile: length)
        do {
            let stream = try SealedStream(head: head, keys: settings.keys)
            if extent.hasEnd {
                let end = SealedStream.place(of: extent.wholePieces)
                let last = try LocalFile.read(path, end, length - end)
                if (try? stream.open(last, number: extent.wholePieces)) != nil { return }
            }
            var kept = extent.wholePieces * SealedStream.piece
            if format == .ogg {
                var scan = OggScan()
                for number in 0..<extent.wholePieces { scan.read(try open(number, of: stream, path)) }
                kept = scan.length
            }
            let (number, rest) = kept.quotientAndRemainder(dividingBy: SealedStream.piece)
            let beginning = rest > 0 ? Array(try open(number, of: stream, path).prefix(rest)) : []
            let (last, end) = (
                try stream.seal(beginning, number: number, nonce: RecordingFile.nonce()), SealedStream.place(of: number)
            )
            try LocalFile.mend(path, length: end, last, at: end)
        } catch {
            throw (error as? RecordingTrouble) ?? .damaged("\(path) was changed, or is sealed with a key that is not here")
        }
    }

    private func open(_ number: Int, of stream: SealedStream, _ path: String) throws -> [UInt8] {
        try stream.open(
            try LocalFile.read(path, SealedStream.place(of: number), SealedStream.sealedPiece), number: number)
    }

    /// Reads all of it, as it is downloaded.
    func measure(_ name: String, format: RecordingTerms.Format, channels: Int) async throws -> Measure {
        let threads = Self.threads
        let media = try await RecordingMedia(try LocalBytes(path: path(name), threads: threads), keys: settings.keys)
        let digest = RunningDigest()
        var scan = OggScan()
        var offset = 0
        while offset < media.length {
            let piece = try await media.read(offset, 256 << 10)
            guard !piece.isEmpty else { throw RecordingTrouble.damaged("\(name) is shorter than it was") }
            digest.update(piece)
            if format == .ogg { scan.read(piece) }
            offset += piece.count
        }
        let milliseconds = format == .ogg ? scan.samples / 48 : max(0, media.length - RecordingFile.headerLength) / (16 * channels)
        return Measure(size: media.length, sha256: Self.hexadecimal(digest.finish()), milliseconds: milliseconds)
    }

    static let threads = BlockingThreads(count: 2)

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func eachPiece(_ path: String, _ length: Int, _ body: ([UInt8]) -> Void) throws(RecordingTrouble) {
        var offset = 0
        while offset < length {
            let piece = try LocalFile.read(path, offset, 256 << 10)
            guard !piece.isEmpty else { return }
            body(piece)
            offset += piece.count
        }
    }
}
