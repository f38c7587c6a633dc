internal import Glibc

/// A file that is written from its beginning on, whose first bytes may be written again. It blocks: for a thread of its own.
public struct OutputFile: ~Copyable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        public init(_ description: String) { self.description = description }
    }

    public let path: String
    private let descriptor: Int32
    /// Bytes appended so far.
    public private(set) var length = 0

    /// Makes the file, which must not be there; readable by its owner only.
    public init(creating path: String) throws(Failure) {
        let opened = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw Failure("\(path) cannot be made: \(Self.reason)") }
        (self.path, descriptor) = (path, opened)
    }

    deinit { close(descriptor) }

    public mutating func append(_ bytes: [UInt8]) throws(Failure) {
        try write(bytes, at: length)
        length += bytes.count
    }

    /// Goes on so many bytes later; those between are zero and take no room on the disk.
    public mutating func skip(_ count: Int) throws(Failure) {
        guard ftruncate(descriptor, off_t(length + count)) == 0 else { throw Failure("\(path) cannot be written: \(Self.reason)") }
        length += count
    }

    /// Writes the beginning again.
    public func rewrite(_ bytes: [UInt8]) throws(Failure) { try write(bytes, at: 0) }

    private func write(_ bytes: [UInt8], at offset: Int) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("\(path) cannot be written: \(Self.reason)") }
            done += count
        }
    }

    private static var reason: String { unsafe String(cString: strerror(errno)) }

    /// Makes a folder for files of one owner, unless it is there.
    public static func makeFolder(_ path: String) throws(Failure) {
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw Failure("the folder \(path) cannot be made: \(reason)")
    }

    /// A name made of text from outside: what is no letter, digit, dash, dot or underscore becomes one, and what is long is cut.
    public static func name(_ text: String, longest: Int = 96) -> String {
        let bytes = text.utf8.prefix(longest).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                byte
            default: UInt8(ascii: "_")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
