import Bus
import Contracts
import Deadlines

/// `call.get`: a call's record; while it is talked through, with what its relay has counted until now.
struct ReadCall: Sendable {
    let engine: CallEngine
    let store: CallStore
    let bus: Bus

    /// A reader waits no longer for what is only nice to have.
    private static let patience = Interval.milliseconds(500)

    func perform(_ command: GetCall, _ delivery: Delivery) async throws -> Call {
        guard let (record, server) = try await store.find(command.id, customer: command.customerID) else {
            throw RPCError(.notFound, "no such call")
        }
        guard record.status == .inProgress else { return record }
        let context = CallContext(customer: command.customerID, deadline: Self.patience)
        guard let place = await engine.mediaPlace(of: command.id, customer: command.customerID) else {
            // Its owner knows more; while there is none, the record is what there is. Whoever was asked by another asks no third.
            guard server != store.instance, delivery.sender.hasPrefix(ServiceName.apiGateway.rawValue) else { return record }
            return (try? await bus.call(command, to: .instance(server), context: context)) ?? record
        }
        let query = QueryMediaSession(sessionID: place.sessionID)
        guard let statistics = try? await bus.call(query, to: .instance(place.relay), context: context) else { return record }
        var counted = record
        counted.media = statistics.after(place.earlier)
        return counted
    }
}

extension CallEngine {
    /// Where a leg's media are counted, and what was counted at the relays before that one.
    struct MediaPlace: Sendable {
        var relay: String
        var sessionID: String
        var earlier: MediaStatistics?
    }

    /// Of a leg that is here and is talked through.
    func mediaPlace(of id: String, customer: String) -> MediaPlace? {
        guard let leg = legs[id]?.leg, leg.record.customerID == customer, leg.phase == .up, leg.media.stage == .ready else { return nil }
        return MediaPlace(relay: leg.placement.relay, sessionID: leg.sessionID, earlier: leg.moves?.earlier)
    }
}
