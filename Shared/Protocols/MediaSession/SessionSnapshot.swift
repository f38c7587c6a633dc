public import Addresses
public import RTP

/// What a successor needs to continue a session's streams so that neither side notices: its identities, where its counters
/// stood, and whose packets it takes (RELIABILITY §4.5).
public struct SessionSnapshot: Hashable, Sendable, Codable {
    public var outsideSSRC: SSRC
    public var outsideSequence: SequenceNumber
    public var outsideTimestamp: Timestamp
    public var insideSSRC: SSRC
    public var insideSequence: SequenceNumber
    public var insideTimestamp: Timestamp
    public var room: SocketAddress?
    public var phone: SocketAddress?
    public var phoneSSRC: SSRC?
}
