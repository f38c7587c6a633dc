/// What an offer would have us take: the stream, how it would be protected, and what it says of its path.
///
/// Who answers keys of its own reads it first, chooses among `crypto`, and puts the chosen line into `LocalMedia.security`.
public struct Prospect: Hashable, Sendable {
    /// Which media line it is.
    public let index: Int
    public let kind: SecurityKind
    /// Values of `a=crypto`, in the offerer's order (RFC 4568 §5.1.2).
    public let crypto: [String]
    public let fingerprints: [Fingerprint]
    public let setup: Setup
    public let tlsID: String?
    /// Nil: the stream goes to the address it names, without checks.
    public let ice: Connectivity?
    let formats: [AgreedFormat]
}

extension OfferAnswer {
    /// The first audio stream of an offer with a codec and a protection of ours; later streams are not looked at.
    public func prospect(of offer: SessionDescription, preferring order: [Codec] = []) throws(Refusal) -> Prospect {
        guard offer.hasUniqueTags else { throw .malformed }
        var refusal = Refusal.noAudio
        for (index, media) in offer.media.enumerated() where media.kind == "audio" {
            let isOpen = media.port != 0 || media.isBundleOnly && offer.bundle(ofMedia: index) != nil
            guard isOpen, local.speaks(media.transport) else { continue }
            do throws(Refusal) {
                return try prospect(offer, index, media, order)
            } catch {
                refusal = error
            }
        }
        throw refusal
    }

    private func prospect(
        _ offer: SessionDescription, _ index: Int, _ media: MediaDescription, _ order: [Codec]
    ) throws(Refusal) -> Prospect {
        let formats = Self.commonFormats(offer: media.payloadFormats, ours: local.codecs, preferring: order)
        guard formats.contains(where: \.isSound) else { throw .noCommonCodec }
        guard !offer.hasBrokenConnectivity(ofMedia: index) else { throw .malformed }
        let kind = try local.kind(of: offer, index: index)
        let setup = offer.setup(ofMedia: index)
        // A line that names no role RFC 4145 knows is a mistake; none at all means the offerer begins (RFC 4145 §4).
        if kind == .dtls, setup == nil, !offer.values("setup", ofMedia: index).isEmpty { throw .malformed }
        if kind == .dtls, setup == .hold { throw .noCommonSecurity }
        return Prospect(
            index: index, kind: kind, crypto: media.crypto, fingerprints: offer.fingerprints(ofMedia: index), setup: setup ?? .active,
            tlsID: offer.tlsID(ofMedia: index), ice: offer.connectivity(ofMedia: index), formats: formats)
    }
}

extension LocalMedia {
    /// Whether a media line of that transport is for us at all.
    func speaks(_ transport: String) -> Bool {
        if transports.contains(transport) { return true }
        guard let security, let profile = Profile(rawValue: transport) else { return false }
        return profile.isPlain ? security.kinds.contains(.none) : security.kinds.contains { $0 != .none }
    }

    /// The one protection this stream gets: of what the line offers, what we prefer.
    func kind(of description: SessionDescription, index: Int) throws(OfferAnswer.Refusal) -> SecurityKind {
        let media = description.media[index]
        var offered: [SecurityKind] = []
        switch media.profile {
        case .secure, .secureFeedback, .handshake, .handshakeFeedback:
            if !description.fingerprints(ofMedia: index).isEmpty { offered.append(.dtls) }
            if media.profile == .secure || media.profile == .secureFeedback, media.crypto.contains(where: { CryptoLine($0) != nil }) {
                offered.append(.sdes)
            }
            // Protection without a key or a fingerprint is none.
            if offered.isEmpty { throw .malformed }
        case .audioVideo, .feedback, nil:
            offered = [.none]
            if let security, security.isOpportunistic, media.profile != nil {
                if !description.fingerprints(ofMedia: index).isEmpty { offered.append(.dtls) }
                if media.crypto.contains(where: { CryptoLine($0) != nil }) { offered.append(.sdes) }
            }
        }
        if let kind = security?.kinds.first(where: offered.contains) { return kind }
        guard offered.contains(.none), transports.contains(media.transport) else { throw .noCommonSecurity }
        return .none
    }
}
