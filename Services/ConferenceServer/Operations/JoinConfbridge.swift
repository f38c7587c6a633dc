import Bytes
import Contracts
import Cryptography
import ServiceKit

/// Bare rooms that flows bring calls together in: made by the first that comes, gone with the last that leaves.
extension Wiring {
    func joinConfbridge(_ id: String, _ command: JoinConference) async throws -> JoinConference.Reply {
        let customer = command.customerID
        if id.hasPrefix("room_"), command.participant.resumes == nil {
            // A room that is there, of a call of theirs; a conference's is entered by its rules alone.
            guard let found = try await snapshots.locate(id, customer: customer), found.conferenceID == nil,
                runtime.fleet.isAlive(.conferenceServer, instance: found.instance)
            else { throw RPCError(.notFound, "no such room") }
            guard found.instance == runtime.instance else { return .elsewhere(instance: found.instance) }
            return try await enter(id, command)
        }
        let room = id.hasPrefix("room_") ? id : Self.room(ofConfbridge: id, customer: customer)
        if let other = try await host(room, former: command.participant.resumes, nil) { return .elsewhere(instance: other) }
        return try await enter(room, command)
    }

    private func enter(_ room: String, _ command: JoinConference) async throws -> JoinConference.Reply {
        let inside = try await seat(command.participant, in: RoomIdentity(id: room, customerID: command.customerID))
        return .joined(roomID: room, instance: runtime.instance, inside: inside)
    }

    /// Known from customer and word alone; no word of one customer's leads into another's room.
    static func room(ofConfbridge id: String, customer: String) -> String {
        "room_" + Hexadecimal.encode(DigestAlgorithm.sha256.hash(customer + "\u{0}" + id).prefix(13)).uppercased()
    }
}
