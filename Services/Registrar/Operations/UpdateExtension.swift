import Contracts

extension Extensions {
    /// Changes what is given. A new password is sealed for the number and domain the extension has.
    func update(_ command: UpdateExtension) async throws -> Extension {
        _ = try ExtensionDraft(password: command.password, name: command.name, flowID: command.flowID, forwarding: command.forwarding)
        var credentials: [UInt8]?
        if let password = command.password {
            guard let current = try await store.find(command.id, customer: command.customerID) else { throw Self.missing }
            credentials = try seal(password, number: current.number, domain: current.domain, id: current.id)
        }
        guard let updated = try await store.update(command, credentials: credentials, at: runtime.timestamp()) else { throw Self.missing }
        outbox.wake()
        // Whether its phones may be rung is read with where they are.
        if command.doNotDisturb != nil, let registration = try await store.registration(customer: updated.customerID, number: updated.number) {
            await copy.save(registration, customer: updated.customerID, number: updated.number)
        }
        lastGood.forget(LastGood.number(updated.number, updated.customerID))
        lastGood.forget(LastGood.account(updated.number, updated.domain))
        return updated
    }
}
