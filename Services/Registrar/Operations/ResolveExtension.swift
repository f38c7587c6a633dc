import Contracts

extension Extensions {
    /// Which extension a dialled number is; while PostgreSQL is away, what it was last.
    func resolve(_ command: ResolveExtension) async throws -> ResolveExtension.Reply {
        guard let meant = try await meaning(of: command.number, customer: command.customerID) else { throw Self.missing }
        var found = try await current(meant.number, customer: command.customerID)
        // A GRUU means a phone: what answers in its place would not be it (RFC 5627 §3.1).
        if case .whole = meant {} else { (found.flowID, found.forwarding) = (nil, nil) }
        var reply = ResolveExtension.Reply(found)
        if command.listsBindings == true, found.flowID == nil {
            // Who cannot be told of now is asked for once more.
            reply.bindings = try? await bindings(of: meant, customer: command.customerID).bindings
        }
        return reply
    }

    private func current(_ number: String, customer: String) async throws -> Extension {
        let name = LastGood.number(number, customer)
        do {
            guard let found = try await store.find(number: number, customer: customer) else { throw Self.missing }
            lastGood.keep(found, as: name)
            return found
        } catch let error as RPCError where error.code == .unavailable {
            guard let found = await lastGood.find(Extension.self, name) else { throw error }
            return found
        }
    }

    /// Reads what was dialled. Nil for a temporary GRUU that we did not give out, or of another customer: outsiders cannot tell
    /// those from a number that does not exist.
    func meaning(of dialled: String, customer: String) async throws -> DialledExtension? {
        let dialled = DialledNumber(dialled)
        guard dialled.isGRUU else { return .whole(number: dialled.user) }
        if let gr = dialled.gr { return .instance(number: dialled.user, gr: gr) }
        guard let opened = temporaryGRUU.open(dialled.user),
            let owner = try await store.find(opened.extensionID, customer: customer)
        else { return nil }
        return .temporary(number: owner.number, opened)
    }
}
