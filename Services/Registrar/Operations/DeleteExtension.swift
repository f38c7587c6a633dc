import Contracts

extension Extensions {
    /// Deletes the extension with its bindings.
    func delete(_ command: DeleteExtension) async throws -> Done {
        guard let deleted = try await store.delete(command.id, customer: command.customerID) else { throw Self.missing }
        outbox.wake()
        await forget(deleted.number, customer: deleted.customerID, domain: deleted.domain)
        return Done()
    }
}
