/// Candidates that the phone found after its description (RFC 8838), as they came in an INFO (RFC 8840). Performed twice it equals once.
///
/// Those of other credentials than the session's are passed over; while an offer of ours may still be answered they wait for the answer that
/// has these. `invalid` when they cannot be read.
public struct TrickleInMediaSession: Command {
    public typealias Reply = Done
    public static let name = "relay.session.trickle"
    public static let service = ServiceName.mediaRelay
    /// Bytes of a fragment.
    public static let longest = 8 << 10
    public var sessionID: String
    public var epoch: UInt64
    /// `application/trickle-ice-sdpfrag`.
    public var fragment: String

    public init(sessionID: String, epoch: UInt64, fragment: String) { (self.sessionID, self.epoch, self.fragment) = (sessionID, epoch, fragment) }
}
