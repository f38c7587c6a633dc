internal import Bytes

/// A payload format as `a=rtpmap` names it, with its `a=fmtp` parameters (RFC 8866 §6.6, §6.15).
public struct Codec: Hashable, Sendable, Codable {
    public var name: String
    public var clockRate: Int
    public var channels: Int
    public var parameters: String?

    public init(_ name: String, clockRate: Int = 8000, channels: Int = 1, parameters: String? = nil) {
        (self.name, self.clockRate, self.channels, self.parameters) = (name, clockRate, channels, parameters)
    }

    public static let pcmu = Codec("PCMU")
    public static let pcma = Codec("PCMA")
    /// RFC 4733: the sixteen DTMF events and flash.
    public static let telephoneEvent = Codec("telephone-event", parameters: "0-16")

    /// The same format, whatever its parameters; encoding names ignore case (RFC 4855 §3).
    public func isSameFormat(as other: Codec) -> Bool {
        clockRate == other.clockRate && channels == other.channels && ASCII.equalsIgnoringCase(name, other.name)
    }

    /// Events accompany sound; a stream of events alone carries no call.
    public var isTelephoneEvent: Bool { ASCII.equalsIgnoringCase(name, "telephone-event") }

    /// Comfort noise (RFC 3389) likewise only accompanies a codec.
    public var isComfortNoise: Bool { ASCII.equalsIgnoringCase(name, "CN") }

    /// `PCMU/8000`, the value of `a=rtpmap` after the payload type.
    public var encoding: String { channels == 1 ? "\(name)/\(clockRate)" : "\(name)/\(clockRate)/\(channels)" }

    /// Parses `opus/48000/2`; nil when it is not `name/rate[/channels]`.
    init?(encoding: some StringProtocol, parameters: String? = nil) {
        let parts = encoding.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, !parts[0].isEmpty, let rate = ASCII.decimal(parts[1].utf8),
            (1...768_000).contains(rate)
        else { return nil }
        let channels = parts.count == 3 ? ASCII.decimal(parts[2].utf8) : 1
        guard let channels, (1...255).contains(channels) else { return nil }
        self.init(String(parts[0]), clockRate: Int(rate), channels: Int(channels), parameters: parameters)
    }

    /// The static payload types of RFC 3551 §6 (table 4): what a number below 35 means without `a=rtpmap`.
    public static func ofStaticPayloadType(_ payloadType: UInt8) -> Codec? {
        switch payloadType {
        case 0: .pcmu
        case 3: Codec("GSM")
        case 4: Codec("G723")
        case 5: Codec("DVI4")
        case 6: Codec("DVI4", clockRate: 16000)
        case 7: Codec("LPC")
        case 8: .pcma
        case 9: Codec("G722")
        case 10: Codec("L16", clockRate: 44100, channels: 2)
        case 11: Codec("L16", clockRate: 44100)
        case 12: Codec("QCELP")
        case 13: Codec("CN")
        case 14: Codec("MPA", clockRate: 90000)
        case 15: Codec("G728")
        case 16: Codec("DVI4", clockRate: 11025)
        case 17: Codec("DVI4", clockRate: 22050)
        case 18: Codec("G729")
        default: nil
        }
    }

    /// The number RFC 3551 gives to this format, if any.
    public var staticPayloadType: UInt8? {
        (0...18).first { Self.ofStaticPayloadType($0)?.isSameFormat(as: self) ?? false }
    }
}

/// A codec under the number a description gives it.
public struct Format: Hashable, Sendable, Codable {
    public var payloadType: UInt8
    public var codec: Codec

    public init(payloadType: UInt8, codec: Codec) { (self.payloadType, self.codec) = (payloadType, codec) }
}
