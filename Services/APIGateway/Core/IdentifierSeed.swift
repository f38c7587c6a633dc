import Bytes
import Contracts
import Cryptography

/// Makes the ids of everything one request creates. It is stored with the request's idempotency key before anything is done, so
/// that a request performed twice asks for the same ids, and creates once.
struct IdentifierSeed: Sendable, Equatable {
    /// Eight bytes of Unix time in milliseconds, sixteen random ones.
    let bytes: [UInt8]

    init(milliseconds: Int64, random: (UInt64, UInt64)) {
        bytes = [UInt64(clamping: milliseconds), random.0, random.1].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    /// As it was stored; nil for anything of another length.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 24 else { return nil }
        self.bytes = bytes
    }

    /// The `index`-th id with this prefix.
    func identifier(_ prefix: String, _ index: Int = 0) -> String {
        let digest = DigestAlgorithm.sha256.hash(bytes + Array("\(prefix)/\(index)".utf8))
        return Identifier.make(
            prefix, milliseconds: Int64(clamping: Self.word(bytes, 0)), random: (Self.word(digest, 0), Self.word(digest, 8)))
    }

    private static func word(_ bytes: [UInt8], _ start: Int) -> UInt64 {
        bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
