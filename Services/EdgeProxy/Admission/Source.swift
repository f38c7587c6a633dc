import Addresses

/// Who sent something, as far as addresses tell: a whole /64 of IPv6 is one subscriber, who can choose any address in it.
struct Source: Sendable, Hashable {
    /// The IPv4 address, or the first address of the /64.
    let block: IPAddress
    let key: UInt64
    /// Of its /24, or its /48.
    let network: UInt64
    /// Never limited, never banned.
    let isExempt: Bool

    init(_ address: IPAddress, _ hash: KeyedHash, exempt: [AddressRange] = []) {
        if let v4 = address.v4 {
            block = address
            network = hash.hash(1, UInt64(v4 >> 8))
        } else {
            block = IPAddress(v6High: address.high, v6Low: 0)
            network = hash.hash(2, address.high >> 16)
        }
        key = hash.hash(block.high, block.low)
        isExempt = exempt.contains { $0.contains(address) }
    }
}

/// Neighbouring addresses with a common beginning, like `10.0.0.0/8` (RFC 4632 §3.1, RFC 4291 §2.3).
struct AddressRange: Sendable, Hashable {
    private let address: IPAddress
    private let highMask: UInt64
    private let lowMask: UInt64

    /// A network, or one address; nil for anything else.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let given = Int(parts[1]), 0...width ~= given else { return nil }
            length = given
        }
        // IPv4 stands in the last 32 of 128 bits.
        if address.isIPv4 { length += 96 }
        self.address = address
        highMask = length >= 64 ? .max : ~(UInt64.max >> UInt64(length))
        lowMask = length <= 64 ? 0 : ~(length == 128 ? 0 : UInt64.max >> UInt64(length - 64))
    }

    func contains(_ other: IPAddress) -> Bool {
        other.isIPv4 == address.isIPv4 && (other.high ^ address.high) & highMask == 0
            && (other.low ^ address.low) & lowMask == 0
    }
}
