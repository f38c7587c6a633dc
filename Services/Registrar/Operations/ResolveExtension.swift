import Contracts

extension Extensions {
    /// Which extension a dialled number is; while PostgreSQL is away, what it was last.
    func resolve(_ command: ResolveExtension) async throws -> Extension {
        let name = LastGood.number(command.number, command.customerID)
        do {
            guard let found = try await store.find(number: command.number, customer: command.customerID) else { throw Self.missing }
            lastGood.keep(found, as: name)
            return found
        } catch let error as RPCError where error.code == .unavailable {
            guard let found = await lastGood.find(Extension.self, name) else { throw error }
            return found
        }
    }
}
