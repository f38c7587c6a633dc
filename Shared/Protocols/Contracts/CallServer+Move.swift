/// Asks the owner of a call to carry its media over another relay: this one is going to stop. Safe to repeat: who has moved, is moving or
/// cannot be moved is left as it is.
public struct MoveCallMedia: Command {
    public typealias Reply = Done
    public static let name = "call.media.move"
    public static let service = ServiceName.callServer
    public var callID: String
    public var sessionID: String
    /// The relay to leave.
    public var relay: String

    public init(callID: String, sessionID: String, relay: String) {
        (self.callID, self.sessionID, self.relay) = (callID, sessionID, relay)
    }
}
