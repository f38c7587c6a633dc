import Contracts

extension Extensions {
    /// Changes what is given. A new password is sealed for the number and domain the extension has.
    func update(_ command: UpdateExtension) async throws -> Extension {
        _ = try ExtensionDraft(password: command.password, name: command.name, flowID: command.flowID)
        var credentials: [UInt8]?
        if let password = command.password {
            guard let current = try await store.find(command.id, customer: command.customerID) else { throw Self.missing }
            credentials = try seal(password, number: current.number, domain: current.domain, id: current.id)
        }
        let updated = try await store.update(
            command.id, customer: command.customerID, credentials: credentials, name: command.name, flowID: command.flowID,
            at: runtime.timestamp())
        guard let updated else { throw Self.missing }
        outbox.wake()
        lastGood.forget(LastGood.number(updated.number, updated.customerID))
        lastGood.forget(LastGood.account(updated.number, updated.domain))
        return updated
    }
}
