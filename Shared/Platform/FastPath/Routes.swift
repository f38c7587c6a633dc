public import Addresses
internal import CLinux
public import Deadlines
internal import Glibc

/// By which interface packets leave, as the kernel tells it (rtnetlink(7)); what it said is believed until it says that something has changed,
/// and not for long. Where anything has to be encrypted on its way (IPsec, whose rules the fast path does not ask), there is none. Of one thread.
public struct Routes: ~Copyable {
    public struct Route: Hashable, Sendable {
        public let interface: UInt32
        /// The destination is this machine.
        public let isLocal: Bool
    }

    private struct Pair: Hashable {
        let destination: UInt32
        let source: UInt32
    }

    private static let lifetime = Interval.seconds(2)
    private static let limit = 4096

    private let socket: Int32
    /// Readable when routes, addresses or links have changed; negative where that is not told.
    public let changes: Int32
    private var mayPass = (answer: false, until: Instant(nanoseconds: 0))
    private var known: [Pair: (route: Route?, until: Instant)] = [:]

    public init() { (socket, changes) = (tandem_route_socket(), tandem_route_changes_socket()) }

    deinit { for descriptor in [socket, changes] where descriptor >= 0 { close(descriptor) } }

    /// What was known is asked for anew.
    public mutating func forget() {
        if changes >= 0 { tandem_route_changes_take(changes) }
        known = [:]
    }

    /// Nil: there is none, or not for IPv4.
    public mutating func route(to destination: IPAddress, from source: IPAddress, now: Instant) -> Route? {
        guard socket >= 0, let to = destination.v4, let from = source.v4 else { return nil }
        if now >= mayPass.until { mayPass = (tandem_output_policies() == 0, now + Self.lifetime) }
        guard mayPass.answer else { return nil }
        let pair = Pair(destination: to, source: from)
        if let entry = known[pair], now < entry.until { return entry.route }
        if known.count >= Self.limit { known = [:] }
        var (interface, isLocal) = (Int32(0), Int32(0))
        let found = unsafe tandem_route(socket, to, from, &interface, &isLocal) == 0
        let route = found ? Route(interface: UInt32(bitPattern: interface), isLocal: isLocal != 0) : nil
        known[pair] = (route, now + Self.lifetime)
        return route
    }
}
