/// Why a datagram is no RTP or RTCP packet.
public enum ParseError: Error, Hashable, Sendable {
    case truncated
    /// Not version 2: another protocol, or an attack.
    case version
    /// Counts or lengths inside contradict the length of the datagram.
    case inconsistent
}
