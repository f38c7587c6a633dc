public import SIP

/// What went wrong, in words a failing test or self-test can print.
public enum PhoneError: Error, Hashable, Sendable {
    case refused(Method, status: Int, reason: String)
    /// No response came, or what was waited for did not happen in time.
    case timedOut(String)
    /// The request could not be sent: no socket, or no connection.
    case unreachable(String)
    /// It was asked for something its call cannot do any more, or not yet.
    case wrongState(String)
    case noCommonCodec
}

extension PhoneError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let method, let status, let reason): "\(method) was refused: \(status) \(reason)"
        case .timedOut(let what): "timed out: \(what)"
        case .unreachable(let what): what
        case .wrongState(let what): what
        case .noCommonCodec: "no common codec, or no usable address in the session description"
        }
    }
}
