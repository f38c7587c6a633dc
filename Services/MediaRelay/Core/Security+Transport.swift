import Addresses
import DTLS
import Deadlines
import ICE
import MediaSession
import SDP
import SRTP

// What an exchange of descriptions means for the ports of a leg.
extension Security {
    /// Which port of a leg, and what ICE and DTLS are to it.
    enum Port {
        case rtp
        /// Only where it is not shared with RTP.
        case rtcp

        var component: Component { self == .rtp ? .rtp : .rtcp }
    }

    /// Lets the transport of a leg's port follow what was agreed on; nil where it needs none. `weOffered`: the last offer was ours.
    func transport(
        _ current: consuming MediaTransport?, _ port: Port = .rtp, base: SocketAddress, second: SocketAddress? = nil, _ exchange: OfferAnswer,
        before: Agreement?, weOffered: Bool = false, now: Instant
    ) -> MediaTransport? {
        guard let agreement = exchange.agreement else { return nil }
        return transport(
            current, port, base: base, second: second, agreement, exchange.local, before: before, weOffered: weOffered, now: now)
    }

    func transport(
        _ current: consuming MediaTransport?, _ port: Port, base: SocketAddress, second: SocketAddress?, _ agreement: Agreement,
        _ local: LocalMedia, before: Agreement?, weOffered: Bool, now: Instant
    ) -> MediaTransport? {
        guard Self.needsTransport(agreement, port) else { return nil }
        let before = current == nil ? nil : before
        var transport = current ?? MediaTransport(base: base, second: second)
        follow(agreement, local, port, weOffered: weOffered, &transport, now: now)
        if agreement.security != before?.security { key(agreement.security, before?.security, &transport) }
        transport.aim(at: port == .rtp ? agreement.remote : agreement.remoteControl)
        transport.begin(now: now)
        return transport
    }

    /// RFC 5764 §4.1: where RTCP has a port of its own, it has an association of its own. Keys of the description serve both ports, so that
    /// only checks need something there.
    private static func needsTransport(_ agreement: Agreement, _ port: Port) -> Bool {
        switch port {
        case .rtp: agreement.security.kind != .none || agreement.ice != nil
        case .rtcp: !agreement.multiplexesRTCP && (agreement.security.kind == .dtls || agreement.ice != nil)
        }
    }

    private func follow(
        _ agreement: Agreement, _ local: LocalMedia, _ port: Port, weOffered: Bool, _ transport: inout MediaTransport, now: Instant
    ) {
        guard let theirs = agreement.ice, let ours = local.ice, let own = Credentials(fragment: ours.fragment, password: ours.password) else {
            return transport.dropAgent()
        }
        let mode = ours.isLite ? Mode.lite : .full
        if transport.agent?.mode != mode {
            // RFC 8445 §6.1.1; towards a lite agent a full one controls whoever offered, which `setRemote` sees to.
            var agent = ICE.Agent(
                preferences.ice, mode: mode, role: mode == .full && weOffered ? .controlling : .controlled, local: own,
                random: (.random(in: .min ... .max), .random(in: .min ... .max)))
            let control = SocketAddress(local.address.address, port: local.address.port + 1)
            let ports = agreement.multiplexesRTCP
                ? candidates(local.address, isOnOnePort: true) : [Candidate(port == .rtp ? local.address : control)]
            for candidate in ports { agent.addLocal(candidate, base: transport.base(facing: candidate.address), now: now) }
            transport.use(agent)
        }
        transport.withAgent { agent, outbox in
            guard let credentials = Credentials(fragment: theirs.fragment, password: theirs.password) else { return }
            if agent.localCredentials != own || agent.isRestart(credentials) { agent.restart(local: own) }
            agent.setRemote(credentials, isLite: theirs.isLite, now: now, into: &outbox)
            Self.tell(&agent, theirs, port, from: local.address.address, now: now, into: &outbox)
        }
    }

    /// Candidates that came after the description, for the port of a leg whose address is `own`; false when they are not of the credentials that
    /// the other side has by now (RFC 8838 §11).
    func trickle(_ theirs: Connectivity, _ port: Port, from own: IPAddress, to transport: inout MediaTransport?, now: Instant) -> Bool {
        let isTaken = transport?.withAgent { (agent: inout ICE.Agent, outbox: inout ICE.Outbox) -> Bool in
            guard let known = agent.remoteCredentials, known.fragment == theirs.fragment, known.password == theirs.password else { return false }
            Self.tell(&agent, theirs, port, from: own, now: now, into: &outbox)
            return true
        }
        guard isTaken == true else { return false }
        transport?.begin(now: now)
        return true
    }

    /// Those of their candidates that this port may check; a lite agent checks none.
    private static func tell(
        _ agent: inout ICE.Agent, _ theirs: Connectivity, _ port: Port, from own: IPAddress, now: Instant, into outbox: inout ICE.Outbox
    ) {
        for text in theirs.candidates {
            guard let candidate = try? Candidate(parsing: text), candidate.component == port.component,
                agent.mode == .lite || maySend(to: candidate.address.address, from: own)
            else { continue }
            agent.addRemote(candidate.alone(), now: now)
        }
        if theirs.isComplete { agent.endOfCandidates(now: now, into: &outbox) }
    }

    /// V18: a description must not make us send to what only this machine or its link can reach, unless we are there ourselves. This holds for
    /// candidates, whenever they come, and for the address that a description gives by itself.
    static func maySend(to address: IPAddress, from own: IPAddress) -> Bool { !address.isInternal || own.isInternal }

    private func key(_ agreed: AgreedSecurity, _ before: AgreedSecurity?, _ transport: inout MediaTransport) {
        switch agreed {
        case .none: transport.unprotect()
        case .sdes(let local, let remote):
            var known: (local: String?, remote: String?) = (nil, nil)
            if case .sdes(let local, let remote)? = before, transport.isKeyed { known = (local, remote) }
            transport.key(sending: known.local == local ? nil : Self.key(in: local), receiving: known.remote == remote ? nil : Self.key(in: remote))
        case .dtls(let terms):
            // The same certificate, name and role go on with the same association (RFC 8842 §3.1), whatever becomes of the path.
            if case .dtls(let old)? = before, old == terms { return }
            transport.shake(endpoint, terms.isClient ? .active : .passive, Self.fingerprints(terms), limits: preferences.dtls)
        }
    }

    private static func fingerprints(_ terms: DTLSTerms) -> [DTLS.Fingerprint] {
        terms.fingerprints.compactMap { theirs in
            DTLS.Fingerprint.Algorithm(rawValue: theirs.algorithm).flatMap { DTLS.Fingerprint($0, hash: theirs.digest) }
        }
    }

    /// A transport that a predecessor left.
    func resume(
        _ record: MediaTransport.Record, _ position: MediaTransport.KeyPosition?, second: SocketAddress?, _ exchange: OfferAnswer, now: Instant
    ) -> MediaTransport {
        var handshake: (Endpoint, Handshake.Role, [DTLS.Fingerprint])?
        if case .dtls(let terms)? = exchange.agreement?.security {
            handshake = (endpoint, terms.isClient ? .active : .passive, Self.fingerprints(terms))
        }
        return MediaTransport(
            resuming: record, position, second: second, handshake: handshake, limits: preferences.dtls,
            random: (.random(in: .min ... .max), .random(in: .min ... .max)), now: now)
    }
}

extension IPAddress {
    /// Of this machine or its link: 127.0.0.0/8, 169.254.0.0/16, ::1, fe80::/10, and those written as IPv6.
    fileprivate var isInternal: Bool {
        if let v4 { return v4 >> 24 == 127 || v4 >> 16 == 0xa9fe }
        if high == 0, low >> 32 == 0xffff { return low >> 24 & 0xff == 127 || low >> 16 & 0xffff == 0xa9fe }
        return high == 0 && low == 1 || high >> 54 == 0x3fa
    }
}
