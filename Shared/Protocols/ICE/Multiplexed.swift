/// What a datagram on a shared port is, by its first octets (RFC 7983 §7; RFC 5761 §4 between RTP and RTCP).
public enum Multiplexed: Hashable, Sendable {
    case stun, zrtp, dtls, turnChannel, rtp, rtcp
    /// Nothing that belongs on such a port.
    case unknown

    public init(_ datagram: Span<UInt8>) {
        guard !datagram.isEmpty else {
            self = .unknown
            return
        }
        switch datagram[0] {
        case 0...3: self = .stun
        case 16...19: self = .zrtp
        case 20...63: self = .dtls
        case 64...79: self = .turnChannel
        case 128...191: self = datagram.count > 1 && 192...223 ~= datagram[1] ? .rtcp : .rtp
        default: self = .unknown
        }
    }
}
