import Addresses

/// The loops that can write to a connection we do not hold, by their inside addresses. One that is not known is not asked: a
/// server learns at once that the flow is dead instead of waiting for nobody.
struct Neighbours: Sendable, Equatable {
    /// Of this process.
    var siblings: Set<SocketAddress> = []
    /// Of the edges that are alive, as the fleet tells; nil: nobody tells, and who has signed a token may be asked.
    var living: Set<SocketAddress>?

    func include(_ loop: SocketAddress) -> Bool { siblings.contains(loop) || living?.contains(loop) ?? true }
}
