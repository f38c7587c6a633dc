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
    public var ipAddress: IPAddress? {
        guard networkType == "IN", let parsed = IPAddress(address) else { return nil }
        // RFC 5771, RFC 4291 §2.7: 224.0.0.0 and above, ff00::/8; nobody has a group or a whole network called.
        let isGroup = parsed.v4.map { $0 >> 28 >= 14 } ?? (parsed.high >> 56 == 0xff)
        return isGroup ? nil : parsed
    }

    /// `0.0.0.0` (or `::`): the hold of RFC 2543, still sent by old phones (RFC 3264 §8.4).
    public var isUnspecified: Bool { ipAddress.map { $0.isIPv4 ? $0.v4 == 0 : $0.high == 0 && $0.low == 0 } ?? false }
}

extension Connection: CustomStringConvertible {
    public var description: String { "\(networkType) \(addressType) \(address)" }
}
