import Contracts

extension Extensions {
    /// Gives the domain to the customer, and lets its phones in or not; doing it again changes nothing.
    func put(_ command: PutDomain) async throws -> Done {
        guard let domain = ExtensionDraft.domain(command.domain) else {
            throw RPCError(
                .invalid, "the domain is no host name",
                problems: [Problem(pointer: "/domain", code: "invalid", detail: "letters, digits, dots and hyphens")])
        }
        let former = try await store.domain(of: command.customerID)
        guard try await store.putDomain(domain, customer: command.customerID, isSuspended: command.isSuspended) else {
            throw RPCError(.conflict, "the domain belongs to another customer, or this one has extensions in another domain")
        }
        // What the edges remember of its accounts goes with it.
        domainChanged(domain)
        if let former, former != domain { domainChanged(former) }
        return Done()
    }
}
