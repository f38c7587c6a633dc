/// Why a request went no further, or a connection was not accepted; each has a counter.
enum AdmissionReason: String, Sendable, CaseIterable {
    case banned, scanner, unknownDomain, domainAsked, sourceRate, networkRate, accountRate, customerRate
    case overload, stale, amplification, connections

    /// The status for who is owed an answer; nil: silence (RELIABILITY §4.8: a 503 only for real overload).
    func status(overConnection: Bool) -> Int? {
        switch self {
        case .banned, .scanner, .unknownDomain, .domainAsked, .amplification, .connections, .stale: nil
        // A datagram is sent again by itself, and its source may be forged; on a connection silence would be a riddle.
        case .sourceRate, .networkRate, .accountRate: overConnection ? 480 : nil
        case .customerRate: 480
        case .overload: 503
        }
    }
}
