import Addresses
import Bytes
import SIP

/// The stateless proxy of RFC 3261 §16.11 between a hostile outside and a trusted inside: message and arrival in, decision out.
///
/// It holds only what was configured; all edges with the same cluster key decide alike, so any of them may see any message of
/// a dialog. Everything a later message needs travels in signed tokens in Via, Path and Record-Route.
struct ProxyCore: Sendable {
    struct Configuration: Sendable {
        /// The domain that is meant when an address stands in its place.
        var domain: String
        /// What phones reach this edge at over UDP and TCP.
        var outside: SocketAddress
        /// The same for the transports with ports of their own.
        var outsideStreams: [Transport: SocketAddress] = [:]
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
        /// What a refused client is told to wait, in seconds.
        var retryAfter = 5
        /// In front of a fixed list of servers.
        var alone: Alone?

        func outside(over transport: Transport) -> SocketAddress {
            switch transport {
            case .udp, .tcp: outside
            case .tls, .ws, .wss: outsideStreams[transport] ?? outside
            }
        }
    }

    /// The Via parameter that carries the way back of a response.
    static let wayBack = "tandem"
    static let customerHeader = "X-Tandem-Customer"
    /// Headers that only the inside writes, for the inside.
    static let privatePrefix = "X-Tandem-"

    let configuration: Configuration
    let nonces: NonceIssuer
    let branchSeed: UInt64

    init(_ configuration: Configuration) {
        self.configuration = configuration
        nonces = NonceIssuer(key: configuration.nonceKey, lifetimeMilliseconds: configuration.nonceLifetimeMilliseconds)
        branchSeed = StableHash.hash(configuration.tokenKey)
    }

    // MARK: Parts both directions share

    func token(_ text: String?) -> FlowToken? {
        text.flatMap { FlowToken(verifying: $0, key: configuration.tokenKey) }
    }

    /// Our Via: the branch follows from the request alone, the way back is signed.
    func via(_ transport: Transport, _ sentBy: SocketAddress, wayBack: FlowToken, for message: Message) -> Via? {
        guard let branch = StatelessForwarding.branch(for: message, seed: branchSeed) else { return nil }
        var via = Via(transport: transport, sentBy: sentBy, branch: branch)
        via.parameters.set("rport", nil)
        via.parameters.set(Self.wayBack, wayBack.sealed(key: configuration.tokenKey))
        return via
    }

    /// §16.6 step 3.
    func decrementMaxForwards(_ message: Message, _ edits: inout Edits) {
        edits.set(.maxForwards, String(message.maxForwards.map { max(0, $0 - 1) } ?? 70))
    }

    /// The route of RFC 5658: one entry for each side, so that either finds its way through this edge by the topmost one.
    func insideRoute(_ flow: FlowToken) -> String {
        "<sip:\(flow.sealed(key: configuration.tokenKey))@\(configuration.inside);lr>"
    }

    func outsideRoute(_ server: SocketAddress, _ transport: Transport) -> String {
        let parameter =
            switch transport {
            case .udp: ""
            case .tcp: ";transport=tcp"
            case .tls: ";transport=tls"
            // One word for both (RFC 7118 §5.2.2).
            case .ws, .wss: ";transport=ws"
            }
        let user = FlowToken(server: server).sealed(key: configuration.tokenKey)
        return "<sip:\(user)@\(configuration.outside(over: transport));lr\(parameter)>"
    }

    /// A proxy records its route where a dialog may come of the request (§16.6 step 4).
    func recordsRoute(_ method: Method, _ message: Message) -> Bool {
        method.createsDialog && message.to?.tag == nil
    }

    /// The tag of our own responses follows from the request, so their ACK can be told from one that goes further.
    func ownTag(for message: Message) -> String {
        let branch = StatelessForwarding.branch(for: message, seed: ~branchSeed) ?? Via.magicCookie
        return "edge" + branch.dropFirst(Via.magicCookie.utf8.count)
    }

    func isAcknowledgementOfOurs(_ message: Message) -> Bool {
        message.to?.tag == ownTag(for: message)
    }

    /// Removes what one side must not see of the other.
    func stripPrivate(_ edits: inout Edits) {
        edits.removeAll(.pAssertedIdentity)
        edits.removeAll(prefixed: Self.privatePrefix)
    }
}
