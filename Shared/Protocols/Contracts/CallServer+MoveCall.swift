/// Takes a call that is talked through into another room: its phone hears of it what is said there, and no SIP. Answers when the call is on
/// its way; `conflict` when it cannot be moved now. Any instance may be asked.
public struct MoveCall: Command {
    public typealias Reply = Call
    public static let name = "call.move"
    public static let service = ServiceName.callServer

    public enum Target: Codable, Sendable, Equatable {
        case room(String)
        case conference(String)
        /// The room that another call of the customer is in.
        case call(String)
    }

    public var customerID: String
    public var id: String
    public var target: Target

    public init(customerID: String, id: String, target: Target) { (self.customerID, self.id, self.target) = (customerID, id, target) }
}
