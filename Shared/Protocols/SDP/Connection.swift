public import Addresses

/// The `c=` line: where media is wanted (RFC 8866 §5.7).
public struct Connection: Hashable, Sendable {
    public var networkType: String
    public var addressType: String
    /// As written, with the TTL and count of a multicast address if there are any.
    public var address: String

    public init(networkType: String = "IN", addressType: String, address: String) {
        (self.networkType, self.addressType, self.address) = (networkType, addressType, address)
    }

    public init(_ address: IPAddress) {
        self.init(addressType: address.isIPv4 ? "IP4" : "IP6", address: address.description)
    }

    init?(parsing value: String) {
        let fields = value.split(separator: " ")
        guard fields.count == 3 else { return nil }
        self.init(networkType: String(fields[0]), addressType: String(fields[1]), address: String(fields[2]))
    }

    /// The unicast address; nil for a name, for multicast and for other networks.
    public var ipAddress: IPAddress? { networkType == "IN" ? IPAddress(address) : nil }

    /// `0.0.0.0` (or `::`): the hold of RFC 2543, still sent by old phones (RFC 3264 §8.4).
    public var isUnspecified: Bool { ipAddress.map { $0.isIPv4 ? $0.v4 == 0 : $0.high == 0 && $0.low == 0 } ?? false }
}

extension Connection: CustomStringConvertible {
    public var description: String { "\(networkType) \(addressType) \(address)" }
}
