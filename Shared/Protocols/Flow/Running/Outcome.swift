/// How an action ended that the outside world performed. It lands in variables, so that a flow can decide by it:
/// `voipbin.action.result`, `voipbin.action.code` and, appended, `voipbin.call.digits`.
public struct Outcome: Sendable, Hashable, Codable {
    public enum Result: String, Sendable, Hashable, Codable {
        /// It did what it is for: the prompt was heard, the time is up, the peer who was connected has hung up.
        case completed
        case failed
        /// `connect` and `conference_join`: nobody was reached.
        case busy
        case noAnswer = "no_answer"
        case declined
        case canceled
        /// The call is over; the run ends.
        case callEnded = "call_ended"
    }

    public var result: Result
    /// Digits pressed while the action went on, as many as nobody has reported before.
    public var digits: String?
    /// The reason of a failure, stable, for programs: `not_found`, `fetch_failed`, `486`.
    public var code: String?
    /// Further variables to set.
    public var variables: [String: String]?
    /// What the action has found out, for `results.ID.NAME`.
    public var data: [String: JSONValue]?

    public init(
        _ result: Result, digits: String? = nil, code: String? = nil, variables: [String: String]? = nil, data: [String: JSONValue]? = nil
    ) {
        (self.result, self.digits, self.code, self.variables, self.data) = (result, digits, code, variables, data)
    }

    public static let completed = Outcome(.completed)
    /// A `connect` whose parties have talked to each other.
    public static let connected = Outcome(.completed)
    public static let busy = Outcome(.busy)
    public static let noAnswer = Outcome(.noAnswer)
    public static let declined = Outcome(.declined)
    public static let canceled = Outcome(.canceled)
    public static let callEnded = Outcome(.callEnded)
    public static func digits(_ digits: String) -> Outcome { Outcome(.completed, digits: digits) }
    public static func failed(_ code: String) -> Outcome { Outcome(.failed, code: code) }
}
