import Addresses
import SIP

/// The edge without a suite behind it, in front of a fixed list of SIP servers (RFC 3261 §16): nobody can be authenticated, so
/// whoever is not trusted by address may only go on with the dialogs that the servers or trusted sources began.
extension ProxyCore {
    struct Alone: Sendable {
        /// Those who are not challenged.
        var trusted: [AddressRange]
        var servers: [SocketAddress]

        func trusts(_ source: SocketAddress) -> Bool { trusted.contains { $0.contains(source.address) } }

        /// A server may send from another port than it listens on.
        func isServer(_ source: SocketAddress) -> Bool { servers.contains { $0.address == source.address } }
    }

    /// Nil: the suite's edge, which asks for credentials.
    func isTrusted(_ arrival: Arrival) -> Bool? { configuration.alone.map { $0.trusts(arrival.source) } }

    /// Whether a request may go on though nobody is asked who sent it.
    func isWelcome(_ message: Message, _ arrival: Arrival) -> Bool {
        isTrusted(arrival) != false || recordedServer(message) != nil
    }

    func names(us uri: URI) -> Bool {
        guard let address = uri.socketAddress else { return false }
        return address == configuration.outside || address == configuration.inside
            || configuration.outsideStreams.values.contains(address)
    }

    /// How many of the topmost Routes are ours, signed or by our plain address; the farm behind us needs the others.
    func ownLeadingRoutes(_ message: Message) -> Int {
        (message.routes ?? []).prefix { token($0.uri.user) != nil || names(us: $0.uri) }.count
    }

    /// Where a listed server's request goes that names no flow of ours: the next Route, else the Request-URI, over UDP.
    func flowOutOfFarm(_ message: Message, from source: SocketAddress) -> FlowToken? {
        guard configuration.alone?.isServer(source) == true,
            let next = (message.routes ?? []).dropFirst(ownLeadingRoutes(message)).first?.uri ?? message.requestURI, !names(us: next),
            !isOverStream(next), let address = next.socketAddress, address.port != 0
        else { return nil }
        return FlowToken(flow: address, over: .udp, inside: configuration.inside)
    }

    private func isOverStream(_ uri: URI) -> Bool {
        uri.scheme == "sips" || uri.parameters["transport"].map { $0.lowercased() != "udp" } ?? false
    }
}
