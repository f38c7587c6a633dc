public import Addresses
internal import Bytes

/// A transport address at which one side may be reached (RFC 8445 §5.1); over UDP, as nothing else is spoken here.
public struct Candidate: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case host
        case serverReflexive = "srflx"
        case peerReflexive = "prflx"
        case relayed = "relay"

        /// RFC 8445 §5.1.2.2.
        var preference: UInt32 {
            switch self {
            case .host: 126
            case .peerReflexive: 110
            case .serverReflexive: 100
            case .relayed: 0
            }
        }
    }

    /// The same for candidates whose checks will likely fare alike (§5.1.1.3).
    public let foundation: String
    public let component: Component
    /// 1 to 2^31-1.
    public let priority: UInt32
    public let address: SocketAddress
    public let kind: Kind
    public let relatedAddress: SocketAddress?
    /// The username fragment it belongs to, when it said so (RFC 8839 §5.1).
    public let fragment: String?

    static let priorities: ClosedRange<UInt32> = 1...0x7fff_ffff

    init(
        foundation: String, component: Component, priority: UInt32, address: SocketAddress, kind: Kind, relatedAddress: SocketAddress?,
        fragment: String?
    ) {
        (self.foundation, self.component, self.priority, self.address) = (foundation, component, priority, address)
        (self.kind, self.relatedAddress, self.fragment) = (kind, relatedAddress, fragment)
    }

    /// One of ours. `preference` orders the addresses of a host (§5.1.2.2): 65535 where there is only one.
    public init(
        _ address: SocketAddress, kind: Kind = .host, component: Component = .rtp, preference: UInt16 = .max, related: SocketAddress? = nil
    ) {
        // One foundation for a kind and an address, whatever the port (§5.1.1.3).
        let source = "\(kind.rawValue) \((related ?? address).address)"
        let foundation = UInt32(truncatingIfNeeded: StableHash.hash(source.utf8))
        self.init(
            foundation: "\(foundation)", component: component,
            priority: Self.priority(kind, preference: preference, component: component), address: address, kind: kind,
            relatedAddress: related, fragment: nil)
    }

    /// The same address on its own, for an agent that has one component only.
    public func alone() -> Candidate {
        Candidate(
            foundation: foundation, component: .rtp, priority: priority, address: address, kind: kind, relatedAddress: relatedAddress,
            fragment: fragment)
    }

    /// §5.1.2.1.
    static func priority(_ kind: Kind, preference: UInt16, component: Component) -> UInt32 {
        kind.preference << 24 | UInt32(preference) << 8 | UInt32(256 - min(component.rawValue, 256))
    }

    /// What its checks say of a peer-reflexive candidate they might make known (§7.1.1).
    var peerReflexivePriority: UInt32 { Kind.peerReflexive.preference << 24 | priority & 0xff_ffff }

    /// Somewhere a datagram can be sent to one host: no wildcard, group or whole network, and not nowhere.
    static func isUsable(_ address: SocketAddress) -> Bool {
        guard address.port != 0 else { return false }
        if let v4 = address.address.v4 { return v4 >> 24 != 0 && v4 >> 28 < 14 }
        return address.address.high >> 56 != 0xff && (address.address.high != 0 || address.address.low != 0)
    }

    /// Only such addresses reach each other (§6.1.2.2).
    static func canReach(_ left: IPAddress, _ right: IPAddress) -> Bool {
        // Link-local addresses are fe80::/10.
        left.isIPv4 == right.isIPv4 && (left.isIPv4 || (left.high >> 54 == 0x3fa) == (right.high >> 54 == 0x3fa))
    }
}
