import Addresses
import MediaSession
import NG
import SDP
import SRTP

/// What each side of a stream is told, and what follows from what it says (RFC 3264): the offerer's wishes, as far as those of the
/// signalling allow.
struct Negotiation {
    enum Refusal: Error, CustomStringConvertible {
        case noKeys, otherSuite, otherProfile, wrongRole, noCommonCodec

        var description: String {
            switch self {
            case .noKeys: "protection without a key or fingerprint that can be used"
            case .otherSuite: "keys that were not offered"
            case .otherProfile: "another protection than was offered"
            case .wrongRole: "nobody would begin the handshake"
            case .noCommonCodec: "no codec that could be made from those of the other side"
            }
        }
    }

    let security: Security

    // MARK: Offers

    /// What the answerer is offered in place of what `theirs` says. What it was told before, `side`, goes on where it can (RFC 3264 §8).
    func offer(_ theirs: StreamDescription, _ options: Options, at address: SocketAddress, _ side: StreamSide) -> LocalStream {
        var local = LocalStream(
            address: address, transport: options.transport?.rawValue ?? side.local?.transport ?? theirs.transport)
        let profile = Profile(rawValue: local.transport) ?? .audioVideo
        let isHandshake = profile == .handshake || profile == .handshakeFeedback
        protect(&local, profile, options, theirs, side)
        let isAsked = !options.multiplexing.isDisjoint(with: [.offer, .require])
        let hasChecks = wantsICE(options, theirs, side)
        local.multiplexes = isAsked || hasChecks || isHandshake || theirs.multiplexes && !options.multiplexing.contains(.demux)
        local.requiresMultiplexing = options.multiplexing.contains(.require)
        if hasChecks {
            local.ice = side.local?.ice ?? checks(at: address, isOnOnePort: local.requiresMultiplexing, isLite: options.isLiteForward)
            local.ice?.options = Security.options(trickles: options.trickles)
        }
        local.packetTime = options.packetTime
        if !options.codecs.isEmpty, theirs.kind == "audio" {
            local.formats = options.codecs.apply(to: theirs.formats, known: ForwardingPlan.codecs)
            // Sound that is made here has a source of ours.
            local.keepsSources = options.codecs.transcode.isEmpty
        }
        return local
    }

    private func protect(
        _ local: inout LocalStream, _ profile: Profile, _ options: Options, _ theirs: StreamDescription, _ side: StreamSide
    ) {
        let agreed = side.agreement?.security.kind
        let isHandshake = profile == .handshake || profile == .handshakeFeedback
        guard !profile.isPlain || options.offersOpportunistic else { return }
        // Kept by both until one of them is agreed on: which one the answerer takes is its choice.
        if !options.sdes.isOff, !isHandshake, agreed != .dtls {
            if case .sdes(let line, _)? = side.agreement?.security {
                local.crypto = [line]
            } else if let before = side.local?.crypto, !before.isEmpty {
                local.crypto = before
            } else {
                local.crypto = Security.lines(suites(options, theirs))
            }
        }
        guard agreed != .sdes, isHandshake || options.dtls != .off && !options.offersOpportunistic || local.crypto.isEmpty else { return }
        local.fingerprints = [security.fingerprint].compactMap(\.self)
        local.setup = .either
    }

    private func suites(_ options: Options, _ theirs: StreamDescription) -> [Suite] {
        let offered = theirs.crypto.compactMap { try? CryptoAttribute(parsing: $0).suite }
        let own = options.sdes.addsNone && !offered.isEmpty ? [] : security.preferences.suites
        var seen: Set<Suite> = []
        let wanted = (offered + own + Suite.allCases.filter { options.sdes.only.contains($0.rawValue) }).filter { seen.insert($0).inserted }
        let allowed = wanted.filter { options.sdes.allows($0.rawValue) }
        return allowed.isEmpty ? security.preferences.suites : allowed
    }

    private func wantsICE(_ options: Options, _ theirs: StreamDescription, _ side: StreamSide) -> Bool {
        switch options.ice {
        case .remove: false
        case .force, .optional, .forceRelay: true
        case .asOffered: theirs.ice != nil || side.agreement?.ice != nil
        }
    }

    /// Lite, unless the other side is: then somebody has to make the checks (RFC 8445 §6.1.1).
    private func checks(at address: SocketAddress, isOnOnePort: Bool, isLite: Bool?) -> Connectivity {
        var ours = Security.connectivity(of: Security.credentials(), isLite: isLite ?? (security.preferences.iceMode == .lite))
        ours.candidates = security.candidates(address, isOnOnePort: isOnOnePort).map(\.description)
        return ours
    }

    // MARK: Answers

    /// What the offerer is answered in place of what the answerer says.
    func answer(
        _ theirs: StreamDescription, offered: Options, _ options: Options, at address: SocketAddress, answerer: StreamDescription,
        _ side: StreamSide
    ) throws(Refusal) -> (local: LocalStream, security: AgreedSecurity) {
        var local = LocalStream(address: address, transport: theirs.transport)
        let agreed = try keys(theirs, offered, options, side, &local)
        let hasChecks = theirs.ice != nil && options.ice != .remove && !offered.rejectsICE
        let isWelcome = hasChecks || agreed.kind == .dtls || answerer.multiplexes
            || !offered.multiplexing.union(options.multiplexing).isDisjoint(with: [.demux, .accept])
        local.multiplexes = theirs.multiplexes && !offered.multiplexing.contains(.reject) && isWelcome
        if hasChecks {
            let isRestart = side.remote?.ice.map { $0.fragment != theirs.ice?.fragment || $0.password != theirs.ice?.password } ?? true
            local.ice = isRestart ? nil : side.local?.ice
            local.ice = local.ice ?? checks(at: address, isOnOnePort: local.multiplexes, isLite: theirs.ice?.isLite == true ? false : offered.isLiteBackward)
            local.ice?.options = Security.options(trickles: options.trickles && theirs.ice?.trickles == true)
        }
        local.packetTime = offered.packetTimeReverse
        return (local, agreed)
    }

    private func keys(
        _ theirs: StreamDescription, _ offered: Options, _ options: Options, _ side: StreamSide, _ local: inout LocalStream
    ) throws(Refusal) -> AgreedSecurity {
        guard !theirs.profile.isPlain else { return .none }
        // Its own offer may have said which of both it gets, or which role is left to it.
        let wish = offered.dtlsReverse == .either ? options.dtls : offered.dtlsReverse
        if !theirs.fingerprints.isEmpty, wish != .off || theirs.crypto.isEmpty {
            let setup = try role(theirs, wish, side)
            local.fingerprints = [security.fingerprint].compactMap(\.self)
            local.setup = setup
            return .dtls(DTLSTerms(isClient: setup == .active, fingerprints: theirs.fingerprints, tlsID: theirs.tlsID))
        }
        var before: [String] = []
        if case .sdes(let line, _)? = side.agreement?.security { before = [line] }
        for line in theirs.crypto {
            guard let ours = Security.line(answering: line, before) else { continue }
            local.crypto = [ours]
            return .sdes(local: ours, remote: line)
        }
        throw .noKeys
    }

    /// RFC 5763 §5; who leaves it to us is left the beginning, as those behind a NAT begin more easily. A role goes on with its
    /// association (RFC 8842 §5.3).
    private func role(_ theirs: StreamDescription, _ wish: Options.DTLS, _ side: StreamSide) throws(Refusal) -> Setup {
        switch theirs.setup ?? .active {
        case .active: return .passive
        case .passive: return .active
        case .hold: throw .wrongRole
        case .either:
            if case .dtls(let terms)? = side.agreement?.security, terms.fingerprints == theirs.fingerprints, terms.tlsID == theirs.tlsID {
                return terms.isClient ? .active : .passive
            }
            return wish == .active ? .active : .passive
        }
    }

    /// What an answer to `local` settles.
    func settle(_ local: LocalStream, answered theirs: StreamDescription) throws(Refusal) -> AgreedSecurity {
        if !theirs.fingerprints.isEmpty, !local.fingerprints.isEmpty, !theirs.profile.isPlain || local.crypto.isEmpty {
            guard let setup = theirs.setup, setup == .active || setup == .passive else { throw .wrongRole }
            return .dtls(DTLSTerms(isClient: setup == .passive, fingerprints: theirs.fingerprints, tlsID: theirs.tlsID))
        }
        if let line = theirs.crypto.first, !local.crypto.isEmpty {
            guard let given = try? CryptoAttribute(parsing: line), given.key != nil else { throw .noKeys }
            let ours = local.crypto.first { (try? CryptoAttribute(parsing: $0)).map { $0.tag == given.tag && $0.suite == given.suite } ?? false }
            guard let ours else { throw .otherSuite }
            return .sdes(local: ours, remote: line)
        }
        // What was offered under protection is not carried in clear because somebody left a line out.
        guard Profile(rawValue: local.transport)?.isPlain ?? false, theirs.profile.isPlain else {
            throw theirs.profile.isPlain ? .otherProfile : .noKeys
        }
        return .none
    }

    // MARK: Both

    func agreement(
        _ theirs: StreamDescription, _ local: LocalStream, _ security: AgreedSecurity, formats: [AgreedFormat], other: Direction
    ) -> Agreement {
        let isShared = local.multiplexes && theirs.multiplexes
        return Agreement(
            remote: theirs.remote, remoteControl: isShared ? theirs.remote : theirs.control,
            direction: theirs.direction.mirrored.intersection(other), formats: formats,
            packetTime: Agreement.packetTime(wished: theirs.packetTime, longest: theirs.maximumPacketTime, of: formats),
            security: security, ice: local.ice == nil ? nil : theirs.ice)
    }

    /// What ICE and keys need to know of us.
    func media(_ local: LocalStream) -> LocalMedia {
        LocalMedia(
            address: local.address, transports: [local.transport],
            security: LocalSecurity(kinds: [], crypto: local.crypto, fingerprints: local.fingerprints), ice: local.ice,
            multiplexesRTCP: local.multiplexes)
    }
}
