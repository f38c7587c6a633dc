import Contracts

extension Extensions {
    /// Takes domain, extensions and bindings of the customer away.
    func remove(_ command: RemoveDomain) async throws -> Done {
        let domain = try await store.domain(of: command.customerID)
        let numbers = try await store.removeDomain(of: command.customerID)
        outbox.wake()
        if let domain { domainChanged(domain) }
        for number in numbers { await forget(number, customer: command.customerID, domain: domain) }
        return Done()
    }
}
