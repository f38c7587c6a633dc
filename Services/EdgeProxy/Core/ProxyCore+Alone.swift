import Addresses
import Bytes
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

    func names(us uri: URI.Layout, in message: borrowing MessageView) -> Bool {
        guard let address = address(of: uri, in: message) else { return false }
        return address == configuration.inside || configuration.outside.includes(address)
    }

    /// How many of the topmost Routes are ours, signed or by our plain address; the farm behind us needs the others.
    /// `isSigned`: the topmost one is known to be.
    func ownLeadingRoutes(_ message: borrowing MessageView, _ head: RequestHead, isSigned: Bool = false) -> Int {
        guard let topmost = head.topmostRoute, isSigned || isOurs(topmost, in: message) else { return 0 }
        guard let next = head.nextRoute, isOurs(next, in: message) else { return 1 }
        var walk = MessageView.Elements(.route)
        for _ in 0..<2 { _ = walk.next(in: message) }
        var count = 2
        while let element = walk.next(in: message), let route = message.address(element), isOurs(route, in: message) { count += 1 }
        return count
    }

    private func isOurs(_ route: NameAddress.Layout, in message: borrowing MessageView) -> Bool {
        names(us: route.uri, in: message) || token(route.uri.user, in: message) != nil
    }

    /// Where a listed server's request goes that names no flow of ours: the next Route, else the Request-URI, over UDP.
    func flowOutOfFarm(_ message: borrowing MessageView, _ head: RequestHead, from source: SocketAddress) -> FlowToken? {
        guard configuration.alone?.isServer(source) == true else { return nil }
        var walk = MessageView.Elements(.route)
        for _ in 0..<ownLeadingRoutes(message, head) { _ = walk.next(in: message) }
        let next = walk.next(in: message).flatMap { message.address($0)?.uri } ?? head.uri
        guard !names(us: next, in: message), !isOverStream(next, message), let address = address(of: next, in: message),
            address.port != 0, configuration.outside.hasFamily(of: address)
        else { return nil }
        return FlowToken(flow: address, over: .udp, inside: configuration.inside)
    }

    private func address(of uri: URI.Layout, in message: borrowing MessageView) -> SocketAddress? {
        uri.address(in: message.bytes).map { SocketAddress($0, port: uri.port ?? (uri.scheme == .sips ? 5061 : 5060)) }
    }

    private func isOverStream(_ uri: URI.Layout, _ message: borrowing MessageView) -> Bool {
        guard uri.scheme != .sips else { return true }
        guard let transport = uri.parameter("transport", in: message.bytes) else { return false }
        return !ASCII.equalsIgnoringCase(message.bytes.extracting(transport), "udp")
    }
}
