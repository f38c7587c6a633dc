import Bus
import Contracts
import Deadlines

/// Keys that a phone tells of by INFO. It has been told that we have them: the relay is given one after the other, each until it has it.
extension CallEngine {
    private static let pressPause = Interval.milliseconds(100)
    /// By then it is no change of workers; time in which the broker is away does not count.
    private static let pressAttempts = 100
    /// A phone that presses more while none gets through is none that anybody dials at.
    private static let mostPresses = 100

    func press(_ command: PressInMediaSession, for id: String) {
        guard let entry = legs[id], entry.presses.count < Self.mostPresses else { return Counters.lostKeys.add() }
        entry.presses.append(command)
        if entry.presses.count == 1 { pressNext(for: id) }
    }

    private func pressNext(for id: String, attempt: Int = 1) {
        guard let entry = legs[id], let command = entry.presses.first else { return }
        let context = CallContext(
            customer: entry.leg.record.customerID, idempotencyKey: "\(id)/press/\(command.pressID)", deadline: Self.relayAttempt)
        bus.call(command, to: .instance(entry.leg.placement.relay), context: context) { [loop, bus] result in
            loop.post {
                self.assumeIsolated { engine in
                    guard case .failure(let error) = result else { return engine.pressed(id) }
                    guard error.code == .unavailable || error.code == .timeout, attempt < Self.pressAttempts else {
                        Counters.lostKeys.add()
                        return engine.pressed(id)
                    }
                    let next = bus.isReady ? attempt + 1 : attempt
                    _ = loop.schedule(at: loop.now + Self.pressPause) { self.assumeIsolated { $0.pressNext(for: id, attempt: next) } }
                }
            }
        }
    }

    private func pressed(_ id: String) {
        guard let entry = legs[id], !entry.presses.isEmpty else { return }
        entry.presses.removeFirst()
        pressNext(for: id)
    }
}
