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

    /// Whether a call that begins here has somebody to go on with it. The edges send none to a server that drains while another lives, but
    /// for the moment until they have heard of it: what comes then is taken over with the rest, and refusing it would be worse. With nobody
    /// else left it would be cut off soon.
    var takesNewCalls: Bool { !runtime.health.isDraining || runtime.fleet.hasOther(.callServer, than: runtime.instance) }

    /// Waits until no call is left, so long at most.
    func drained(within limit: Interval) async {
        let end = MonotonicClock.now() + limit
        while !legs.isEmpty || !errands.isEmpty, MonotonicClock.now() < end, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(50)) }
    }
}
