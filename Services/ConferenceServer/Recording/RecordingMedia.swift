import Bytes
import Contracts
import Cryptography
import Glibc

/// Why the sound of a recording cannot be had.
enum RecordingTrouble: Error, Sendable, CustomStringConvertible {
    case missing(String)
    /// Not what was written, or sealed with a key that is not here.
    case damaged(String)
    /// The object store, which may come back.
    case away(String)

    var description: String {
        switch self {
        case .missing(let what): "\(what) is not there"
        case .damaged(let what): what
        case .away(let what): what
        }
    }
}

/// The bytes of a file, wherever it lies.
protocol RecordingBytes: Sendable {
    var length: Int { get }
    /// Fewer at the end.
    func read(_ offset: Int, _ count: Int) async throws -> [UInt8]
}

/// A file of the folder.
struct LocalBytes: RecordingBytes {
    let path: String
    let length: Int
    let threads: BlockingThreads

    init(path: String, threads: BlockingThreads) throws(RecordingTrouble) {
        guard let length = LocalFile.length(path) else { throw .missing(path) }
        (self.path, self.length, self.threads) = (path, length, threads)
    }

    func read(_ offset: Int, _ count: Int) async throws -> [UInt8] {
        let path = path
        return try await threads.trouble { () throws(RecordingTrouble) in try LocalFile.read(path, offset, count) }
    }
}

/// A recording as it is downloaded, whatever protects it where it lies.
struct RecordingMedia: Sendable {
    let source: any RecordingBytes
    private let sealed: SealedStream?
    /// The header of a WAV that was sealed without.
    private let prefix: [UInt8]
    let length: Int

    init(_ source: any RecordingBytes, keys: [[UInt8]]) async throws {
        self.source = source
        let head = try await source.read(0, SealedStream.headLength)
        guard SealedStream.isOne(head) else {
            (sealed, prefix, length) = (nil, [], source.length)
            return
        }
        let stream: SealedStream
        do throws(SealError) { stream = try SealedStream(head: head, keys: keys) } catch {
            throw RecordingTrouble.damaged("a recording is sealed with a key that TANDEM_RECORDING_KEY does not have")
        }
        sealed = stream
        let extent = SealedStream.extent(ofFile: source.length)
        prefix = Self.prefix(stream.note, dataBytes: extent.plaintext)
        length = prefix.count + extent.plaintext
    }

    private static func prefix(_ note: [UInt8], dataBytes: Int) -> [UInt8] {
        guard note.first == 1 else { return [] }
        return RecordingFile.header(dataBytes, .init(format: .wav, channels: Int(note[1]), bitrate: 0))
    }

    /// Fewer bytes at the end.
    func read(_ offset: Int, _ count: Int) async throws -> [UInt8] {
        let (begin, end) = (min(max(0, offset), length), min(length, max(0, offset) + max(0, count)))
        guard begin < end else { return [] }
        guard let sealed else { return try await source.read(begin, end - begin) }
        var bytes = begin < prefix.count ? Array(prefix[begin..<min(end, prefix.count)]) : []
        let (first, last) = (max(0, begin - prefix.count), end - prefix.count)
        guard first < last else { return bytes }
        let pieces = (first / SealedStream.piece)..<((last - 1) / SealedStream.piece + 1)
        let lying = try await source.read(SealedStream.place(of: pieces.lowerBound), pieces.count * SealedStream.sealedPiece)
        var plain: [UInt8] = []
        for (index, number) in pieces.enumerated() {
            let piece = lying.dropFirst(index * SealedStream.sealedPiece).prefix(SealedStream.sealedPiece)
            do throws(SealError) { plain += try sealed.open(Array(piece), number: number) } catch {
                throw RecordingTrouble.damaged("a recording was changed where it lies")
            }
        }
        bytes += plain.dropFirst(first - pieces.lowerBound * SealedStream.piece).prefix(last - first)
        return bytes
    }
}

/// Files of the folder, by blocking calls.
enum LocalFile {
    static func length(_ path: String) -> Int? {
        var information = stat()
        guard unsafe stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(information.st_size)
    }

    static func read(_ path: String, _ offset: Int, _ count: Int) throws(RecordingTrouble) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .missing(path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        var length = 0
        while length < bytes.count {
            let done = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length, off_t(offset + length))
            }
            if done < 0, errno == EINTR { continue }
            guard done > 0 else { break }
            length += done
        }
        return length == bytes.count ? bytes : Array(bytes.prefix(length))
    }

    /// Changes a file in place: what follows `length` goes, and `bytes` are written where they belong.
    static func mend(_ path: String, length: Int, _ bytes: [UInt8], at offset: Int) throws(RecordingTrouble) {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .missing(path) }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw .damaged("\(path) cannot be cut") }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .damaged("\(path) cannot be written") }
            done += count
        }
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    static func remove(_ path: String) { unsafe unlink(path) }
    static func removeFolder(_ path: String) { unsafe rmdir(path) }
    static func rename(_ path: String, _ other: String) -> Bool { unsafe Glibc.rename(path, other) == 0 }

    /// The names in a folder; none when it is not there.
    static func names(_ path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
