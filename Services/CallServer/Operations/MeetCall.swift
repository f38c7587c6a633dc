import Bus
import Contracts
import Deadlines

/// `call.meet`: by the instance that owns the call that is told; any other passes it on.
struct MeetOperation: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: MeetCall) async throws -> CallPlace {
        if let place = try await engine.meet(command) {
            try await engine.stored(command.id)
            return place
        }
        return try await owners.passOn(command, marking: \.isPassedOn, on: command.id, customer: command.customerID)
    }
}

extension CallEngine {
    /// Where the call waits; nil when it is not here, or is another customer's.
    func meet(_ command: MeetCall) throws -> CallPlace? {
        guard let leg = legs[command.id]?.leg, leg.record.customerID == command.customerID else { return nil }
        let place = CallPlace(callID: command.id, roomID: leg.seat.roomID, instance: leg.seat.instance, participantID: leg.seat.participantID)
        if command.change == .coming, let objection = leg.objectionToMeeting(command.peer) { throw RPCError(.conflict, objection) }
        handle(command.id, .peerCame(command.peer, command.change))
        return place
    }

    func askPeer(_ leg: Leg, _ peer: String, step: Int) {
        ask(MeetCall(customerID: leg.record.customerID, id: peer, peer: leg.record.id, change: .coming), for: leg, "meet/\(step)") {
            .peerFound(step: step, $0)
        } failed: { .peerMissed(step: step, $0) }
    }

    /// The other is told until it knows, or nobody knows it any more: one that is not told waits for somebody who is gone.
    func tellPeer(_ leg: Leg, _ peer: String, _ change: MeetCall.Change, attempt: Int = 1) {
        let command = MeetCall(customerID: leg.record.customerID, id: peer, peer: leg.record.id, change: change)
        bus.call(command, context: CallContext(customer: leg.record.customerID)) { [loop] result in
            guard case .failure(let error) = result else { return }
            loop.post {
                self.assumeIsolated { engine in
                    if [.unavailable, .timeout].contains(error.code), attempt < Self.peerAttempts {
                        // While the broker is away nobody can be asked: that is no attempt.
                        let next = engine.bus.isReady ? attempt + 1 : attempt
                        _ = loop.schedule(at: loop.now + .seconds(attempt)) {
                            self.assumeIsolated { $0.tellPeer(leg, peer, change, attempt: next) }
                        }
                    } else if change == .arrived {
                        // Who was to be met is not there.
                        engine.handle(leg.record.id, .peerCame(peer, .left))
                    }
                }
            }
        }
    }

    private static let peerAttempts = 6
}
