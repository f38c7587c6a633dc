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
    let fingerprint: SDP.Fingerprint?
    let preferences: MediaPreferences

    /// Beside a leg's address, for checks.
    private let second: IPAddress?

    init(_ endpoint: Endpoint, _ preferences: MediaPreferences = MediaPreferences(), second: IPAddress? = nil) {
        (self.endpoint, self.preferences, self.second) = (endpoint, preferences, second)
        let own = endpoint.certificate.fingerprint
        fingerprint = SDP.Fingerprint(algorithm: own.algorithm.rawValue, digest: own.hash)
    }

    // MARK: Before a description of ours

    /// What an answer to `offer` needs to know of us before it can be written; the order of codecs that is to be given to it. An offer of
    /// ours that is still open is no more.
    func prepare(
        _ exchange: inout OfferAnswer, answering offer: SessionDescription, _ leg: ICE.Agent?, codecs: CodecChoice
    ) throws(OfferAnswer.Refusal) -> [Codec] {
        exchange.withdrawOffer()
        exchange.local.transports = ["RTP/AVP", "RTP/AVPF"]
        exchange.local.security = LocalSecurity(kinds: [.dtls, .sdes, .none], fingerprints: [fingerprint].compactMap(\.self))
        let order = codecs.prepare(&exchange, answering: offer, takesComfortNoise: preferences.comfortNoise != .off)
        let prospect = try exchange.prospect(of: offer, preferring: order)
        let isOnOnePort = offer.media[prospect.index].multiplexesRTCP
        if prospect.kind == .sdes {
            let known = knownLines(exchange.agreement, isOnOnePort: isOnOnePort)
            exchange.local.security?.crypto = prospect.crypto.compactMap { Self.line(answering: $0, known) }
        }
        guard let theirs = prospect.ice else {
            exchange.local.ice = nil
            return order
        }
        let isLite = preferences.iceMode == .lite && !theirs.isLite
        var ours = exchange.local.ice
        if ours?.isLite != isLite || leg?.isRestart(theirs.credentials) ?? true { ours = Self.connectivity(of: Self.credentials(), isLite: isLite) }
        ours?.candidates = candidates(exchange.local.address, isOnOnePort: isOnOnePort).map(\.description)
        ours?.options = Self.options(trickles: theirs.trickles)
        exchange.local.ice = ours
        return order
    }

    /// Only the key in use may be used on: one that was left has protected packets with other numbers, and on other ports it counts its
    /// control packets anew (RELIABILITY V27).
    private func knownLines(_ agreement: Agreement?, isOnOnePort: Bool) -> [String] {
        guard let agreement, agreement.multiplexesRTCP == isOnOnePort, case .sdes(let local, _) = agreement.security else { return [] }
        return [local]
    }

    /// What our side is where it offers under that profile.
    func local(_ before: LocalMedia, offering profile: MediaProfile) -> LocalMedia {
        var local = before
        // Made for a browser, which rings beside the phone.
        if before.transports.isEmpty, profile != .browser { (local.transports, local.multiplexesRTCP, local.mid) = (["RTP/AVP"], false, nil) }
        switch profile {
        case .plain: (local.security, local.ice) = (nil, nil)
        case .sdes:
            local.security = LocalSecurity(kinds: [.sdes], crypto: Self.lines(preferences.suites))
            local.ice = nil
        case .browser:
            guard let fingerprint else { break }
            var ice = Self.connectivity(of: Self.credentials(), isLite: preferences.iceMode == .lite)
            ice.candidates = candidates(local.address, isOnOnePort: true).map(\.description)
            ice.options = Self.options(trickles: true)
            local = .browser(
                address: local.address, codecs: local.codecs, fingerprint: fingerprint, ice: ice, packetTime: local.packetTime)
        }
        return local
    }

    /// The next offer of a session that has an agreement: under the protection it has (RFC 3264 §8).
    func localAgain(_ exchange: OfferAnswer) -> LocalMedia {
        var local = exchange.local
        guard let agreement = exchange.agreement else { return local }
        switch agreement.security {
        case .none: local.security = nil
        case .sdes(let line, _): local.security = LocalSecurity(kinds: [.sdes], crypto: [line])
        case .dtls: local.security?.kinds = [.dtls]
        }
        local.multiplexesRTCP = agreement.multiplexesRTCP
        return local
    }

    /// A port that RTCP shares at each address that it is met at, no two with one priority (RFC 8445 §5.1.2); or two ports, each a component
    /// (§5.1.1), at one address.
    func candidates(_ rtp: SocketAddress, isOnOnePort: Bool) -> [Candidate] {
        guard isOnOnePort else { return [Candidate(rtp), Candidate(SocketAddress(rtp.address, port: rtp.port + 1), component: .rtcp)] }
        guard let second, second.isIPv4 != rtp.address.isIPv4 else { return [Candidate(rtp)] }
        return [Candidate(rtp), Candidate(SocketAddress(second, port: rtp.port), preference: .max - 1)]
    }

    /// Lines of an offer, with fresh keys.
    static func lines(_ suites: [Suite]) -> [String] {
        suites.enumerated().compactMap { CryptoAttribute(tag: $0.offset + 1, $0.element, random: key($0.element))?.description }
    }

    /// Our line for one of theirs: with the key it had, if it is there already.
    static func line(answering text: String, _ before: [String]) -> String? {
        guard let theirs = try? CryptoAttribute(parsing: text), theirs.key != nil else { return nil }
        let same = before.first { (try? CryptoAttribute(parsing: $0)).map { $0.tag == theirs.tag && $0.suite == theirs.suite } ?? false }
        return same ?? CryptoAttribute(tag: theirs.tag, theirs.suite, random: key(theirs.suite))?.description
    }

    private static func key(_ suite: Suite) -> [UInt8] { (0..<suite.keyLength + suite.saltLength).map { _ in .random(in: .min ... .max) } }

    static func credentials() -> Credentials {
        Credentials(random: (.random(in: .min ... .max), .random(in: .min ... .max), .random(in: .min ... .max)))
    }

    /// A lite agent leaves the checks to the other side: whoever can be reached may (RFC 8445 §2.5).
    static func connectivity(of credentials: Credentials, isLite: Bool) -> Connectivity {
        Connectivity(fragment: credentials.fragment, password: credentials.password, isLite: isLite, options: options(trickles: false))
    }

    /// Ours are all there are, and in the description (half trickle, RFC 8838 §16); theirs may come later where we say so.
    static func options(trickles: Bool) -> [String] { trickles ? ["ice2", "trickle"] : ["ice2"] }

    /// Whether what was agreed on gives keys: a line may ask for what is not done (an identifier in each packet, several keys).
    static func isUsable(_ agreed: AgreedSecurity) -> Bool {
        guard case .sdes(let local, let remote) = agreed else { return true }
        return key(in: local) != nil && key(in: remote) != nil
    }

    static func key(in line: String) -> MasterKey? { (try? CryptoAttribute(parsing: line))?.key }
}

extension Connectivity {
    /// Nil credentials are another restart's at most: descriptions with malformed ones are refused before.
    fileprivate var credentials: Credentials {
        Credentials(fragment: fragment, password: password) ?? Credentials(random: (0, 0, 0))
    }
}
