public import Addresses
internal import Audio
internal import RTP
public import SDP

/// What offer/answer compiles to: everything a packet needs to know, in a form that needs no thinking (DESIGN §7).
public struct ForwardingPlan: Sendable {
    /// What a payload type of the phone means.
    enum Meaning: UInt8, Sendable {
        case unknown, sound, soundInALaw, event
    }

    /// Where the phone listens; nil while it named no address (the hold of RFC 2543).
    public let remote: SocketAddress?
    public let remoteControl: SocketAddress?
    /// RTP and RTCP share a port (RFC 5761).
    public let isOnOnePort: Bool
    public let sends: Bool
    public let receives: Bool
    /// The codec's name as the statistics show it.
    public let codec: String
    /// Samples in a packet to the phone.
    public let packetSamples: Int
    let soundPayloadType: PayloadType
    let eventPayloadType: PayloadType?
    /// Through which µ-law codes go on their way to the phone; nil when it takes them as they are.
    let outwardTable: [UInt8]?
    private let meanings: InlineArray<128, Meaning>

    /// Nil when the codec agreed on is none this session carries.
    public init?(_ agreement: Agreement) {
        guard let format = agreement.codec, let law = Self.law(of: format.codec) else { return nil }
        var meanings = InlineArray<128, Meaning>(repeating: .unknown)
        for format in agreement.formats where format.receivingPayloadType < 128 {
            let meaning: Meaning? =
                if format.codec.isTelephoneEvent {
                    .event
                } else {
                    Self.law(of: format.codec).map { $0 == .ulaw ? .sound : .soundInALaw }
                }
            if let meaning { meanings[Int(format.receivingPayloadType)] = meaning }
        }
        self.meanings = meanings
        let isAddressed = agreement.remote.port != 0 && agreement.remote.address != .anyIPv4 && agreement.ice == nil
        remote = isAddressed ? agreement.remote : nil
        remoteControl = isAddressed ? agreement.remoteControl : nil
        // With ICE the address is what checks find.
        (sends, receives) = (agreement.direction.sends && (isAddressed || agreement.ice != nil), agreement.direction.receives)
        isOnOnePort = agreement.multiplexesRTCP
        codec = law == .ulaw ? "PCMU" : "PCMA"
        soundPayloadType = PayloadType(format.sendingPayloadType)
        eventPayloadType = agreement.telephoneEvent.map { PayloadType($0.sendingPayloadType) }
        outwardTable = law == .ulaw ? nil : G711.alawFromUlaw
        // Other wishes are met with 20 ms, which every phone plays.
        packetSamples = [10, 20, 30, 40, 60].contains(agreement.packetTime) ? agreement.packetTime * 8 : 160
    }

    /// The codecs a session can carry.
    public static let codecs: [Codec] = [.pcmu, .pcma, .telephoneEvent]

    func meaning(of payloadType: PayloadType) -> Meaning { meanings[Int(payloadType.value)] }

    private static func law(of codec: Codec) -> G711.Law? {
        if codec.isSameFormat(as: .pcmu) { return .ulaw }
        return codec.isSameFormat(as: .pcma) ? .alaw : nil
    }
}
