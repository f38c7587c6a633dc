/// Who begins the handshake: `a=setup` (RFC 4145 §4), seen from the side whose description it is.
public enum Setup: String, Hashable, Sendable, Codable, CaseIterable {
    case active, passive
    case either = "actpass"
    /// Nobody, for now.
    case hold = "holdconn"

    /// Our answer to an offer with this line; nil when there will be no handshake. `current` is our role in an association that
    /// goes on: it stays (RFC 8842 §5.3). Otherwise we wait, as those behind a NAT begin more easily.
    func answer(current: Setup?) -> Setup? {
        switch self {
        case .active: .passive
        case .passive: .active
        case .either: current ?? .passive
        case .hold: nil
        }
    }
}
