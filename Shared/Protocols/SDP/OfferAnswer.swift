public import Addresses

/// What our side brings to a stream: where it listens and what it can carry.
public struct LocalMedia: Hashable, Sendable, Codable {
    /// RTP; RTCP is the next port (RFC 3550 §11).
    public var address: SocketAddress
    /// In order of preference.
    public var codecs: [Codec]
    /// Milliseconds of sound we want in a packet.
    public var packetTime: Int
    public var transports: [String]

    public init(
        address: SocketAddress, codecs: [Codec] = [.pcmu, .pcma, .telephoneEvent], packetTime: Int = 20,
        transports: [String] = ["RTP/AVP"]
    ) {
        (self.address, self.codecs, self.packetTime, self.transports) = (address, codecs, packetTime, transports)
    }
}

/// One side of the offer/answer exchange for one audio stream (RFC 3264), from the first offer through every re-INVITE.
///
/// A refused or withdrawn offer leaves the agreement as it was.
public struct OfferAnswer: Hashable, Sendable, Codable {
    /// Why there is no agreement; a SIP server says 488 (Not Acceptable Here).
    public enum Refusal: Error, Hashable, Sendable {
        /// No audio stream over a transport we speak, or only refused ones.
        case noAudio
        case noCommonCodec
        /// No `c=` line, or one that names no unicast address.
        case noAddress
        /// An answer without an offer, or an answer that does not fit the offer's media lines.
        case unexpectedAnswer
    }

    public var local: LocalMedia
    public private(set) var agreement: Agreement?
    /// The last description we sent.
    public private(set) var localDescription: SessionDescription?
    private let sessionID: UInt64
    private var version: UInt64
    /// Which media line is the audio stream.
    private var audioIndex = 0
    /// Our offer, until the next exchange begins.
    private var offered: SessionDescription?
    private var isAnswered = false

    /// `sessionID` should be a clock or random number (RFC 8866 §5.2); it is the first version, too.
    public init(sessionID: UInt64, local: LocalMedia) {
        // RFC 3264 §5: both must fit a signed 64-bit number, with room for increments.
        let bounded = sessionID & 0x3fff_ffff_ffff_ffff
        (self.sessionID, version, self.local) = (bounded, bounded, local)
    }

    public var isOfferPending: Bool { offered != nil && !isAnswered }

    // MARK: They offer

    /// Accepts the first audio stream with a codec of ours and refuses the others (RFC 3264 §6).
    public mutating func answer(_ offer: SessionDescription, direction: Direction = .sendReceive) throws(Refusal) -> SessionDescription {
        var accepted: (index: Int, agreement: Agreement)?
        var refusal = Refusal.noAudio
        for (index, media) in offer.media.enumerated() where accepted == nil && isCandidate(media) {
            let formats = Self.commonFormats(offer: media.payloadFormats, ours: local.codecs)
            guard formats.contains(where: \.isSound) else {
                refusal = .noCommonCodec
                continue
            }
            guard let agreement = Agreement(remote: offer, index: index, formats: formats, wanted: direction) else {
                refusal = .noAddress
                continue
            }
            accepted = (index, agreement)
        }
        guard let accepted else { throw refusal }
        let media = offer.media.enumerated().map { index, media in
            guard index == accepted.index else { return Self.refused(media) }
            var ours = describe(
                accepted.agreement.formats.map { Format(payloadType: $0.receivingPayloadType, codec: $0.codec) },
                direction: accepted.agreement.direction)
            ours.transport = media.transport
            if media.multiplexesRTCP { ours.attributes.append(Attribute("rtcp-mux")) }
            return ours
        }
        (agreement, audioIndex, offered) = (accepted.agreement, accepted.index, nil)
        return publish(media)
    }

    // MARK: We offer

    /// A first offer, or the next one of the session: media lines and payload type numbers stay what they were (RFC 3264 §8).
    public mutating func offer(direction: Direction = .sendReceive) -> SessionDescription {
        let audio = describe(offerFormats(), direction: direction)
        var media = (localDescription?.media ?? []).map(Self.refused)
        if media.indices.contains(audioIndex) { media[audioIndex] = audio } else { media = [audio] }
        let description = publish(media)
        (offered, isAnswered) = (description, false)
        return description
    }

    /// Takes the answer. It may come again, and the last one counts: a provisional response's answer is repeated by the final
    /// one, or replaced when the call was forked (RFC 3261 §13.2.1, RFC 6337 §3.1.1).
    public mutating func accept(_ answer: SessionDescription) throws(Refusal) -> Agreement {
        guard let offer = offered, offer.media.count == answer.media.count, answer.media.indices.contains(audioIndex) else {
            throw .unexpectedAnswer
        }
        let media = answer.media[audioIndex]
        guard isCandidate(media) else { throw .noAudio }
        let formats = Self.commonFormats(answer: media.payloadFormats, offer: offer.media[audioIndex].payloadFormats)
        guard formats.contains(where: \.isSound) else { throw .noCommonCodec }
        let wanted = offer.direction(ofMedia: audioIndex)
        guard let agreement = Agreement(remote: answer, index: audioIndex, formats: formats, wanted: wanted) else { throw .noAddress }
        (self.agreement, isAnswered) = (agreement, true)
        return agreement
    }

    /// The offer was refused: the session goes on as agreed before (RFC 3261 §14.1).
    public mutating func withdrawOffer() {
        if isOfferPending { offered = nil }
    }

    // MARK: Descriptions

    private func isCandidate(_ media: MediaDescription) -> Bool {
        media.kind == "audio" && media.port != 0 && local.transports.contains(media.transport)
    }

    /// RFC 3264 §6: a refused stream repeats the offer's transport and formats with port zero.
    private static func refused(_ media: MediaDescription) -> MediaDescription {
        MediaDescription(kind: media.kind, port: 0, transport: media.transport, formats: media.formats)
    }

    private func describe(_ formats: [Format], direction: Direction) -> MediaDescription {
        var attributes: [Attribute] = []
        for format in formats {
            attributes.append(Attribute("rtpmap", "\(format.payloadType) \(format.codec.encoding)"))
            if let parameters = format.codec.parameters {
                attributes.append(Attribute("fmtp", "\(format.payloadType) \(parameters)"))
            }
        }
        attributes.append(Attribute("ptime", "\(local.packetTime)"))
        attributes.append(Attribute(direction.rawValue))
        return MediaDescription(
            port: local.address.port, formats: formats.map { "\($0.payloadType)" }, attributes: attributes)
    }

    /// RFC 3264 §8: the version counts descriptions that differ; the same one again keeps its number.
    private mutating func publish(_ media: [MediaDescription]) -> SessionDescription {
        let connection = Connection(local.address.address)
        var description = SessionDescription(
            origin: Origin(
                sessionID: "\(sessionID)", version: version, addressType: connection.addressType, address: connection.address),
            connection: connection, media: media)
        if let previous = localDescription, previous != description {
            version += 1
            description.origin.version = version
        }
        localDescription = description
        return description
    }

    // MARK: Formats

    /// The offerer's order and numbers (RFC 3264 §6.1), our parameters.
    private static func commonFormats(offer: [Format], ours: [Codec]) -> [AgreedFormat] {
        offer.compactMap { format in
            ours.first { $0.isSameFormat(as: format.codec) }.map {
                AgreedFormat(codec: $0, sendingPayloadType: format.payloadType, receivingPayloadType: format.payloadType)
            }
        }
    }

    /// The answerer's order; it sends with the numbers of our offer and wants the numbers of its answer (RFC 3264 §6.1).
    private static func commonFormats(answer: [Format], offer: [Format]) -> [AgreedFormat] {
        answer.compactMap { format in
            offer.first { $0.codec.isSameFormat(as: format.codec) }.map {
                AgreedFormat(codec: $0.codec, sendingPayloadType: format.payloadType, receivingPayloadType: $0.payloadType)
            }
        }
    }

    /// A number once used keeps its meaning for the session (RFC 3264 §8.3.2); new codecs get 101 (events) or 96 and up.
    private func offerFormats() -> [Format] {
        let known = agreement?.formats ?? []
        var used = Set(known.map(\.receivingPayloadType))
        return local.codecs.compactMap { codec in
            if let before = known.first(where: { $0.codec.isSameFormat(as: codec) }) {
                return Format(payloadType: before.receivingPayloadType, codec: codec)
            }
            let fixed = codec.staticPayloadType ?? (codec.isTelephoneEvent && !used.contains(101) ? 101 : nil)
            guard let number = fixed ?? (96...127).first(where: { !used.contains($0) && $0 != 101 }) else { return nil }
            used.insert(number)
            return Format(payloadType: number, codec: codec)
        }
    }
}
