import Deadlines
import Threads

/// The deadlines that legs declare, as timers of the loop.
extension CallEngine {
    private static let brokerPause = Interval.seconds(1)

    /// Brings the loop's timers in step with the deadlines the leg declares.
    func armTimers(of id: String) {
        guard let entry = legs[id] else { return }
        for (kind, armed) in entry.timers where entry.leg.deadlines[kind] != armed.at {
            loop.cancel(armed.timer)
            legs[id]?.timers[kind] = nil
        }
        for (kind, deadline) in entry.leg.deadlines where entry.timers[kind]?.at != deadline {
            let timer = loop.schedule(at: deadline) {
                self.assumeIsolated { $0.timerFired(id, kind) }
            }
            legs[id]?.timers[kind] = (timer, deadline)
        }
    }

    private func timerFired(_ id: String, _ kind: Leg.TimerKind) {
        legs[id]?.timers[kind] = nil
        // Whoever goes on with the call has this timer too: it is armed again when it is known whose it is.
        guard mayAct() else { return }
        // Of a call that ends while the broker is away the statistics come when it is back, and nobody hears of its end before.
        if kind == .farewell, !bus.isReady, let timer = legs[id]?.leg.deadlines[kind] {
            let later = loop.schedule(at: loop.now + Self.brokerPause) { self.assumeIsolated { $0.timerFired(id, kind) } }
            legs[id]?.timers[kind] = (later, timer)
            return
        }
        handle(id, .due(kind))
    }

    /// After a standstill: what was due meanwhile is due now.
    func armAllTimers() { for id in legs.keys { armTimers(of: id) } }
}
