public import Addresses
internal import Bytes
internal import Cryptography

/// Digest nonces that need no memory: the time of issue and a code over it and over whom it was given to (RFC 7616 §5.4).
///
/// Whoever answers one has therefore received it: that proves an address, which a datagram alone never does.
public struct NonceIssuer: Sendable {
    public enum Verdict: Sendable, Hashable {
        case fresh
        /// Ours, but too old: challenge again with `stale=true`.
        case stale
        /// Not ours, or given to another address.
        case forged
    }

    private static let codeLength = 12
    private let key: [UInt8]
    /// In milliseconds.
    private let lifetime: Int64

    public init(key: [UInt8], lifetimeMilliseconds: Int64 = 300_000) { (self.key, lifetime) = (key, lifetimeMilliseconds) }

    /// Milliseconds of Unix time take fewer bits until the year 2527; the others tell challenges of one moment apart.
    private static let timeBits: UInt64 = 44
    private static let timeMask = UInt64(1) << timeBits - 1

    /// `now` in milliseconds of Unix time. `salt` is different for each challenge that is not just a repetition: who counts
    /// several by one nonce would be taken for somebody who replays (§5.12).
    public func issue(now: Int64, to client: IPAddress, salt: UInt64 = 0) -> String {
        let time = Self.bytes(UInt64(bitPattern: now) & Self.timeMask | salt << Self.timeBits)
        return Base64.encode(time + code(time, client), .urlSafe)
    }

    public func verify(_ nonce: String, now: Int64, from client: IPAddress) -> Verdict {
        guard nonce.utf8.count <= 64, let bytes = Base64.decode(nonce.utf8, .urlSafe), bytes.count == 8 + Self.codeLength else {
            return .forged
        }
        let time = Array(bytes[..<8])
        guard equalInConstantTime(Array(bytes[8...]), code(time, client)) else { return .forged }
        let issued = Int64(time.reduce(0) { $0 << 8 | UInt64($1) } & Self.timeMask)
        // A clock of another edge may be a little ahead of ours.
        let (age, overflow) = now.subtractingReportingOverflow(issued)
        return !overflow && age <= lifetime && age >= -lifetime ? .fresh : .stale
    }

    private func code(_ time: [UInt8], _ client: IPAddress) -> [UInt8] {
        // An IPv6 subscriber has a /64 and changes addresses in it (RFC 8981).
        let address = Self.bytes(client.high) + (client.isIPv4 ? Self.bytes(client.low) : [])
        return Array(DigestAlgorithm.sha256.authenticate(Array("nonce".utf8) + time + address, key: key).prefix(Self.codeLength))
    }

    private static func bytes(_ number: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
}
