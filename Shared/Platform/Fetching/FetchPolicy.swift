public import Addresses
internal import Bytes

/// Which addresses may be fetched from on a customer's behalf: public ones, and what the operator allows by name or range.
public struct FetchPolicy: Sendable {
    public struct Mistake: Error, CustomStringConvertible {
        public let entry: String
        public var description: String { "TANDEM_FETCH_ALLOW: '\(entry)' is no address, range (10.0.0.0/8) or host name" }
    }

    private struct Range: Sendable {
        let network: IPAddress
        let length: Int

        func contains(_ address: IPAddress) -> Bool {
            guard address.isIPv4 == network.isIPv4 else { return false }
            // IPv4 lies in the last 32 of the 128 bits.
            let bits = address.isIPv4 ? length + 96 : length
            func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : .max << UInt64(64 - bits) }
            return (address.high ^ network.high) & mask(bits) == 0 && (address.low ^ network.low) & mask(bits - 64) == 0
        }
    }

    /// Where web servers listen; a fetch talks to nothing else that is public (RELIABILITY V19).
    private static let ports: Set<Int> = [80, 443, 8080, 8443]

    private var ranges: [Range] = []
    private var hosts: Set<String> = []

    public init(allowing entries: [String]) throws(Mistake) {
        for entry in entries {
            let parts = entry.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            if let network = IPAddress(parts[0]) {
                let longest = network.isIPv4 ? 32 : 128
                guard parts.count == 1 || Int(parts[1]).map({ (0...longest).contains($0) }) == true else {
                    throw Mistake(entry: entry)
                }
                ranges.append(Range(network: network, length: parts.count > 1 ? Int(parts[1]) ?? longest : longest))
            } else {
                let isHost =
                    parts.count == 1 && !entry.isEmpty
                    && entry.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == 45 || $0 == 46 }
                guard isHost else { throw Mistake(entry: entry) }
                hosts.insert(entry.lowercased())
            }
        }
    }

    /// Every address of a host counts: one private among them refuses them all.
    public func permits(host: String, port: Int = 443, addresses: [IPAddress]) -> Bool {
        guard !addresses.isEmpty else { return false }
        return hosts.contains(host.lowercased()) || addresses.allSatisfy { permits($0, port) }
    }

    private func permits(_ address: IPAddress, _ port: Int) -> Bool {
        ranges.contains { $0.contains(address) } || address.isPubliclyRoutable && Self.ports.contains(port)
    }
}
