internal import Bytes

/// The digest of a certificate, `a=fingerprint` (RFC 8122 §5).
public struct Fingerprint: Hashable, Sendable, Codable {
    /// In lower case: `sha-256`.
    public let algorithm: String
    public let digest: [UInt8]

    /// The digests RFC 8122 still allows, with their lengths; MD2 and MD5 are gone.
    private static let lengths = ["sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64]

    /// Nil when the algorithm is none of RFC 8122's or the digest has not its length.
    public init?(algorithm: String, digest: [UInt8]) {
        let name = algorithm.lowercased()
        guard Self.lengths[name] == digest.count else { return nil }
        (self.algorithm, self.digest) = (name, digest)
    }

    /// Parses `sha-256 AB:CD:...`.
    public init?(_ value: some StringProtocol) {
        let fields = value.split(separator: " ")
        guard fields.count == 2 else { return nil }
        let octets = fields[1].utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard octets.count <= 64, octets.allSatisfy({ $0.count == 2 }), let digest = Hexadecimal.decode(octets.joined()) else { return nil }
        self.init(algorithm: String(fields[0]), digest: digest)
    }
}

extension Fingerprint: CustomStringConvertible {
    public var description: String {
        let octets = digest.map { Hexadecimal.encode([$0]).uppercased() }
        return "\(algorithm) \(octets.joined(separator: ":"))"
    }
}
