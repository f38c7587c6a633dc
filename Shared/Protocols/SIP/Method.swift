internal import Bytes

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

    /// The same from bytes, without making a string of a method that has a name here.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var word: UInt64 = 0
        if range.count <= 8 { for index in range { word = word << 8 | UInt64(bytes[index]) } }
        switch word {
        case 0x49_4e56_4954_45: self = .invite
        case 0x41_434b: self = .ack
        case 0x42_5945: self = .bye
        case 0x43_414e_4345_4c: self = .cancel
        case 0x5245_4749_5354_4552: self = .register
        case 0x4f_5054_494f_4e53: self = .options
        default: self.init(bytes.text(range))
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
