/// Two calls of which one ends with the other. Told to the owner of the first that the second hangs on it, and to the owner of the second
/// that the first has ended; any instance passes it on. Safe to repeat.
public struct ChainCall: Command {
    public enum Change: String, Codable, Sendable {
        /// `peer` ends when this call does; `conflict` when it has.
        case attached
        /// `peer`, which this call hangs on, has ended.
        case ended
    }

    public typealias Reply = Done
    public static let name = "call.chain"
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
