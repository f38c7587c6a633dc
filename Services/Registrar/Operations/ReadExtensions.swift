import Contracts

extension Extensions {
    func get(_ command: GetExtension) async throws -> Extension {
        guard let found = try await store.find(command.id, customer: command.customerID) else { throw Self.missing }
        return found
    }

    func list(_ command: ListExtensions) async throws -> Page<Extension> {
        let limit = command.page.limit
        if let cursor = command.page.cursor, !Identifier.isPlausible(cursor, prefix: "ext") {
            throw RPCError(
                .invalid, "no such cursor", problems: [Problem(pointer: "/cursor", detail: "give next_cursor of the page before")])
        }
        let found = try await store.list(
            customer: command.customerID, after: command.page.cursor, limit: limit, number: command.number, name: command.name)
        // One more than asked for is only the proof that there are more.
        return Page(data: Array(found.prefix(limit)), nextCursor: found.count > limit ? found[limit - 1].id : nil)
    }
}
