/// Another instance goes on with the session's call: it is told what happens to the session, and its predecessor's commands are refused.
public struct OwnMediaSession: Command {
    public typealias Reply = Done
    public static let name = "relay.session.own"
    public static let service = ServiceName.mediaRelay
    public var sessionID: String
    public var epoch: UInt64
    public var owner: String

    public init(sessionID: String, epoch: UInt64, owner: String) { (self.sessionID, self.epoch, self.owner) = (sessionID, epoch, owner) }
}
