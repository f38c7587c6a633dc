/// A SIP method: those of RFC 3261 and its extensions by name, any other token as it was written (methods are case-sensitive).
public enum Method: Hashable, Sendable {
    case invite, ack, bye, cancel, register, options
    case prack, update, info, message, refer, subscribe, notify, publish
    case other(String)

    public init(_ name: String) {
        switch name {
        case "INVITE": self = .invite
        case "ACK": self = .ack
        case "BYE": self = .bye
        case "CANCEL": self = .cancel
        case "REGISTER": self = .register
        case "OPTIONS": self = .options
        case "PRACK": self = .prack
        case "UPDATE": self = .update
        case "INFO": self = .info
        case "MESSAGE": self = .message
        case "REFER": self = .refer
        case "SUBSCRIBE": self = .subscribe
        case "NOTIFY": self = .notify
        case "PUBLISH": self = .publish
        default: self = .other(name)
        }
    }

    public var name: String {
        switch self {
        case .invite: "INVITE"
        case .ack: "ACK"
        case .bye: "BYE"
        case .cancel: "CANCEL"
        case .register: "REGISTER"
        case .options: "OPTIONS"
        case .prack: "PRACK"
        case .update: "UPDATE"
        case .info: "INFO"
        case .message: "MESSAGE"
        case .refer: "REFER"
        case .subscribe: "SUBSCRIBE"
        case .notify: "NOTIFY"
        case .publish: "PUBLISH"
        case .other(let name): name
        }
    }

    /// Whether a request outside a dialog can create one (RFC 3261 §12, RFC 6665, RFC 3515), so that a proxy that wants to stay
    /// on its path has to record its route.
    public var createsDialog: Bool {
        switch self {
        case .invite, .subscribe, .refer, .notify: true
        default: false
        }
    }
}

extension Method: CustomStringConvertible {
    public var description: String { name }
}

extension Method: Codable {
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
