import Addresses

/// Who sent something, as far as addresses tell: a whole /64 of IPv6 is one subscriber, who can choose any address in it.
struct Source: Sendable, Hashable {
    /// The IPv4 address, or the first address of the /64.
    let block: IPAddress
    let key: UInt64
    /// Of its /24, or its /48.
    let network: UInt64
    /// Never limited, never banned.
    var isExempt: Bool

    init(_ address: IPAddress, _ hash: KeyedHash, exempt: [AddressRange] = []) {
        isExempt = Self.contains(exempt, address)
        guard !isExempt else {
            // It stands in no table.
            (block, key, network) = (address, 0, 0)
            return
        }
        if let v4 = address.v4 {
            block = address
            network = hash.hash(1, UInt64(v4 >> 8))
        } else {
            block = IPAddress(v6High: address.high, v6Low: 0)
            network = hash.hash(2, address.high >> 16)
        }
        key = hash.hash(block.high, block.low)
    }

    private static func contains(_ ranges: [AddressRange], _ address: IPAddress) -> Bool {
        for range in ranges where range.contains(address) { return true }
        return false
    }
}
