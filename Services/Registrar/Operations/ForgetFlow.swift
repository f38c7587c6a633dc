import Contracts

extension Extensions {
    /// Removes the binding of a flow that is dead (RFC 5626 §11.1), so that the next call does not try it.
    func forget(_ command: ForgetFlow) async throws -> Done {
        guard let meant = try await meaning(of: command.number, customer: command.customerID) else { throw Self.missing }
        let registration = try await store.changeBindings(customer: command.customerID, number: meant.number) { set in
            set.removeFlow(contact: command.flow.contact, path: command.flow.path)
        }
        guard let registration else { throw Self.missing }
        await copy.save(registration, customer: command.customerID, number: meant.number)
        if registration.hasNews { outbox.wake() }
        return Done()
    }
}
