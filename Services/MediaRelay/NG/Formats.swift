import MediaSession
import NG
import SDP

/// Which codecs the two sides of a stream speak, and whether packets can go from one to the other as they are.
struct Formats {
    /// Those of the offerer's description, and of the answerer's, as the sessions want them.
    let offerer: [AgreedFormat]
    let answerer: [AgreedFormat]
    /// Nobody needs to know what is in them.
    let isTransparent: Bool
    /// What the offerer is told instead of what the answerer said; nil: that.
    let told: [Format]?

    /// Nil when nothing the offerer speaks can be made from what the answerer speaks.
    init?(_ offer: StreamDescription, _ answer: StreamDescription, _ options: Options) {
        let spoken = offer.formats.filter { !options.codecs.isStripped($0) }
        let sounds = answer.formats.filter(\.isSound)
        let hasAll = sounds.allSatisfy { sound in spoken.contains { $0.payloadType == sound.payloadType || $0.codec.isSameFormat(as: sound.codec) } }
        let isPaced = options.packetTime != nil || options.packetTimeReverse != nil
        if answer.kind != "audio" || hasAll && !(isPaced && Self.isTelephone(sounds)) {
            (isTransparent, told) = (true, nil)
            (offerer, answerer) = (Self.agreed(answer.formats, asWishedIn: spoken), Self.agreed(answer.formats))
            return
        }
        let usable = spoken.filter(\.isCarried)
        guard usable.contains(where: \.isSound), sounds.contains(where: \.isCarried) else { return nil }
        (isTransparent, told) = (false, usable.map(\.asTaken))
        (offerer, answerer) = (Self.agreed(usable), Self.agreed(answer.formats.filter(\.isCarried)))
    }

    /// The first sound, and what is no sound.
    static func single(_ formats: [Format]) -> [Format] {
        let first = formats.firstIndex(where: \.isSound)
        return formats.indices.filter { $0 == first || !formats[$0].isSound }.map { formats[$0] }
    }

    /// `description`: that of the side which is sent them, where they are from another.
    static func agreed(_ formats: [Format], asWishedIn description: [Format]? = nil) -> [AgreedFormat] {
        formats.map { format in
            let wished = description?.first { $0.codec.isSameFormat(as: format.codec) } ?? format
            return AgreedFormat(
                codec: format.codec, sendingPayloadType: format.payloadType, receivingPayloadType: format.payloadType,
                remoteParameters: wished.codec.parameters)
        }
    }

    /// Packets of these may be cut and joined.
    private static func isTelephone(_ formats: [Format]) -> Bool {
        formats.allSatisfy { $0.codec.isSameFormat(as: .pcmu) || $0.codec.isSameFormat(as: .pcma) }
    }
}

extension Format {
    fileprivate var isSound: Bool { !codec.isTelephoneEvent && !codec.isComfortNoise }

    /// As it is answered by us: `a=fmtp` says what we take, not what the phone wishes (RFC 7587 §6.1).
    fileprivate var asTaken: Format {
        guard codec.isOpus else { return self }
        var own = self
        own.codec.parameters = Codec.opus.parameters
        return own
    }

    fileprivate var isCarried: Bool { ForwardingPlan.codecs.contains { $0.isSameFormat(as: codec) } }
}
