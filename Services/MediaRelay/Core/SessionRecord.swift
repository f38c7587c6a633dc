import Addresses
import Contracts
import MediaSession
import SDP

/// The snapshot of a session: all a successor needs to go on with it on the same ports (DESIGN §5).
struct SessionRecord: Codable, Sendable {
    static let kind = "relay_session"

    var id: String
    var customerID: String
    var callID: String
    /// The CallServer instance that is told about the session.
    var owner: String
    var epoch: UInt64
    /// RTP; RTCP is the next one.
    var port: UInt16
    var insideAddress: SocketAddress
    /// What the room writes into its packets for this session.
    var insideSSRC: UInt32
    var exchange: OfferAnswer
    /// Our first offers, while none of them is answered.
    var proposals: [MediaProfile: OfferAnswer]?
    var streams: SessionSnapshot
    /// The list its codecs are from; nil: the usual one.
    var codecs: [String]?
}
