// Exactly one kind of protection a stream: what is offered, answered and believed.
extension OfferAnswer {
    /// What an offer says of its protection.
    static func attributes(offering kind: SecurityKind, _ security: LocalSecurity) -> [Attribute] {
        switch kind {
        case .none: []
        case .sdes: security.crypto.map { Attribute("crypto", $0) }
        case .dtls: attributes(security, setup: .either)
        }
    }

    private static func attributes(_ security: LocalSecurity, setup: Setup) -> [Attribute] {
        var lines = security.fingerprints.map { Attribute("fingerprint", $0.description) }
        lines.append(Attribute("setup", setup.rawValue))
        if let tlsID = security.tlsID { lines.append(Attribute("tls-id", tlsID)) }
        return lines
    }

    /// What is settled by answering, and the lines that say so.
    func terms(answering prospect: Prospect) throws(Refusal) -> (agreed: AgreedSecurity, attributes: [Attribute]) {
        switch prospect.kind {
        case .none: return (.none, [])
        case .sdes:
            // Their order decides (RFC 4568 §5.1.2); the answer repeats tag and suite of one line.
            for theirs in prospect.crypto {
                guard let line = CryptoLine(theirs) else { continue }
                let ours = local.security?.crypto.first { CryptoLine($0)?.answers(line) ?? false }
                if let ours { return (.sdes(local: ours, remote: theirs), [Attribute("crypto", ours)]) }
            }
            throw .noCommonSecurity
        case .dtls:
            guard var security = local.security, !security.fingerprints.isEmpty else { throw .noCommonSecurity }
            guard let setup = prospect.setup.answer(current: currentRole(prospect)) else { throw .noCommonSecurity }
            // Who does not speak RFC 8842 is not told of it.
            if prospect.tlsID == nil { security.tlsID = nil }
            let terms = DTLSTerms(isClient: setup == .active, fingerprints: prospect.fingerprints, tlsID: prospect.tlsID)
            return (.dtls(terms), Self.attributes(security, setup: setup))
        }
    }

    /// Our role in the association that this offer lets go on: same certificate, same name (RFC 8842 §4).
    private func currentRole(_ prospect: Prospect) -> Setup? {
        guard case .dtls(let terms)? = agreement?.security, terms.fingerprints == prospect.fingerprints, terms.tlsID == prospect.tlsID else {
            return nil
        }
        return terms.isClient ? .active : .passive
    }

    /// What an answer to our media line `asked` settles.
    func terms(accepting answer: SessionDescription, of asked: MediaDescription) throws(Refusal) -> AgreedSecurity {
        let media = answer.media[audioIndex]
        let kind: SecurityKind = asked.attributes.contains(named: "fingerprint") ? .dtls : asked.crypto.isEmpty ? .none : .sdes
        // Some answer RTP/SAVPF to UDP/TLS/RTP/SAVPF; what counts is that the protection is the one asked for.
        guard media.transport == asked.transport || kind != .none && media.profile?.isPlain == false else { throw .noAudio }
        switch kind {
        case .none: return .none
        case .sdes:
            guard media.crypto.count == 1, let theirs = media.crypto.first, let line = CryptoLine(theirs) else { throw .malformed }
            guard let ours = asked.crypto.first(where: { CryptoLine($0)?.answers(line) ?? false }) else { throw .noCommonSecurity }
            return .sdes(local: ours, remote: theirs)
        case .dtls:
            let fingerprints = answer.fingerprints(ofMedia: audioIndex)
            guard !fingerprints.isEmpty else { throw .malformed }
            // `actpass` is no answer (RFC 5763 §5), and without a line nobody would begin.
            let setup = answer.setup(ofMedia: audioIndex)
            if setup == .hold { throw .noCommonSecurity }
            guard setup == .active || setup == .passive else { throw .malformed }
            return .dtls(DTLSTerms(isClient: setup == .passive, fingerprints: fingerprints, tlsID: answer.tlsID(ofMedia: audioIndex)))
        }
    }
}
