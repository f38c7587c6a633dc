import Addresses

/// A range of addresses in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3): `10.0.0.0/8`, or one address.
struct AddressRange: Sendable, Hashable {
    private let first: IPAddress
    /// Bits of the sixteen bytes that must be equal; IPv4 stands in the last four.
    private let length: Int

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var given = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(parts[1]), number <= width else {
                return nil
            }
            given = number
        }
        (first, length) = (address, 128 - width + given)
    }

    func contains(_ address: IPAddress) -> Bool {
        let (high, low) = (address.high ^ first.high, address.low ^ first.low)
        // Shifting by the whole width gives zero: no bit is compared.
        return address.isIPv4 == first.isIPv4 && high >> UInt64(64 - min(length, 64)) == 0
            && low >> UInt64(64 - max(length - 64, 0)) == 0
    }
}
