/// A file that is sealed piece by piece as it grows (AES-256-GCM): what was written before a crash can be opened, any place can be read
/// by itself, and a byte that was changed, moved or left out is noticed.
///
/// Layout: 8 bytes `TANDEMS1`, 8 bytes that name the key, 16 bytes of salt, 8 bytes of the writer's; then pieces of 4096 bytes, each sealed
/// (`SealedBox`) with a key of this file alone and, as context, the head and the piece's number. The last piece is shorter, so a file that
/// ends with a whole one was cut.
public struct SealedStream: Sendable {
    public static let headLength = 40
    public static let piece = 4096
    /// A piece with nonce and tag.
    public static let sealedPiece = piece + 28
    public static let noteLength = 8
    private static let magic = Array("TANDEMS1".utf8)

    public let head: [UInt8]
    private let key: [UInt8]

    /// A new file. Salt and note are as long as the layout says, the key has 32 bytes.
    public init(key: [UInt8], salt: [UInt8], note: [UInt8]) throws(SealError) {
        guard key.count == 32, salt.count == 16, note.count == Self.noteLength else { throw .wrongKeyLength }
        head = Self.magic + Self.name(of: key) + salt + note
        self.key = Self.fileKey(key, salt)
    }

    /// An existing one, by its first 40 bytes; `keys` may hold older ones. Throws `unauthentic` when the key is not among them.
    public init(head: [UInt8], keys: [[UInt8]]) throws(SealError) {
        guard head.count >= Self.headLength, head.starts(with: Self.magic) else { throw .truncated }
        self.head = Array(head.prefix(Self.headLength))
        let name = Array(head[8..<16])
        guard let key = keys.first(where: { $0.count == 32 && Self.name(of: $0) == name }) else { throw .unauthentic }
        self.key = Self.fileKey(key, Array(head[16..<32]))
    }

    /// Whether a file begins as one of these.
    public static func isOne(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

    public var note: [UInt8] { Array(head[32..<40]) }

    /// What names a key, and tells nothing of it.
    public static func name(of key: [UInt8]) -> [UInt8] {
        Array(DigestAlgorithm.sha256.authenticate(Array("the name of a key".utf8), key: key).prefix(8))
    }

    private static func fileKey(_ key: [UInt8], _ salt: [UInt8]) -> [UInt8] {
        DigestAlgorithm.sha256.authenticate(Array("a sealed stream".utf8) + salt, key: key)
    }

    /// A piece that was full is no last one.
    public func seal(_ plaintext: [UInt8], number: Int, nonce: [UInt8]) throws(SealError) -> [UInt8] {
        guard plaintext.count <= Self.piece else { throw .wrongKeyLength }
        return try SealedBox.seal(plaintext, key: key, nonce: nonce, context: context(number, isLast: plaintext.count < Self.piece))
    }

    public func open(_ piece: [UInt8], number: Int) throws(SealError) -> [UInt8] {
        guard piece.count <= Self.sealedPiece else { throw .unauthentic }
        return try SealedBox.open(piece, key: key, context: context(number, isLast: piece.count < Self.sealedPiece))
    }

    private func context(_ number: Int, isLast: Bool) -> [UInt8] {
        head + stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: number >> $0) } + [isLast ? 1 : 0]
    }

    /// What a file of so many bytes holds: whole pieces, bytes of plaintext, and whether it has a last piece.
    public static func extent(ofFile length: Int) -> (wholePieces: Int, plaintext: Int, hasEnd: Bool) {
        let (pieces, rest) = max(0, length - headLength).quotientAndRemainder(dividingBy: sealedPiece)
        return (pieces, pieces * piece + max(0, rest - 28), rest >= 28)
    }

    /// Where a piece lies in the file.
    public static func place(of number: Int) -> Int { headLength + number * sealedPiece }
}

/// Seals what is appended, piece by piece.
public struct SealedStreamWriter: Sendable {
    public let stream: SealedStream
    private var waiting: [UInt8] = []
    private var number = 0

    public init(_ stream: SealedStream) { self.stream = stream }

    /// The pieces that are full by now; `nonce` gives 12 random bytes each time.
    public mutating func append(_ bytes: [UInt8], nonce: () -> [UInt8]) throws(SealError) -> [UInt8] {
        waiting += bytes
        var sealed: [UInt8] = []
        var start = 0
        while waiting.count - start >= SealedStream.piece {
            let piece = Array(waiting[start..<(start + SealedStream.piece)])
            sealed += try stream.seal(piece, number: number, nonce: nonce())
            (start, number) = (start + SealedStream.piece, number + 1)
        }
        waiting.removeFirst(start)
        return sealed
    }

    /// The last piece, which may be empty.
    public mutating func finish(nonce: () -> [UInt8]) throws(SealError) -> [UInt8] {
        let last = try stream.seal(waiting, number: number, nonce: nonce())
        waiting = []
        return last
    }
}
