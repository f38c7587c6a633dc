internal import Bytes

/// A SIP method: those of RFC 3261 and its extensions by name, any other token as it was written (methods are case-sensitive).
public enum Method: Hashable, Sendable {
    case invite, ack, bye, cancel, register, options
    case prack, update, info, message, refer, subscribe, notify, publish
    case other(String)

    public init(_ name: String) {
        let bytes = Array(name.utf8)
        self.init(bytes.span, 0..<bytes.count)
    }

    /// The same from bytes, without making a string of a method that has a name here.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        if let known = Known(bytes, range) { self.init(known) } else { self = .other(bytes.text(range)) }
    }

    init(_ known: Known) {
        switch known {
        case .invite: self = .invite
        case .ack: self = .ack
        case .bye: self = .bye
        case .cancel: self = .cancel
        case .register: self = .register
        case .options: self = .options
        case .prack: self = .prack
        case .update: self = .update
        case .info: self = .info
        case .message: self = .message
        case .refer: self = .refer
        case .subscribe: self = .subscribe
        case .notify: self = .notify
        case .publish: self = .publish
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

    /// The methods that have a name here.
    enum Known: Sendable {
        case invite, ack, bye, cancel, register, options
        case prack, update, info, message, refer, subscribe, notify, publish

        init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
            guard range.count <= 9 else { return nil }
            var word: UInt64 = 0
            if bytes.count &- range.lowerBound >= 8, !range.isEmpty {
                word = bytes.word(at: range.lowerBound).byteSwapped &>> UInt64(truncatingIfNeeded: 64 &- 8 &* min(8, range.count))
            } else {
                for index in range { word = word << 8 | UInt64(bytes[index]) }
            }
            guard range.count < 9 else {
                guard word == 0x5355_4253_4352_4942, bytes[range.upperBound - 1] == UInt8(ascii: "E") else { return nil }
                self = .subscribe
                return
            }
            switch word {
            case 0x49_4e56_4954_45: self = .invite
            case 0x41_434b: self = .ack
            case 0x42_5945: self = .bye
            case 0x43_414e_4345_4c: self = .cancel
            case 0x5245_4749_5354_4552: self = .register
            case 0x4f_5054_494f_4e53: self = .options
            case 0x50_5241_434b: self = .prack
            case 0x5550_4441_5445: self = .update
            case 0x49_4e46_4f: self = .info
            case 0x4d_4553_5341_4745: self = .message
            case 0x52_4546_4552: self = .refer
            case 0x4e_4f54_4946_59: self = .notify
            case 0x50_5542_4c49_5348: self = .publish
            default: return nil
            }
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
