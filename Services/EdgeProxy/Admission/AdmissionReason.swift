/// Why a request went no further, or a connection was not accepted; each has a counter.
enum AdmissionReason: String, Sendable, CaseIterable {
    case banned, scanner, unknownDomain, domainDoubt, sourceRate, networkRate, accountRate, customerRate
    case overload, stale, amplification, connections, replay

    /// For metrics.
    var label: String {
        switch self {
        case .unknownDomain: "unknown_domain"
        case .domainDoubt: "domain_doubt"
        case .sourceRate: "source_rate"
        case .networkRate: "network_rate"
        case .accountRate: "account_rate"
        case .customerRate: "customer_rate"
        default: rawValue
        }
    }

    /// The status for who is owed an answer; nil: silence (RELIABILITY §4.8: a 503 only for real overload).
    func status(overConnection: Bool) -> Int? {
        switch self {
        case .banned, .scanner, .unknownDomain, .amplification, .connections, .replay: nil
        // A datagram is sent again by itself, and its source may be forged; on a connection silence would be a riddle.
        case .domainDoubt, .sourceRate, .networkRate, .accountRate: overConnection ? 480 : nil
        case .stale: overConnection ? 503 : nil
        case .customerRate: 480
        case .overload: 503
        }
    }
}
