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
        /// Keys, suites or roles that do not meet.
        case noCommonSecurity
        /// Protection without a key or fingerprint, credentials that are none, one tag for two streams.
        case malformed
        /// An answer without an offer, or an answer that does not fit the offer's media lines.
        case unexpectedAnswer
    }

    public var local: LocalMedia
    public internal(set) var agreement: Agreement?
    /// The last description we sent.
    public internal(set) var localDescription: SessionDescription?
    let sessionID: UInt64
    var version: UInt64
    /// Which media line is the audio stream.
    public internal(set) var audioIndex = 0
    /// Our offer, until the next exchange begins.
    private var offered: SessionDescription?
    /// What our side was before an offer that changes it: what it is again when that comes to nothing.
    private var localBefore: LocalMedia?
    private var descriptionBefore: SessionDescription?
    private var isAnswered = false

    /// `sessionID` should be a clock or random number (RFC 8866 §5.2); it is the first version, too.
    public init(sessionID: UInt64, local: LocalMedia) {
        // RFC 3264 §5: both must fit a signed 64-bit number, with room for increments.
        let bounded = sessionID & 0x3fff_ffff_ffff_ffff
        (self.sessionID, version, self.local) = (bounded, bounded, local)
    }

    /// Goes on with a session that somebody else described before: its names, lines and numbers stay (RFC 3264 §8). Nil when
    /// that description has no audio of ours, or a name that is no number of ours.
    public init?(continuing description: SessionDescription, local: LocalMedia) {
        guard let sessionID = UInt64(description.origin.sessionID), description.origin.version < UInt64(Int64.max),
            let index = description.media.firstIndex(where: { $0.kind == "audio" && $0.port != 0 })
        else { return nil }
        (self.sessionID, version, self.local) = (sessionID, description.origin.version, local)
        (localDescription, audioIndex) = (description, index)
    }

    /// The stream as we last described it.
    public var localStream: MediaDescription? {
        guard let media = localDescription?.media, media.indices.contains(audioIndex) else { return nil }
        return media[audioIndex]
    }

    public var isOfferPending: Bool { offered != nil && !isAnswered }

    // MARK: They offer

    /// Accepts the first audio stream with a codec and a protection of ours and refuses the others (RFC 3264 §6).
    ///
    /// Codecs in `order` come first, in that order: what need not be transcoded. The rest keep the offerer's (§6.1).
    public mutating func answer(
        _ offer: SessionDescription, direction: Direction = .sendReceive, preferring order: [Codec] = []
    ) throws(Refusal) -> SessionDescription {
        let prospect = try prospect(of: offer, preferring: order)
        let index = prospect.index
        let terms = try terms(answering: prospect)
        guard
            let agreement = Agreement(
                remote: offer, index: index, formats: prospect.formats, wanted: direction, security: terms.agreed,
                ice: local.ice == nil ? nil : prospect.ice)
        else { throw .noAddress }
        var media = offer.media.map(Self.refused)
        var ours = describe(
            agreement.formats.map { Format(payloadType: $0.receivingPayloadType, codec: $0.codec) }, direction: agreement.direction)
        let theirs = offer.media[index]
        ours.transport = theirs.transport
        if theirs.multiplexesRTCP { ours.attributes.append(Attribute("rtcp-mux")) }
        // RFC 3611 §5.2: what they asked for they get, and are asked for.
        if let reports = agreement.extendedReports { ours.attributes.append(Attribute("rtcp-xr", reports.value)) }
        let bundle = offer.bundle(ofMedia: index) == nil ? nil : theirs.mid
        if let mid = theirs.mid { ours.attributes.insert(Attribute("mid", mid), at: 0) }
        ours.attributes += terms.attributes
        if agreement.ice != nil, let ice = local.ice { ours.attributes += ice.attributes }
        media[index] = ours
        (self.agreement, audioIndex, offered) = (agreement, index, nil)
        (localBefore, descriptionBefore) = (nil, nil)
        return publish(media, bundle: bundle, isLite: agreement.ice != nil && local.ice?.isLite == true)
    }

    // MARK: We offer

    /// A first offer, or the next one of the session: media lines and payload type numbers stay what they were (RFC 3264 §8).
    public mutating func offer(direction: Direction = .sendReceive) -> SessionDescription {
        var audio = describe(offerFormats(), direction: direction)
        let mid = tagOfNextOffer
        if let mid { audio.attributes.insert(Attribute("mid", mid), at: 0) }
        if local.multiplexesRTCP { audio.attributes.append(Attribute("rtcp-mux")) }
        if let security = local.security {
            let kind = security.kinds.first ?? SecurityKind.none
            // What was agreed under another profile goes on under it (RFC 3264 §8.3.1 lets nobody count on more).
            audio.transport = agreedTransport(of: kind) ?? describedTransport(of: kind) ?? Profile(kind, feedback: security.hasFeedback).rawValue
            audio.attributes += Self.attributes(offering: kind, security)
        }
        if let ice = local.ice { audio.attributes += ice.attributes }
        var media = (localDescription?.media ?? []).map(Self.refused)
        if media.indices.contains(audioIndex) { media[audioIndex] = audio } else { media = [audio] }
        let description = publish(media, bundle: local.multiplexesRTCP ? mid : nil, isLite: local.ice?.isLite == true)
        (offered, isAnswered) = (description, false)
        return description
    }

    /// An offer of something else than our side is: it becomes that with the answer (RFC 3264 §8).
    public mutating func propose(_ local: LocalMedia, direction: Direction = .sendReceive) -> SessionDescription {
        if localBefore == nil { (localBefore, descriptionBefore) = (self.local, localDescription) }
        self.local = local
        return offer(direction: direction)
    }

    /// Takes the answer. It may come again, and the last one counts: a provisional response's answer is repeated by the final
    /// one, or replaced when the call was forked (RFC 3261 §13.2.1, RFC 6337 §3.1.1).
    public mutating func accept(_ answer: SessionDescription) throws(Refusal) -> Agreement {
        guard let offer = offered, offer.media.count == answer.media.count, answer.media.indices.contains(audioIndex) else {
            throw .unexpectedAnswer
        }
        let (asked, media) = (offer.media[audioIndex], answer.media[audioIndex])
        guard media.kind == "audio", media.port != 0, local.speaks(media.transport) else { throw .noAudio }
        let formats = Self.commonFormats(answer: media.payloadFormats, offer: asked.payloadFormats)
        guard formats.contains(where: \.isSound) else { throw .noCommonCodec }
        guard answer.hasUniqueTags, !answer.hasBrokenConnectivity(ofMedia: audioIndex) else { throw .malformed }
        let security = try terms(accepting: answer, of: asked)
        guard
            let agreement = Agreement(
                remote: answer, index: audioIndex, formats: formats, wanted: offer.direction(ofMedia: audioIndex), security: security,
                ice: local.ice == nil ? nil : answer.connectivity(ofMedia: audioIndex))
        else { throw .noAddress }
        (self.agreement, isAnswered) = (agreement, true)
        (localBefore, descriptionBefore) = (nil, nil)
        return agreement
    }

    /// The offer was refused: the session goes on as agreed before (RFC 3261 §14.1).
    public mutating func withdrawOffer() {
        if isOfferPending { offered = nil }
        guard let localBefore else { return }
        // The version counts on: that of the offer was seen (§8).
        (local, localDescription) = (localBefore, descriptionBefore)
        (self.localBefore, descriptionBefore) = (nil, nil)
    }
}
