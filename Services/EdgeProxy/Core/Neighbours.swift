import Addresses
import Deadlines

/// The loops that can write to a connection we do not hold, by their inside addresses. One that is not known, or not there, is not
/// asked: a server learns at once that the flow is dead instead of waiting for nobody.
struct Neighbours: Sendable {
    /// Of this process.
    var siblings: Set<SocketAddress> = []
    /// Of the edges that are alive, as the fleet tells; nil: nobody tells, and who has signed a token may be asked.
    var living: Set<SocketAddress>?
    /// Those that the network said nobody listens at.
    private var refusals: [SocketAddress: Instant] = [:]

    /// After that the fleet knows too; an edge alone asks again.
    private static let memory = Interval.seconds(2)
    private static let capacity = 1_024

    init(siblings: Set<SocketAddress> = [], living: Set<SocketAddress>? = nil) { (self.siblings, self.living) = (siblings, living) }

    mutating func refused(_ loop: SocketAddress, now: Instant) {
        if refusals.count >= Self.capacity { refusals.removeAll() }
        refusals[loop] = now
    }

    func include(_ loop: SocketAddress, now: Instant) -> Bool {
        if let refusal = refusals[loop], now - refusal < Self.memory { return false }
        return siblings.contains(loop) || living?.contains(loop) ?? true
    }
}
