import Contracts

extension Extensions {
    /// Changes what is given. A new password is sealed for the number and domain the extension has, or has from now on.
    func update(_ command: UpdateExtension) async throws -> Extension {
        _ = try ExtensionDraft(
            number: command.number, password: command.password, name: command.name, flowID: command.flowID, forwarding: command.forwarding)
        guard let current = try await store.find(command.id, customer: command.customerID) else { throw Self.missing }
        let number = command.number ?? current.number
        guard number == current.number || command.password != nil else { throw Self.passwordWanted }
        let sealed = try command.password.map { password in
            Store.SealedPassword(
                credentials: try seal(password, number: number, domain: current.domain, id: current.id), number: number,
                former: current.number)
        }
        guard let updated = try await store.update(command, sealed, at: runtime.timestamp()) else { throw Self.missing }
        outbox.wake()
        // Whether its phones may be rung is read with where they are.
        if command.doNotDisturb != nil, let registration = try await store.registration(customer: updated.customerID, number: updated.number) {
            await copy.save(registration, customer: updated.customerID, number: updated.number)
        }
        lastGood.forget(LastGood.number(updated.number, updated.customerID))
        lastGood.forget(LastGood.account(updated.number, updated.domain))
        if number != current.number {
            await forget(current.number, customer: current.customerID, domain: current.domain)
            // The edges hear of the extension by its new number, and remember the account that the old one was.
            domainChanged(current.domain)
        }
        return updated
    }

    private static let passwordWanted = RPCError(
        .invalid, "a new number wants a password",
        problems: [
            Problem(
                pointer: "/password", code: "required",
                detail: "is required with another number: what is kept of the one there is holds for the old number alone")
        ])
}
