internal import Bytes

/// The transports of RFC 3261 §18 and RFC 7118.
public enum Transport: UInt8, Sendable, Hashable, Codable, CaseIterable {
    case udp, tcp, tls, ws, wss

    public var name: String {
        switch self {
        case .udp: "UDP"
        case .tcp: "TCP"
        case .tls: "TLS"
        case .ws: "WS"
        case .wss: "WSS"
        }
    }

    public init?(_ name: some StringProtocol) {
        guard let match = Self.allCases.first(where: { ASCII.equalsIgnoringCase($0.name, name) }) else { return nil }
        self = match
    }

    /// Retransmission timers do not run over these (§17).
    public var isReliable: Bool { self != .udp }
}
