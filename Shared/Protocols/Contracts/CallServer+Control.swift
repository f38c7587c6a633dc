public import Flow

/// Does something with a call that goes on. Any instance may be asked; `conflict` when the call is over, or cannot do it now.
public struct ControlCall: Command {
    public typealias Reply = Call
    public static let name = "call.control"
    public static let service = ServiceName.callServer

    public enum Change: Codable, Sendable, Equatable {
        /// The phone that rings us is answered; what its flow does goes on.
        case answer
        /// Heard by the call alone, or by all in its room; beside what its flow does.
        case play(id: String, [PlaySource], loop: Bool, isForRoom: Bool)
        case stopPlay(id: String)
        /// Keys, pressed for the phone to hear.
        case digits(String, duration: Int, interval: Int)
        case mute(Bool)
        /// Neither heard nor hearing anything but music.
        case hold(Bool)
        /// Another flow, or these actions, in place of what its flow does; whom it talks with is let go.
        case redirect(flowID: String?, actions: [Action]?)
        /// Whom it talks with is held while it talks with that number; then it leaves the two to each other, or goes back.
        case consult(to: String)
        case completeTransfer
        case cancelTransfer
        /// Whom it talks with is brought together with whom another call of its phone's talks with, and both of those end.
        case joinPartners(with: String)
        /// Performs a `gather` beside what its flow does; what came of it is the event `call.gathered`, which names whoever is to be told by webhook.
        case gather(id: String, Action, webhook: String? = nil)
    }

    public var customerID: String
    public var id: String
    public var change: Change

    public init(customerID: String, id: String, change: Change) { (self.customerID, self.id, self.change) = (customerID, id, change) }
}

/// Sets variables of a run that goes on; those of the system and names that are none are `invalid`.
public struct SetRunVariables: Command {
    public typealias Reply = Done
    public static let name = "run.variables.set"
    public static let service = ServiceName.flowManager
    public var runID: String
    public var customerID: String
    public var variables: [String: JSONValue]

    public init(runID: String, customerID: String, variables: [String: JSONValue]) {
        (self.runID, self.customerID, self.variables) = (runID, customerID, variables)
    }
}
