import Addresses
import Bytes
import SIP

/// A request whose credentials are complete, waiting for the account they claim.
struct PendingAuthentication: Sendable {
    let message: Message
    let method: Method
    let arrival: Arrival
    let credentials: DigestCredentials
    let key: AccountCache.Key
    /// Whose account the name is, unless a phone has the same.
    let trunk: Trunk?
    /// Whoever proves to be one user may not speak, or register, as another; a trunk speaks for many.
    let isForItself: Bool
    let isEmergency: Bool
}

/// Authentication of whoever wants to register or to begin something: by digest (RFC 3261 §22, RFC 8760), or as a trunk.
extension ProxyCore {
    func authenticate(
        _ view: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, now: Int64, _ servers: inout Placement,
        _ admission: inout Admission
    ) -> Decision {
        if let isTrusted = isTrusted(arrival) {
            return isTrusted
                ? forwardToCallServer(view, head, arrival, nil, nil, &servers) : refuse(view, arrival, Refusal(403))
        }
        // Phones at a trunk's address still register as themselves.
        let trunks = servers.directory.trunks
        let isTrunkLike = !trunks.isEmpty && head.method != .register
        if isTrunkLike, let trunk = trunks.trunk(from: arrival) {
            return forwardToCallServer(view, head, arrival, nil, .trunk(trunk), &servers)
        }
        let message = view.message()
        let method = head.method
        // §10.2: the address-of-record is a SIP URI (RFC 4475 §3.3.4).
        guard method != .register || head.to.uri.opaque == nil else { return refuse(view, arrival, Refusal(400, "Bad To")) }
        guard let from = message.from?.uri, let user = from.decodedUser else { return refuse(view, arrival, Refusal(403)) }
        let realm = isTrunkLike ? realm(of: message, from, trunks) : domain(of: from)
        if let doubt = doubt(realm, arrival, &admission) { return doubt }
        let longest = longestAnswer(view, arrival, admission)
        guard let credentials = message.credentials(credentialsHeader(method), realm: realm) else {
            return challenge(message, method, arrival, realm, isStale: false, longest: longest, now: now)
        }
        guard nonces.verify(credentials.nonce, now: now, from: arrival.source.address) == .fresh else {
            return challenge(message, method, arrival, realm, isStale: true, longest: longest, now: now)
        }
        let isForItself = credentials.names(user) && realm == domain(of: from)
            && (method != .register || message.to.map { isUser(user, realm, $0.uri) } == true)
        let key = AccountCache.Key(user: isForItself ? user : credentials.user, domain: realm)
        let trunk = isTrunkLike ? trunks.trunk(account: key) : nil
        guard isForItself || trunk != nil else { return refuse(view, arrival, Refusal(403)) }
        return .authenticate(
            PendingAuthentication(
                message: message, method: method, arrival: arrival, credentials: credentials, key: key, trunk: trunk,
                isForItself: isForItself, isEmergency: method == .invite && isEmergency(view, head.uri, admission)))
    }

    /// Whether the account's owner made the credentials. The same work is done when there is no account.
    func isAuthentic(_ pending: PendingAuthentication, _ account: Account?) -> Bool {
        let credentials = pending.credentials
        let ha1 = account?.ha1(credentials.hash)
        let isAuthentic = credentials.isAuthentic(
            ha1: ha1 ?? Self.nobodysHA1(credentials.hash), method: pending.method,
            body: credentials.protectsBody ? pending.message.body : [])
        return isAuthentic && ha1 != nil
    }

    /// Who made the credentials: the owner of the account, or nobody we know.
    func owner(of pending: PendingAuthentication, _ account: Account?) -> Originator? {
        let isAuthentic = isAuthentic(pending, account)
        return isAuthentic && pending.isForItself ? account.map(Originator.account) : nil
    }

    /// The trunk, when it made the credentials. If not, they are looked up as a phone's, so that the refusal of a wrong password
    /// takes as long as that of a name nobody has.
    func trunk(of pending: PendingAuthentication) -> Originator? {
        pending.trunk.flatMap { isAuthentic(pending, $0.account) ? .trunk($0) : nil }
    }

    /// `sender` is nil when its owner did not make the credentials, or there is none: both get the same answer, as does who is suspended and does not
    /// call for help.
    func resume(_ pending: PendingAuthentication, _ sender: Originator?, _ servers: inout Placement) -> Decision {
        let (message, arrival) = (pending.message, pending.arrival)
        guard let sender, !sender.isSuspended || pending.isEmergency else { return refuse(message.view, arrival, Refusal(403)) }
        do throws(Refusal) {
            let head = try RequestHead(message.view)
            if pending.method == .register { return forwardToRegistrar(message.view, head, arrival, nil, sender, servers.directory) }
            // It belongs to no dialog we made, whatever its Route says: it is placed as a new one.
            return forwardToCallServer(message.view, head, arrival, nil, sender, &servers)
        } catch { return refuse(message.view, arrival, error) }
    }

    /// The domain the sender says it is of; for one from elsewhere the domain it calls, when there are trunks with accounts there.
    private func realm(of message: Message, _ from: URI, _ trunks: Trunks) -> String {
        let own = domain(of: from)
        guard !trunks.hasAccounts(in: own), let called = message.requestURI.map({ domain(of: $0) }), trunks.hasAccounts(in: called)
        else { return own }
        return called
    }

    /// As long as a real one, and the hash of nothing anybody knows.
    private static func nobodysHA1(_ hash: DigestHash) -> String { String(repeating: "0", count: hash == .md5 ? 32 : 64) }

    /// A name in lower case; an address means the default domain.
    func domain(of uri: URI) -> String {
        IPAddress(uri.host) == nil ? uri.host.lowercased() : configuration.domain
    }

    private func isUser(_ user: String, _ domain: String, _ uri: URI) -> Bool {
        uri.decodedUser == user && self.domain(of: uri) == domain
    }

    private func credentialsHeader(_ method: Method) -> HeaderName {
        method == .register ? .authorization : .proxyAuthorization
    }

    /// The credentials were right, but somebody has used them before: who knows the password makes others.
    func challengeAgain(_ pending: PendingAuthentication, now: Int64) -> Decision {
        challenge(
            pending.message, pending.method, pending.arrival, pending.key.domain, isStale: true, longest: nil, now: now)
    }

    private func challenge(
        _ message: Message, _ method: Method, _ arrival: Arrival, _ realm: String, isStale: Bool, longest: Int?, now: Int64
    ) -> Decision {
        let nonce = nonces.issue(
            now: now, to: arrival.source.address, salt: (message.callIDHash ?? 0) &+ UInt64(message.cseq?.number ?? 0))
        let name = method == .register ? HeaderName.wwwAuthenticate : .proxyAuthenticate
        /// Old clients know nothing of the newer choices either, and some choose what they cannot do.
        func offer(_ hashes: [DigestHash], choices: Bool) -> Decision {
            let headers = hashes.map { hash in
                let challenge = DigestChallenge(
                    realm: realm, nonce: nonce, hash: hash, isStale: isStale,
                    qualities: choices ? [.authentication, .integrity] : [.authentication], takesUserHash: choices)
                return Header(name, challenge.headerValue)
            }
            return refuse(message.view, arrival, Refusal(method == .register ? 401 : 407), adding: headers)
        }
        let hashes = offeredHashes(message)
        // Where there is room for one only, it is the one that every phone knows.
        return offer(hashes, choices: hashes.first == .sha256).shortened(to: longest) {
            offer(hashes, choices: false).shortened(to: longest) { offer([.md5], choices: false) }
        }
    }

    /// The best hash stands first, since a client takes the first it knows (RFC 8760 §2.4) and passes over the others. Not all
    /// do: some give up at any they do not know and are listed by name; some read only the first, and of a client that does not
    /// say what it is we must think that it is one of those.
    private func offeredHashes(_ message: Message) -> [DigestHash] {
        guard let agent = message.value(.userAgent), !isScripted(message) else { return [.md5, .sha256] }
        let isLegacy = configuration.legacyAgents.contains { ASCII.equalsIgnoringCase(agent.prefix($0.count), $0) }
        return isLegacy ? [.md5] : [.sha256, .md5]
    }

    /// SIPp, whatever its scenario says it is: it reads the first challenge only, and its branches are three plain numbers.
    private func isScripted(_ message: Message) -> Bool {
        guard let branch = message.topmostVia?.branch, branch.hasPrefix(Via.magicCookie + "-") else { return false }
        let numbers = branch.dropFirst(Via.magicCookie.count + 1).split(separator: "-", omittingEmptySubsequences: false)
        return numbers.count == 3 && numbers.allSatisfy { ASCII.decimal($0.utf8) != nil }
    }
}
