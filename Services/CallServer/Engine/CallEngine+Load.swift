import Deadlines
import ServiceKit
import Threads

/// How much there is to do, as others are told.
extension CallEngine {
    var liveIDs: Set<String> { Set(legs.keys) }

    func announceLoad() async {
        while !Task.isCancelled {
            let load = Double(legs.count) / Double(settings.maximumLegs)
            runtime.announce { $0.load = load }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Waits until no call is left, so long at most.
    func drained(within limit: Interval) async {
        let end = MonotonicClock.now() + limit
        while !legs.isEmpty || !errands.isEmpty, MonotonicClock.now() < end, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(50)) }
    }
}
