import Addresses
import Bytes
import Cryptography
import SIP

/// The stateless proxy of RFC 3261 §16.11 between a hostile outside and a trusted inside: message and arrival in, decision out.
///
/// It holds only what was configured; all edges with the same cluster key decide alike, so any of them may see any message of
/// a dialog. Everything a later message needs travels in signed tokens in Via, Path and Record-Route.
struct ProxyCore: Sendable {
    struct Configuration: Sendable {
        /// The domain that is meant when an address stands in its place.
        var domain: String
        /// What phones reach this edge at.
        var outside: OutsideAddresses
        /// The inside socket of the loop this core belongs to.
        var inside: SocketAddress
        /// Different in every life of the process: a connection's number means nothing to the next one.
        var generation: UInt32 = 0
        /// Signs the tokens.
        var tokenKey: [UInt8]
        /// Signs the nonces.
        var nonceKey: [UInt8]
        var nonceLifetimeMilliseconds: Int64 = 300_000
        /// How the User-Agent of clients begins that give up when they are offered more than MD5.
        var legacyAgents: [String] = []
        /// How often a phone that uses outbound is to be heard of, in seconds.
        var flowTimer = 120
        /// In front of a fixed list of servers.
        var alone: Alone?
    }

    let configuration: Configuration
    let nonces: NonceIssuer
    /// Signs the tokens.
    let tokenKey: SipHash
    private let tagKey: SipHash
    private let insideBranches: SipHash
    private let outsideBranches: SipHash

    init(_ configuration: Configuration) {
        self.configuration = configuration
        nonces = NonceIssuer(key: configuration.nonceKey, lifetimeMilliseconds: configuration.nonceLifetimeMilliseconds)
        tokenKey = SipHash(key: configuration.tokenKey)
        tagKey = Self.key("tag", configuration)
        (insideBranches, outsideBranches) = (Self.key("branch inside", configuration), Self.key("branch outside", configuration))
    }

    /// A key for one purpose, the same on all edges.
    private static func key(_ purpose: String, _ configuration: Configuration) -> SipHash {
        SipHash(key: DigestAlgorithm.sha256.authenticate(Array(purpose.utf8), key: configuration.tokenKey))
    }

    // MARK: Parts both directions share

    func token(_ text: Range<Int>?, in message: borrowing MessageView) -> FlowToken? {
        guard let text else { return nil }
        return FlowToken(verifying: message.bytes.extracting(text), key: tokenKey)
    }

    /// The side a request comes from. It has a part in the branch: what the inside sends back out unchanged is no loop.
    enum Side: Int, CaseIterable { case outside, inside }

    private func branch(_ side: Side, _ message: borrowing MessageView, _ head: RequestHead) -> StatelessForwarding.Branch {
        StatelessForwarding.branch(for: message, head, key: side == .inside ? insideBranches : outsideBranches)
    }

    /// Of a request from outside, what names its transaction in the branch we give it.
    func transaction(_ message: borrowing MessageView, _ head: RequestHead) -> SipHash.Code {
        StatelessForwarding.transaction(for: message, head, key: outsideBranches)
    }

    /// Our Via on a request from that side: the branch follows from the request alone, the way back is signed.
    func hop(
        from side: Side, _ transport: Transport, _ sentBy: SocketAddress, wayBack: FlowToken, for message: borrowing MessageView,
        _ head: RequestHead
    ) -> Forwarding.Hop {
        Forwarding.Hop(transport, sentBy: sentBy, branch: branch(side, message, head), wayBack: wayBack)
    }

    /// §16.6 step 3; nobody's message takes more hops through us than a request without Max-Forwards.
    func decremented(_ head: RequestHead) -> Int { head.maxForwards.map { min(Self.hops, max(0, $0 - 1)) } ?? Self.hops }

    /// What §16.6 step 3 and §20.22 recommend to begin with.
    private static let hops = 70

    /// The way back that the topmost Via of a response carries, when we signed it.
    func wayBack(_ head: ResponseHead, in message: borrowing MessageView) -> FlowToken? {
        token(head.via.token, in: message)
    }

    /// The route of RFC 5658: one entry for each side, so that either finds its way through this edge by the topmost one.
    func insideRoute(_ flow: FlowToken) -> Forwarding.Route { Forwarding.Route(flow, at: configuration.inside) }

    func outsideRoute(_ server: SocketAddress, _ transport: Transport, for phone: SocketAddress) -> Forwarding.Route {
        let address = configuration.outside.address(over: transport, for: phone)
        return Forwarding.Route(FlowToken(server: server), at: address, over: transport)
    }

    /// The way a phone's requests begin (RFC 3608): to this edge, where they are asked for credentials like all others.
    func serviceRoute(_ transport: Transport, for phone: SocketAddress) -> Forwarding.Route {
        let address = configuration.outside.address(over: transport, for: phone)
        return Forwarding.Route(FlowToken(edge: configuration.inside), at: address, over: transport)
    }

    /// A proxy records its route where a dialog may come of the request (§16.6 step 4).
    func recordsRoute(_ head: RequestHead) -> Bool { head.method.createsDialog && head.to.tag == nil }

    /// §16.3 step 4: one of our own Vias, made of the same request from the same side, says that it has been here.
    func isLoop(from side: Side, _ message: borrowing MessageView, _ head: RequestHead) -> Bool {
        guard head.hasPassedUs else { return false }
        var walk = MessageView.Elements(.via)
        var known: StatelessForwarding.Branch?
        while let element = walk.next(in: message) {
            guard let via = message.via(element), let token = via.token,
                let text = via.branch, text.count == StatelessForwarding.Branch.length, self.token(token, in: message) != nil
            else { continue }
            let ours = known ?? branch(side, message, head)
            known = ours
            if ours.isLoop(of: message.bytes.extracting(text)) { return true }
        }
        return false
    }

    /// The tag of our own responses follows from the request, so their ACK can be told from one that goes further.
    func ownTag(_ message: borrowing MessageView, _ head: RequestHead) -> String {
        "edge" + StatelessForwarding.text(StatelessForwarding.transaction(for: message, head, key: tagKey))
    }

    /// The same of a request that may lack what makes a tag predictable.
    func ownTag(_ message: borrowing MessageView) -> String {
        do throws(Refusal) {
            return ownTag(message, try RequestHead(message))
        } catch {
            let fingerprint = tagKey.code(message.bytes.extracting(0..<message.headersEnd))
            return "edge" + StatelessForwarding.text(fingerprint)
        }
    }

    func isAcknowledgementOfOurs(_ message: borrowing MessageView, _ head: RequestHead) -> Bool {
        guard let tag = head.to.tag, tag.count == 26 else { return false }
        return ASCII.equals(message.bytes.extracting(tag), ownTag(message, head))
    }
}
