import Bus
import Contracts
import Deadlines

/// `call.chain`: by the instance that owns the call that is told; any other passes it on.
struct ChainOperation: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: ChainCall) async throws -> Done {
        if try await engine.chain(command) {
            try await engine.stored(command.id)
            return Done()
        }
        return try await owners.passOn(command, marking: \.isPassedOn, on: command.id, customer: command.customerID)
    }
}

extension CallEngine {
    /// False when the call is not here, or is another customer's.
    func chain(_ command: ChainCall) throws -> Bool {
        guard let leg = legs[command.id]?.leg, leg.record.customerID == command.customerID else { return false }
        switch command.change {
        case .attached:
            guard !leg.isEnded else { throw RPCError(.conflict, "the call is over") }
            handle(command.id, .attached(command.peer))
        case .ended:
            guard leg.chainedTo == command.peer else { break }
            handle(command.id, .masterEnded)
        }
        return true
    }

    /// The other call is told until it knows, or nobody knows it any more. One that cannot hang on its master ends at once.
    func tell(_ leg: Leg, chained peer: String, _ change: ChainCall.Change, attempt: Int = 1) {
        let command = ChainCall(customerID: leg.record.customerID, id: peer, peer: leg.record.id, change: change)
        bus.call(command, context: CallContext(customer: leg.record.customerID)) { [loop] result in
            guard case .failure(let error) = result else { return }
            loop.post {
                self.assumeIsolated { engine in
                    // A call that was only just made may not be known to everybody yet.
                    if [.unavailable, .timeout, .notFound].contains(error.code), attempt < Self.chainAttempts {
                        // While the broker is away nobody can be asked: that is no attempt.
                        let next = engine.bus.isReady ? attempt + 1 : attempt
                        _ = loop.schedule(at: loop.now + .milliseconds(100 << attempt)) {
                            self.assumeIsolated { $0.tell(leg, chained: peer, change, attempt: next) }
                        }
                    } else if change == .attached {
                        engine.handle(leg.record.id, .masterEnded)
                    }
                }
            }
        }
    }

    private static let chainAttempts = 7
}
