import Bus
import Contracts

// The resource `conferences` (DESIGN §9): create, read, change, delete, and find by number.
extension Wiring {
    func createConference(_ command: CreateConference, _ delivery: Delivery) async throws -> Conference {
        let now = runtime.timestamp()
        var conference = Conference(
            id: runtime.newID("conf"), customerID: command.customerID, name: command.name, number: command.number.nonEmpty,
            pin: command.pin.nonEmpty, maxParticipants: command.maxParticipants ?? ConferenceRules.defaultParticipants,
            createdAt: now,
            updatedAt: now)
        conference.moderatorPIN = command.moderatorPIN.nonEmpty
        if let policy = command.policy { conference.policy = policy.applied(to: conference.policy) }
        try rules.check(conference)
        try await store.create(conference)
        return conference
    }

    func getConference(_ command: GetConference, _ delivery: Delivery) async throws -> Conference {
        try await conference(command.customerID, command.id)
    }

    func listConferences(_ command: ListConferences, _ delivery: Delivery) async throws -> Page<Conference> {
        try await store.list(customer: command.customerID, page: command.page, number: command.number, name: command.name)
    }

    func resolveConference(_ command: ResolveConference, _ delivery: Delivery) async throws -> Conference {
        guard let found = try await store.find(customer: command.customerID, number: command.number) else {
            throw RPCError(.notFound, "no conference has this number")
        }
        return found
    }

    func updateConference(_ command: UpdateConference, _ delivery: Delivery) async throws -> Conference {
        var conference = try await conference(command.customerID, command.id)
        if let name = command.name { conference.name = name }
        if let number = command.number { conference.number = number.isEmpty ? nil : number }
        if let pin = command.pin { conference.pin = pin.isEmpty ? nil : pin }
        if let pin = command.moderatorPIN { conference.moderatorPIN = pin.isEmpty ? nil : pin }
        if let limit = command.maxParticipants { conference.maxParticipants = limit }
        if let policy = command.policy { conference.policy = policy.applied(to: conference.policy) }
        conference.updatedAt = runtime.timestamp()
        try rules.check(conference)
        guard try await store.update(conference) else { throw RPCError(.notFound, "no such conference") }
        await tellRoom(.refresh, of: conference.id, customer: command.customerID, delivery)
        return conference
    }

    /// Whoever is in it is put out; their calls go on with their flows.
    func deleteConference(_ command: DeleteConference, _ delivery: Delivery) async throws -> Done {
        guard try await store.delete(customer: command.customerID, id: command.id) else {
            throw RPCError(.notFound, "no such conference")
        }
        await tellRoom(.end, of: command.id, customer: command.customerID, delivery)
        return Done()
    }
}

extension String? {
    fileprivate var nonEmpty: String? { self?.isEmpty == true ? nil : self }
}
