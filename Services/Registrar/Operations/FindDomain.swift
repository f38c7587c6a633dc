import Contracts

extension Extensions {
    /// Whether the domain is any customer's.
    func find(_ command: FindDomain) async throws -> Done {
        guard let domain = ExtensionDraft.domain(command.domain), try await store.hasDomain(domain) else { throw Self.noDomain }
        return Done()
    }

    private static let noDomain = RPCError(.notFound, "nobody has that domain")

    /// Tells the edges that what they remember of domains may be wrong.
    func domainChanged(_ domain: String) {
        runtime.bus.signal(
            Event(
                id: runtime.newID("evt"), type: "domain.changed", timestamp: runtime.timestamp(), customerID: "", resourceID: domain,
                sequence: 0, data: ["domain": .string(domain)]))
    }
}
