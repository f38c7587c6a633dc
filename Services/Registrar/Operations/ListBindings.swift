import Contracts

extension Extensions {
    /// Where an extension can be reached now: from the copy in Redis, or from PostgreSQL, which makes the copy again.
    func bindings(_ command: ListBindings) async throws -> ListBindings.Reply {
        let (customer, number) = (command.customerID, command.number)
        if let set = await copy.load(customer: customer, number: number) { return reply(set) }
        guard let registration = try await store.registration(customer: customer, number: number) else { throw Self.missing }
        await copy.save(registration, customer: customer, number: number)
        return reply(registration.set)
    }

    private func reply(_ set: BindingSet) -> ListBindings.Reply {
        ListBindings.Reply(
            bindings: set.reachable(now: runtime.timestamp().milliseconds).map { binding in
                ReachableBinding(
                    contact: binding.contact, path: binding.path, q: binding.q,
                    expiresAt: Timestamp(milliseconds: binding.expiresAt), instanceID: binding.instanceID)
            })
    }
}
