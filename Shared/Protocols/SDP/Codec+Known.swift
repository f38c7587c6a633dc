internal import Bytes

// The formats the suite has a name for.
extension Codec {
    /// RFC 7587: the clock is 48000 and the channels are two, whatever is sent.
    public static let opus = opus(.init(FormatParameters("minptime=10;useinbandfec=1")))

    public static func opus(_ parameters: OpusParameters) -> Codec {
        let text = parameters.description
        return Codec("opus", clockRate: 48_000, channels: 2, parameters: text.isEmpty ? nil : text)
    }

    /// RFC 3551 §4.5.2: its clock is 8000 by an old mistake, the sound has 16000 samples a second.
    public static let g722 = Codec("G722")
    /// Without annex B, whose silence descriptions not every decoder knows (RFC 4856 §2.1.9).
    public static let g729 = Codec("G729", parameters: "annexb=no")
    public static let gsm = Codec("GSM")

    public static func linear(_ clockRate: Int, channels: Int = 1) -> Codec { Codec("L16", clockRate: clockRate, channels: channels) }

    /// RFC 3389.
    public static func comfortNoise(_ clockRate: Int = 8_000) -> Codec { Codec("CN", clockRate: clockRate) }

    /// RFC 4733 §2.1: events use the clock of the sound they belong to.
    public static func telephoneEvent(_ clockRate: Int) -> Codec { Codec("telephone-event", clockRate: clockRate, parameters: "0-16") }

    /// Samples a second of the sound itself.
    public var samplingRate: Int { isSameFormat(as: .g722) ? 16_000 : clockRate }

    public var isOpus: Bool { isSameFormat(as: .opus) }

    /// Nil when this is another codec.
    public var opusParameters: OpusParameters? { isOpus ? OpusParameters(FormatParameters(parameters)) : nil }

    /// Whether silence may be described by annex B; unless it says no (RFC 4856 §2.1.9). Nil when this is another codec.
    public var usesAnnexB: Bool? {
        guard isSameFormat(as: .g729) else { return nil }
        return FormatParameters(parameters)["annexb"].map { !ASCII.equalsIgnoringCase($0, "no") } ?? true
    }
}
