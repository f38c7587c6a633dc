import Cryptography
import FoundationEssentials
import Glibc
import Synchronization

/// Copies of what was fetched or spoken, as files of one folder, bounded in number and bytes; the one not used for longest
/// goes first. A file is written beside its place and moved there, so whoever dies leaves no half of one. Blocks.
final class DiskCache: Sendable {
    /// A copy and what is known of it. Times are seconds since 1970.
    struct Copy: Sendable, Equatable {
        var key: String
        var validators = Validators()
        var freshUntil: Int
        /// Until when it may serve although it is old, when its server is away.
        var staleUntil: Int
        var bytes: [UInt8]
    }

    /// The first line of a file; the bytes follow.
    private struct Head: Codable {
        var key: String
        var validators: Validators
        var freshUntil: Int
        var staleUntil: Int
        var length: Int
    }

    private struct Index {
        var entries: [String: (bytes: Int, lastUse: UInt64)] = [:]
        var held = 0
        var uses: UInt64 = 0

        mutating func use(_ name: String, bytes: Int) {
            uses += 1
            held += bytes - (entries[name]?.bytes ?? 0)
            entries[name] = (bytes, uses)
        }

        mutating func forget(_ name: String) {
            if let entry = entries.removeValue(forKey: name) { held -= entry.bytes }
        }
    }

    private static let longestHead = 16_384
    private static let suffix = ".sound"

    private let folder: String
    private let largest: Int
    private let mostFiles: Int
    private let index = Mutex(Index())

    /// Makes the folder when it is not there, and takes over what an earlier process left in it; nil when there can be none.
    init?(folder: String, bytes: Int, files: Int) {
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST, let names = Self.names(in: folder) else { return nil }
        (self.folder, largest, mostFiles) = (folder, bytes, files)
        var found: [(name: String, bytes: Int, used: Int)] = []
        let now = time(nil)
        for name in names {
            var information = stat()
            guard unsafe stat(folder + "/" + name, &information) == 0 else { continue }
            guard name.hasSuffix(Self.suffix) else {
                // Of somebody who died while writing it, unless somebody is at it now.
                if name.hasPrefix(".write-"), information.st_mtim.tv_sec < now - 3600 {
                    unsafe unlink(folder + "/" + name)
                }
                continue
            }
            found.append((name, Int(information.st_size), information.st_mtim.tv_sec))
        }
        index.withLock { index in
            for file in found.sorted(by: { $0.used < $1.used }) { index.use(file.name, bytes: file.bytes) }
        }
        evict()
    }

    /// Files and bytes there are.
    var size: (files: Int, bytes: Int) { index.withLock { ($0.entries.count, $0.held) } }

    /// A copy that is damaged, or of another key, is none.
    func find(_ key: String) -> Copy? {
        let name = Self.name(of: key)
        guard let content = Self.read(folder + "/" + name, atMost: largest + Self.longestHead) else {
            index.withLock { $0.forget(name) }
            return nil
        }
        guard let end = content.prefix(Self.longestHead).firstIndex(of: UInt8(ascii: "\n")),
            let head = try? JSONDecoder().decode(Head.self, from: Data(content[..<end])), head.key == key,
            head.length == content.count - end - 1
        else {
            remove(name)
            return nil
        }
        index.withLock { $0.use(name, bytes: content.count) }
        return Copy(
            key: key, validators: head.validators, freshUntil: head.freshUntil, staleUntil: head.staleUntil,
            bytes: Array(content[(end + 1)...]))
    }

    /// False when it cannot be written, or is too large to be kept.
    @discardableResult
    func keep(_ copy: Copy) -> Bool {
        let head = Head(
            key: copy.key, validators: copy.validators, freshUntil: copy.freshUntil, staleUntil: copy.staleUntil,
            length: copy.bytes.count)
        guard copy.bytes.count <= largest / 4, let line = try? JSONEncoder().encode(head), line.count < Self.longestHead else {
            return false
        }
        let name = Self.name(of: copy.key)
        let beside = "\(folder)/.write-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let content = Array(line) + [UInt8(ascii: "\n")] + copy.bytes
        guard Self.write(content, to: beside), unsafe rename(beside, folder + "/" + name) == 0 else {
            unsafe unlink(beside)
            return false
        }
        index.withLock { $0.use(name, bytes: content.count) }
        evict()
        return true
    }

    private func evict() {
        while let name = index.withLock({ index -> String? in
            guard index.held > largest || index.entries.count > mostFiles else { return nil }
            return index.entries.min { $0.value.lastUse < $1.value.lastUse }?.key
        }) { remove(name) }
    }

    private func remove(_ name: String) {
        unsafe unlink(folder + "/" + name)
        index.withLock { $0.forget(name) }
    }

    // MARK: Files

    private static func name(of key: String) -> String {
        DigestAlgorithm.sha256.hash(key).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + suffix
    }

    private static func names(in folder: String) -> [String]? {
        guard let directory = unsafe opendir(folder) else { return nil }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func read(_ path: String, atMost limit: Int) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            (0...limit).contains(Int(information.st_size))
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(information.st_size))
        var length = 0
        while length < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
            }
            guard count > 0 else { break }
            length += count
        }
        return length == bytes.count ? bytes : nil
    }

    private static func write(_ bytes: [UInt8], to path: String) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            guard count > 0 else { break }
            written += count
        }
        return close(descriptor) == 0 && written == bytes.count
    }
}
