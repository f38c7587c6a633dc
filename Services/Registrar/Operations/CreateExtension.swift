import Bus
import Contracts

extension Extensions {
    /// Stores an extension after naming every mistake in it. The same delivery again gives the extension it made first.
    func create(_ command: CreateExtension, _ delivery: Delivery) async throws -> Extension {
        _ = try ExtensionDraft(
            number: command.number, password: command.password, name: command.name, flowID: command.flowID, forwarding: command.forwarding)
        guard let domain = try await store.domain(of: command.customerID) else {
            throw RPCError(.conflict, "the customer has no domain")
        }
        let (id, time) = (runtime.newID("ext"), runtime.timestamp())
        var new = Extension(
            id: id, customerID: command.customerID, number: command.number, name: command.name,
            flowID: command.flowID.flatMap { $0.isEmpty ? nil : $0 }, domain: domain, registered: false, createdAt: time,
            updatedAt: time)
        new.doNotDisturb = command.doNotDisturb == true
        new.forwarding = command.forwarding.map { $0.applied(to: nil) }.flatMap { $0.isEmpty ? nil : $0 }
        let credentials = try seal(command.password, number: command.number, domain: domain, id: id)
        let created = try await store.create(
            new, credentials: credentials, idempotencyKey: delivery.idempotencyKey ?? delivery.messageID)
        outbox.wake()
        return created
    }
}
