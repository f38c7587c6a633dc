/// Two calls that meet: one waits in its room (`park`), another comes there and leaves again. Told to the owner of the one that waits, and
/// by it to the other; any instance passes it on. Safe to repeat.
public struct MeetCall: Command {
    public enum Change: String, Codable, Sendable {
        /// On its way: the reply says where to; `conflict` when the call does not wait, or another is on its way.
        case coming
        /// It is there.
        case arrived
        /// It has gone, or the one it met has.
        case left
    }

    public typealias Reply = CallPlace
    public static let name = "call.meet"
    public static let service = ServiceName.callServer
    public var customerID: String
    /// Who is told.
    public var id: String
    /// The other call.
    public var peer: String
    public var change: Change
    /// It comes from another instance already.
    public var isPassedOn: Bool

    public init(customerID: String, id: String, peer: String, change: Change, isPassedOn: Bool = false) {
        (self.customerID, self.id, self.peer, self.change, self.isPassedOn) = (customerID, id, peer, change, isPassedOn)
    }
}
