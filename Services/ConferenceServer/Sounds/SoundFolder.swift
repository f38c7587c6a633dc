import Audio
import Bytes
import Glibc

/// The folder of sounds every customer may play by name: `welcome`, `menu/options.wav`, `file:beep.ulaw`.
struct SoundFolder: Sendable {
    static let largestFile = 32 << 20
    let path: String

    /// Reads and decodes; blocks.
    func sound(named name: String, seconds: Int) throws(SoundProblem) -> [Int16] {
        guard let relative = Self.relativePath(name) else { throw SoundProblem("'\(name.prefix(80))' is no name of a sound") }
        guard !path.isEmpty else { throw SoundProblem("there is no folder of sounds here (TANDEM_SOUNDS)") }
        guard let bytes = Self.read(path + "/" + relative) else { throw SoundProblem("there is no sound \(relative)") }
        do throws(SoundError) {
            return try SoundFile.decode(bytes, SoundFile.Encoding(fileName: relative), seconds: seconds).values
        } catch {
            throw SoundProblem("\(relative) is \(error)")
        }
    }

    /// The name of a customer's music on hold, when there is any: `music/CUSTOMER.wav`, or of another kind; blocks.
    func music(of customer: String) -> String? {
        guard !path.isEmpty, !customer.isEmpty else { return nil }
        return ["wav", "ogg", "opus", "mp3", "flac"].lazy.map { "music/\(customer).\($0)" }.first { name in
            guard Self.relativePath(name) == name else { return false }
            return unsafe access(path + "/" + name, R_OK) == 0
        }
    }

    static func isMusic(_ name: String) -> Bool { relativePath(name)?.hasPrefix("music/") == true }

    /// Nil for anything that is not plain folder and file names: no `..`, no hidden or absolute path. Without an extension
    /// it is a `.wav`.
    static func relativePath(_ name: String) -> String? {
        let name = name.hasPrefix("file:") ? name.dropFirst(5) : name[...]
        guard name.utf8.count <= 200 else { return nil }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part.first != "."
                && part.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || [45, 46, 95].contains($0) }
        }
        guard isPlain, let last = parts.last else { return nil }
        return last.contains(".") ? String(name) : name + ".wav"
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            information.st_size <= largestFile
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
        return Array(bytes.prefix(length))
    }
}
