import Bus
import Contracts
import Deadlines
import Threads

// Commands to the relay of a leg. Its worker may die, and another goes on with the session at once; what the dead one has not
// answered it is asked again, under the same key: performed twice it equals once.
extension CallEngine {
    private static let repetitionPause = Interval.milliseconds(50)
    private static let brokerPause = Interval.milliseconds(200)
    /// An answer comes within milliseconds, or from somebody else.
    static let relayAttempt = Interval.milliseconds(600)
    /// After that it is no change of workers, whatever else keeps the machine busy.
    static let relayPatience = Interval.milliseconds(2500)

    func askRelay<C: Command>(
        _ command: C, for leg: Leg, _ purpose: String, _ answered: @escaping @Sendable (C.Reply) -> LegEvent?,
        failed: @escaping @Sendable (RPCError) -> LegEvent?
    ) {
        let id = leg.record.id
        let context = CallContext(
            customer: leg.record.customerID, idempotencyKey: "\(id)/\(leg.epoch)/\(purpose)", deadline: Self.relayAttempt)
        let traced = trace(command, for: leg, at: leg.placement.relay)
        let begin = loop.now
        askRelay(command, at: leg.placement.relay, context, until: loop.now + Self.relayPatience) { [loop] result in
            traced?.ended(result)
            let event = Self.event(result, answered, failed)
            loop.post {
                self.assumeIsolated { engine in
                    engine.note(result, of: begin)
                    if let event { engine.handle(id, event) }
                }
            }
        }
    }

    /// `waitingForBroker`: time in which nobody can be asked does not count.
    func askRelay<C: Command>(
        _ command: C, at relay: String, _ context: CallContext, until end: Instant, waitingForBroker: Bool = false,
        _ completion: @escaping @Sendable (Result<C.Reply, RPCError>) -> Void
    ) {
        bus.call(command, to: .instance(relay), context: context) { [loop, bus] result in
            let isAway = waitingForBroker && !bus.isReady
            guard case .failure(let error) = result, error.code == .unavailable || error.code == .timeout, isAway || MonotonicClock.now() < end else {
                return completion(result)
            }
            loop.post {
                self.assumeIsolated { engine in
                    let pause = isAway ? Self.brokerPause : Self.repetitionPause
                    _ = engine.loop.schedule(at: engine.loop.now + pause) {
                        self.assumeIsolated {
                            $0.askRelay(command, at: relay, context, until: isAway ? end + pause : end, waitingForBroker: waitingForBroker, completion)
                        }
                    }
                }
            }
        }
    }
}
