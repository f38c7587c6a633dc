internal import Bytes
internal import COpenSSL

/// The hash of a certificate, by which its owner is known (RFC 8122 §5). Its text is SDP's business.
public struct Fingerprint: Hashable, Sendable {
    /// The weakest first; MD5 and MD2 are no longer taken (§5).
    public enum Algorithm: String, Hashable, Sendable, CaseIterable, Comparable {
        case sha1 = "sha-1"
        case sha224 = "sha-224"
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        public var length: Int {
            switch self {
            case .sha1: 20
            case .sha224: 28
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        public static func < (left: Algorithm, right: Algorithm) -> Bool { left.length < right.length }

        private var evp: OpaquePointer? {
            switch self {
            case .sha1: unsafe EVP_sha1()
            case .sha224: unsafe EVP_sha224()
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        }

        /// The hash of a certificate in its DER form.
        func hash(_ certificate: OpaquePointer) -> [UInt8] {
            var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var length: UInt32 = 0
            let isHashed = unsafe X509_digest(certificate, evp, &digest, &length) == 1
            return isHashed ? Array(digest.prefix(Int(length))) : []
        }
    }

    public let algorithm: Algorithm
    public let hash: [UInt8]

    /// Nil when the hash is not as long as its algorithm makes it.
    public init?(_ algorithm: Algorithm, hash: [UInt8]) {
        guard hash.count == algorithm.length else { return nil }
        (self.algorithm, self.hash) = (algorithm, hash)
    }

    /// By the name of the algorithm, as SDP has it; nil for one that is not taken, too.
    public init?(_ name: String, hash: [UInt8]) {
        guard let algorithm = Algorithm(rawValue: name.lowercased()) else { return nil }
        self.init(algorithm, hash: hash)
    }

    /// Whether one of these is of the certificate: only those by the strongest hash among them count (RFC 8122 §5.1).
    static func contains(_ fingerprints: [Fingerprint], _ certificate: OpaquePointer) -> Bool {
        guard let strongest = fingerprints.map(\.algorithm).max() else { return false }
        let hash = unsafe strongest.hash(certificate)
        return fingerprints.contains { $0.algorithm == strongest && $0.hash == hash }
    }
}

extension Fingerprint: CustomStringConvertible {
    public var description: String {
        "\(algorithm.rawValue) \(Hexadecimal.encode(hash))"
    }
}
