internal import Bytes

/// The `o=` line: who made the session and which version this is (RFC 8866 §5.2).
public struct Origin: Hashable, Sendable, Codable {
    public var username: String
    /// A number; some write more digits than 64 bits hold, and nobody computes with it.
    public var sessionID: String
    /// Compared and incremented (RFC 3264 §8); saturates at `UInt64.max`.
    public var version: UInt64
    public var networkType: String
    public var addressType: String
    public var address: String

    public init(
        username: String = "-", sessionID: String, version: UInt64, networkType: String = "IN", addressType: String = "IP4",
        address: String
    ) {
        (self.username, self.sessionID, self.version) = (username, sessionID, version)
        (self.networkType, self.addressType, self.address) = (networkType, addressType, address)
    }

    /// Nil when the value has not the six fields of the grammar.
    init?(parsing value: String) {
        let fields = value.split(separator: " ")
        guard fields.count == 6, !fields[2].isEmpty, fields[2].utf8.allSatisfy(ASCII.isDigit) else { return nil }
        self.init(
            username: String(fields[0]), sessionID: String(fields[1]), version: ASCII.decimal(fields[2].utf8) ?? .max,
            networkType: String(fields[3]), addressType: String(fields[4]), address: String(fields[5]))
    }
}

extension Origin: CustomStringConvertible {
    public var description: String { "\(username) \(sessionID) \(version) \(networkType) \(addressType) \(address)" }
}
