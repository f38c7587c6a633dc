import Bus
import Bytes
import Cache
import Contracts
import Deadlines
import ServiceKit
import Threads

extension Wiring {
    private static let acquaintance = Interval.seconds(2)

    /// A conference meets in one room, on the instance that claimed it first.
    func joinConference(_ command: JoinConference, _ delivery: Delivery) async throws -> JoinConference.Reply {
        if let id = command.confbridgeID { return try await joinConfbridge(id, command) }
        let conference = try await conference(command.customerID, command.conferenceID)
        let roomID = Self.room(of: conference.id)
        let rules = meetingRules(of: conference)
        if let other = try await host(roomID, former: command.participant.resumes, rules) { return .elsewhere(instance: other) }
        let identity = RoomIdentity(
            id: roomID, customerID: conference.customerID, conferenceID: conference.id, limit: conference.maxParticipants)
        let inside = try await seat(command.participant, in: identity, rules)
        return .joined(roomID: roomID, instance: runtime.instance, inside: inside)
    }

    func meetingRules(of conference: Conference) -> MeetingRules {
        var rules = meetings
        rules.policy = conference.policy
        rules.pins = Entrance.PINs(member: conference.pin, moderator: conference.moderatorPIN)
        return rules
    }

    /// The room of a conference: known from its id alone.
    static func room(of conference: String) -> String { "room_" + conference.drop { $0 != "_" }.dropFirst() }

    /// Nil when this instance hosts the room from now on, else who does.
    func host(_ room: String, former: String?, _ rules: MeetingRules?) async throws -> String? {
        let fleet = runtime.fleet
        if pool == "calls" {
            // Not here, if anybody of the other pool is alive: whoever has the room, or one of them.
            if let owner = try? await snapshots.host(of: room), fleet.isAlive(.conferenceServer, instance: owner) {
                return owner == runtime.instance ? nil : owner
            }
            let other = fleet.place(.conferenceServer, pool: "conferences", spread: StableHash.hash(room.utf8))
            if let other, other.instance != runtime.instance { return other.instance }
        }
        do {
            // Who has only just started has not heard everybody yet, and takes nobody for dead.
            let isNew = MonotonicClock.now() - startedAt < Self.acquaintance
            return try await snapshots.claim(room, successor: successor(for: room, besides: former), resumes: former != nil, rules: rules) { owner in
                owner != former && (isNew || fleet.isAlive(.conferenceServer, instance: owner))
            }
        } catch {
            let pick = successor(for: room, besides: former)
            return pick == runtime.instance ? nil : pick
        }
    }

    /// Who takes the room when its host is dead or cannot be known: everybody comes to the same choice from who is alive, so
    /// two that are asked at once do not both take it.
    private func successor(for room: String, besides former: String?) -> String? {
        let living = runtime.fleet.living(.conferenceServer).filter {
            $0.pool != "calls" && !$0.draining && ($0.instance != former || $0.instance == runtime.instance)
        }
        let names = living.map { StableHash.hash($0.instance.utf8) }
        return Rendezvous.pick(key: StableHash.hash(room.utf8), among: names).map { living[$0].instance }
    }

    func conference(_ customer: String, _ id: String) async throws -> Conference {
        guard let found = try await store.find(customer: customer, id: id) else {
            throw RPCError(.notFound, "no such conference")
        }
        return found
    }
}
