import Addresses
import Contracts
import DTLS
import Deadlines
import ICE
import MediaSession
import SDP
import SRTP

/// What this relay brings to the protection and the path of a stream (RFC 4568, RFC 5763, RFC 8445): its certificate, fresh keys and
/// credentials.
struct Security: Sendable {
    let endpoint: Endpoint
    private let fingerprint: SDP.Fingerprint?
    private let preferences: MediaPreferences

    init(_ endpoint: Endpoint, _ preferences: MediaPreferences = MediaPreferences()) {
        (self.endpoint, self.preferences) = (endpoint, preferences)
        let own = endpoint.certificate.fingerprint
        fingerprint = SDP.Fingerprint(algorithm: own.algorithm.rawValue, digest: own.hash)
    }

    // MARK: Before a description of ours

    /// What an answer to `offer` needs to know of us before it can be written; the order of codecs that is to be given to it.
    func prepare(
        _ exchange: inout OfferAnswer, answering offer: SessionDescription, _ leg: ICE.Agent?, codecs: CodecChoice
    ) throws(OfferAnswer.Refusal) -> [Codec] {
        // Only the key in use may be used on: one that was left has protected packets with other numbers (RELIABILITY V27).
        var before: [String] = []
        if case .sdes(let local, _)? = exchange.agreement?.security { before = [local] }
        exchange.local.transports = ["RTP/AVP", "RTP/AVPF"]
        exchange.local.security = LocalSecurity(kinds: [.dtls, .sdes, .none], fingerprints: [fingerprint].compactMap(\.self))
        let order = codecs.prepare(&exchange, answering: offer, takesComfortNoise: preferences.comfortNoise != .off)
        let prospect = try exchange.prospect(of: offer, preferring: order)
        if prospect.kind == .sdes { exchange.local.security?.crypto = prospect.crypto.compactMap { Self.line(answering: $0, before) } }
        // Two ports would want two agents' worth of checks: whoever does without a shared one does without ICE.
        guard let theirs = prospect.ice, offer.media[prospect.index].multiplexesRTCP else {
            exchange.local.ice = nil
            return order
        }
        var ours = exchange.local.ice
        if ours == nil || leg?.isRestart(theirs.credentials) ?? true { ours = Self.connectivity(of: Self.credentials()) }
        ours?.candidates = [Candidate(exchange.local.address).description]
        exchange.local.ice = ours
        return order
    }

    /// What an offer of ours says under that profile.
    func prepare(_ exchange: inout OfferAnswer, offering profile: MediaProfile) {
        switch profile {
        case .plain: (exchange.local.security, exchange.local.ice) = (nil, nil)
        case .sdes:
            let lines = preferences.suites.enumerated().compactMap { CryptoAttribute(tag: $0.offset + 1, $0.element, random: Self.key($0.element)) }
            exchange.local.security = LocalSecurity(kinds: [.sdes], crypto: lines.map(\.description))
            exchange.local.ice = nil
        case .browser:
            guard let fingerprint else { return }
            var ice = Self.connectivity(of: Self.credentials())
            ice.candidates = [Candidate(exchange.local.address).description]
            exchange.local = .browser(
                address: exchange.local.address, codecs: exchange.local.codecs, fingerprint: fingerprint, ice: ice,
                packetTime: exchange.local.packetTime)
        }
    }

    /// The next offer of a session that has an agreement: under the protection it has (RFC 3264 §8).
    func prepareAgain(_ exchange: inout OfferAnswer) {
        guard let agreement = exchange.agreement else { return }
        switch agreement.security {
        case .none: exchange.local.security = nil
        case .sdes(let local, _): exchange.local.security = LocalSecurity(kinds: [.sdes], crypto: [local])
        case .dtls: exchange.local.security?.kinds = [.dtls]
        }
        exchange.local.multiplexesRTCP = agreement.multiplexesRTCP
    }

    /// Our line for one of theirs: with the key it had, if it is there already.
    private static func line(answering text: String, _ before: [String]) -> String? {
        guard let theirs = try? CryptoAttribute(parsing: text), theirs.key != nil else { return nil }
        let same = before.first { (try? CryptoAttribute(parsing: $0)).map { $0.tag == theirs.tag && $0.suite == theirs.suite } ?? false }
        return same ?? CryptoAttribute(tag: theirs.tag, theirs.suite, random: key(theirs.suite))?.description
    }

    private static func key(_ suite: Suite) -> [UInt8] { (0..<suite.keyLength + suite.saltLength).map { _ in .random(in: .min ... .max) } }

    private static func credentials() -> Credentials {
        Credentials(random: (.random(in: .min ... .max), .random(in: .min ... .max), .random(in: .min ... .max)))
    }

    /// The other side makes the checks: whoever can be reached may leave that to it (RFC 8445 §2.5).
    private static func connectivity(of credentials: Credentials) -> Connectivity {
        Connectivity(fragment: credentials.fragment, password: credentials.password, isLite: true, options: ["ice2"])
    }

    // MARK: After an exchange

    /// Lets the transport of a leg follow what was agreed on; nil where it needs none.
    func transport(
        _ current: consuming MediaTransport?, base: SocketAddress, _ exchange: OfferAnswer, before: Agreement?, now: Instant
    ) -> MediaTransport? {
        guard let agreement = exchange.agreement, agreement.security.kind != .none || agreement.ice != nil else { return nil }
        let before = current == nil ? nil : before
        var transport = current ?? MediaTransport(base: base)
        follow(agreement, exchange.local, &transport, now: now)
        if agreement.security != before?.security { key(agreement.security, before?.security, &transport) }
        transport.aim(at: agreement.remote)
        transport.begin(now: now)
        return transport
    }

    private func follow(_ agreement: Agreement, _ local: LocalMedia, _ transport: inout MediaTransport, now: Instant) {
        guard let theirs = agreement.ice, let own = local.ice?.credentials else { return transport.dropAgent() }
        if !transport.hasChecks {
            var agent = ICE.Agent(
                preferences.ice, mode: .lite, role: .controlled, local: own, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
            agent.addLocal(Candidate(local.address), base: transport.base, now: now)
            transport.use(agent)
        }
        transport.withAgent { agent, outbox in
            guard let credentials = Credentials(fragment: theirs.fragment, password: theirs.password) else { return }
            if agent.localCredentials != own || agent.isRestart(credentials) { agent.restart(local: own) }
            agent.setRemote(credentials, isLite: theirs.isLite, now: now, into: &outbox)
            for candidate in theirs.candidates.compactMap({ try? Candidate(parsing: $0) }) { agent.addRemote(candidate, now: now) }
            if theirs.isComplete { agent.endOfCandidates(now: now, into: &outbox) }
        }
    }

    private func key(_ agreed: AgreedSecurity, _ before: AgreedSecurity?, _ transport: inout MediaTransport) {
        switch agreed {
        case .none: transport.unprotect()
        case .sdes(let local, let remote):
            var known: (local: String?, remote: String?) = (nil, nil)
            if case .sdes(let local, let remote)? = before, transport.isKeyed { known = (local, remote) }
            transport.key(sending: known.local == local ? nil : Self.key(in: local), receiving: known.remote == remote ? nil : Self.key(in: remote))
        case .dtls(let terms):
            // The same certificate and name go on with the same association (RFC 8842 §4).
            if case .dtls(let old)? = before, old.fingerprints == terms.fingerprints, old.tlsID == terms.tlsID,
                transport.isKeyed || old.isClient == terms.isClient
            {
                return
            }
            let fingerprints = terms.fingerprints.compactMap { theirs in
                DTLS.Fingerprint.Algorithm(rawValue: theirs.algorithm).flatMap { DTLS.Fingerprint($0, hash: theirs.digest) }
            }
            transport.shake(endpoint, terms.isClient ? .active : .passive, fingerprints, limits: preferences.dtls)
        }
    }

    /// Whether what was agreed on gives keys: a line may ask for what is not done (an identifier in each packet, several keys).
    static func isUsable(_ agreed: AgreedSecurity) -> Bool {
        guard case .sdes(let local, let remote) = agreed else { return true }
        return key(in: local) != nil && key(in: remote) != nil
    }

    private static func key(in line: String) -> MasterKey? { (try? CryptoAttribute(parsing: line))?.key }
}

extension Connectivity {
    /// Nil credentials are another restart's at most: descriptions with malformed ones are refused before.
    fileprivate var credentials: Credentials {
        Credentials(fragment: fragment, password: password) ?? Credentials(random: (0, 0, 0))
    }
}
