public import Addresses
internal import Audio
internal import Codecs
internal import RTP
public import SDP

/// What offer/answer compiles to: everything a packet needs to know, in a form that needs no thinking (DESIGN §7).
///
/// A value that never changes, held by reference: packets look at it several times each, and it is long to copy.
public final class ForwardingPlan: Sendable {
    /// What a payload type of the phone means.
    enum Meaning: UInt8, Sendable {
        case unknown, sound, soundInALaw, event, coded, comfortNoise
    }

    // What every packet asks stands first, close together.
    /// What it means is the other leg's affair: any format goes straight there.
    public let isTransparent: Bool
    /// One source at a time, whose numbers may be followed.
    let isSound: Bool
    /// RTP and RTCP share a port (RFC 5761).
    public let isOnOnePort: Bool
    public let sends: Bool
    public let receives: Bool
    let soundPayloadType: PayloadType
    let eventPayloadType: PayloadType?
    /// Samples at 8 kHz in a packet to the phone.
    public let packetSamples: Int
    /// Ticks in a second, of the sound we send and of the events of both directions.
    let clockRate: Int
    let eventClockRate: Int
    /// Where the phone listens; nil while it named no address (the hold of RFC 2543).
    public let remote: SocketAddress?
    /// Through which µ-law codes go on their way to the phone; nil when it takes them as they are.
    let outwardTable: [UInt8]?
    private let meanings: InlineArray<128, Meaning>

    public let remoteControl: SocketAddress?
    /// Whether control packets are welcome at all (RFC 3556 §2), and which of RFC 3611.
    let takesReports: Bool
    let extendedReports: ExtendedReports?
    /// The codec's name as the statistics show it.
    public let codec: String
    let noisePayloadType: PayloadType?
    /// What G.711 the phone was agreed to speak; nil when it speaks another codec.
    let law: G711.Law?
    /// What is sent when it is not G.711.
    let coding: Coding?
    /// What the payload types of the phone that mean `coded` are coded in.
    private let codings: [PayloadType: Coding]
    private let eventClockRates: [PayloadType: Int]
    /// What the phone wishes of the Opus it is sent.
    let wishes: OpusParameters
    /// Whether sound that is made here can be sent.
    public let canMakeSound: Bool

    /// Nil when the codec agreed on is none this session carries.
    public init?(_ agreement: Agreement) {
        guard let format = agreement.codec else { return nil }
        let law = Self.law(of: format.codec)
        coding = law == nil ? Self.coding(of: format.codec) : nil
        guard law != nil || coding != nil else { return nil }
        var (codings, eventClockRates): ([PayloadType: Coding], [PayloadType: Int]) = ([:], [:])
        var meanings = InlineArray<128, Meaning>(repeating: .unknown)
        for format in agreement.formats where format.receivingPayloadType < 128 {
            let meaning: Meaning? =
                if format.codec.isTelephoneEvent {
                    .event
                } else if format.codec.isComfortNoise {
                    .comfortNoise
                } else if let law = Self.law(of: format.codec) {
                    law == .ulaw ? .sound : .soundInALaw
                } else {
                    Self.coding(of: format.codec) == nil ? nil : .coded
                }
            guard let meaning else { continue }
            meanings[Int(format.receivingPayloadType)] = meaning
            if meaning == .coded { codings[PayloadType(format.receivingPayloadType)] = Self.coding(of: format.codec) }
            if meaning == .event { eventClockRates[PayloadType(format.receivingPayloadType)] = Int(format.codec.clockRate) }
        }
        (self.meanings, self.codings, self.eventClockRates) = (meanings, codings, eventClockRates)
        (isTransparent, isSound, canMakeSound) = (false, true, true)
        clockRate = coding?.clockRate ?? 8000
        eventClockRate = agreement.telephoneEvent.map { Int($0.codec.clockRate) } ?? 8000
        let isAddressed = agreement.remote.port != 0 && agreement.remote.address != .anyIPv4 && agreement.ice == nil
        remote = isAddressed ? agreement.remote : nil
        remoteControl = isAddressed ? agreement.remoteControl : nil
        // With ICE the address is what checks find.
        (sends, receives) = (agreement.direction.sends && (isAddressed || agreement.ice != nil), agreement.direction.receives)
        isOnOnePort = agreement.multiplexesRTCP
        (takesReports, extendedReports) = (agreement.takesReports, agreement.extendedReports)
        codec = law == nil ? format.codec.name : law == .ulaw ? "PCMU" : "PCMA"
        soundPayloadType = PayloadType(format.sendingPayloadType)
        eventPayloadType = agreement.telephoneEvent.map { PayloadType($0.sendingPayloadType) }
        noisePayloadType = agreement.formats.first { $0.codec.isComfortNoise }.map { PayloadType($0.sendingPayloadType) }
        self.law = law
        outwardTable = law == .alaw ? G711.alawFromUlaw : nil
        packetSamples = Self.packetSamples(agreement.packetTime, coding)
        wishes = format.remoteOpusParameters ?? OpusParameters()
    }

    /// A stream whose packets go as they are to another leg, whatever they are; what is made here is in its first codec, if that is known.
    public init(transparent agreement: Agreement, isSound: Bool) {
        var meanings = InlineArray<128, Meaning>(repeating: .unknown)
        for format in agreement.formats where format.receivingPayloadType < 128 {
            if format.codec.isTelephoneEvent { meanings[Int(format.receivingPayloadType)] = .event }
            if let law = Self.law(of: format.codec) {
                meanings[Int(format.receivingPayloadType)] = law == .ulaw ? .sound : .soundInALaw
            } else if Self.coding(of: format.codec) != nil {
                meanings[Int(format.receivingPayloadType)] = .coded
            }
        }
        (self.meanings, codings, eventClockRates) = (meanings, [:], [:])
        (isTransparent, self.isSound, takesReports, extendedReports) = (true, isSound, agreement.takesReports, nil)
        let format = agreement.codec
        let law = format.flatMap { Self.law(of: $0.codec) }
        coding = law == nil ? format.flatMap { Self.coding(of: $0.codec) } : nil
        outwardTable = law == .alaw ? G711.alawFromUlaw : nil
        soundPayloadType = PayloadType(format?.sendingPayloadType ?? 0)
        eventPayloadType = agreement.telephoneEvent.map { PayloadType($0.sendingPayloadType) }
        (noisePayloadType, self.law) = (nil, law)
        eventClockRate = agreement.telephoneEvent.map { Int($0.codec.clockRate) } ?? 8000
        clockRate = format.map { max(1, $0.codec.clockRate) } ?? 8000
        codec = format?.codec.name ?? ""
        canMakeSound = law != nil || coding != nil
        let isAddressed = agreement.remote.port != 0 && agreement.remote.address != .anyIPv4 && agreement.ice == nil
        remote = isAddressed ? agreement.remote : nil
        remoteControl = isAddressed ? agreement.remoteControl : nil
        (sends, receives) = (agreement.direction.sends && (isAddressed || agreement.ice != nil), agreement.direction.receives)
        isOnOnePort = agreement.multiplexesRTCP
        packetSamples = Self.packetSamples(agreement.packetTime, coding)
        wishes = format?.remoteOpusParameters ?? OpusParameters()
    }

    /// The codecs a session can carry, those first that need no transcoding.
    public static let codecs: [Codec] = [
        .pcmu, .pcma, .g722, .opus, .g729, .gsm, .linear(16_000), .linear(8_000), .telephoneEvent, .telephoneEvent(16_000),
        .telephoneEvent(48_000),
    ]
    /// What needs no transcoding, and every phone has: our offers, and our answers wherever it is offered.
    public static let plainCodecs: [Codec] = [.pcmu, .pcma, .telephoneEvent]

    func meaning(of payloadType: PayloadType) -> Meaning { meanings[Int(payloadType.value)] }

    /// Whether the timestamp of such a packet says when it was made.
    func isTimed(_ meaning: Meaning) -> Bool { coding == nil ? meaning == .sound || meaning == .soundInALaw : meaning == .coded }

    func coding(of payloadType: PayloadType) -> Coding? { codings[payloadType] }

    func eventClockRate(of payloadType: PayloadType) -> Int { eventClockRates[payloadType] ?? 8000 }

    /// A packet is as long as the phone wishes, or as little shorter as its codec and we can (`Coding.packetTime`).
    private static func packetSamples(_ milliseconds: Int, _ coding: Coding?) -> Int {
        (coding ?? .pcmu).packetTime(wished: milliseconds > 0 ? milliseconds : 20) * 8
    }

    private static func coding(of codec: Codec) -> Coding? {
        Coding(name: codec.name, clockRate: Int(codec.clockRate), channels: codec.channels)
    }

    private static func law(of codec: Codec) -> G711.Law? {
        if codec.isSameFormat(as: .pcmu) { return .ulaw }
        return codec.isSameFormat(as: .pcma) ? .alaw : nil
    }
}
