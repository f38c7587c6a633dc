import Synchronization
import Telemetry

/// How many streams are open here; each costs a socket and a task, so there is a limit.
final class StreamCount: Sendable {
    private static let open = Gauge("tandem_api_streams", "Event streams that are open.")

    private let limit: Int
    private let count = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    var hasRoom: Bool { count.load(ordering: .relaxed) < limit }

    var isZero: Bool { count.load(ordering: .relaxed) == 0 }

    /// False when all are taken; the place is given back with `leave`.
    func enter() -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            count.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
        Self.open.add(1)
        return true
    }

    func leave() {
        count.wrappingSubtract(1, ordering: .relaxed)
        Self.open.add(-1)
    }
}
