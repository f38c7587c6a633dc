public import Addresses
internal import Bytes

/// The edges that are alive, by the inside addresses of their loops, and which of them stands in for one that is not
/// (RELIABILITY §4.3): any edge can read what another signed, so what was meant for a dead one goes through any other.
public struct EdgeTable: Sendable, Equatable {
    public struct Edge: Sendable, Equatable {
        /// Hash of the instance name.
        public let identity: UInt64
        /// One per event loop.
        public let loops: [SocketAddress]
        public let isDraining: Bool

        public init(instance: String, loops: [SocketAddress], isDraining: Bool) {
            (self.loops, self.isDraining) = (loops, isDraining)
            identity = StableHash.hash(instance.utf8)
        }

        /// `inside` as edges announce it: their loops' addresses, separated by blanks.
        public init(instance: String, inside: String, isDraining: Bool) {
            let loops = inside.split(separator: " ").compactMap { SocketAddress(String($0)) }
            self.init(instance: instance, loops: loops, isDraining: isDraining)
        }
    }

    /// The loops of those that can be reached.
    public let living: Set<SocketAddress>
    /// Those to choose from: draining ones only when there is no other.
    private let candidates: [Edge]
    private let identities: [UInt64]

    public init(_ edges: [Edge] = []) {
        let reachable = edges.filter { !$0.loops.isEmpty }
        let working = reachable.filter { !$0.isDraining }
        living = Set(reachable.flatMap(\.loops))
        candidates = working.isEmpty ? reachable : working
        identities = candidates.map(\.identity)
    }

    /// Where the message goes now. Only what is addressed to an edge, and to none that lives, is turned aside; asked at every
    /// sending, so a retransmission already takes the other way.
    public func nextHop(of bytes: [UInt8], to destination: SocketAddress) -> SocketAddress {
        guard !candidates.isEmpty, !living.contains(destination), let message = try? Message.parse(bytes),
            Self.isForEdge(message, destination), let callID = message.callIDHash,
            let chosen = Rendezvous.pick(key: callID, among: identities)
        else { return destination }
        let loops = candidates[chosen].loops
        return loops[Int(callID % UInt64(loops.count))]
    }

    /// A request by the route with a token that leads there; a response by the way back that an edge left in its Via.
    private static func isForEdge(_ message: Message, _ destination: SocketAddress) -> Bool {
        guard message.isRequest else { return message.topmostVia?.parameters[wayBack] != nil }
        guard let route = message.topmostRoute?.uri else { return false }
        return route.user != nil && route.isLooseRouter && route.socketAddress == destination
    }

    /// The Via parameter that edges write.
    private static let wayBack = "tandem"
}
