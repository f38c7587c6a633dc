import Contracts

extension Extensions {
    /// Gives the domain to the customer; doing it again changes nothing.
    func put(_ command: PutDomain) async throws -> Done {
        guard let domain = ExtensionDraft.domain(command.domain) else {
            throw RPCError(
                .invalid, "the domain is no host name",
                problems: [Problem(pointer: "/domain", code: "invalid", detail: "letters, digits, dots and hyphens")])
        }
        guard try await store.putDomain(domain, customer: command.customerID) else {
            throw RPCError(.conflict, "the domain belongs to another customer, or this one has extensions in another domain")
        }
        domainChanged(domain)
        return Done()
    }
}
