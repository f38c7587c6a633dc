import Contracts
import SIP

extension Extensions {
    /// Where an extension, or the phone of a GRUU, can be reached now.
    func bindings(_ command: ListBindings) async throws -> ListBindings.Reply {
        guard let meant = try await meaning(of: command.number, customer: command.customerID) else { throw Self.missing }
        return try await bindings(of: meant, customer: command.customerID)
    }

    func bindings(of meant: DialledExtension, customer: String) async throws -> ListBindings.Reply {
        let now = runtime.timestamp().milliseconds
        let current = try await current(customer: customer, number: meant.number)
        return ListBindings.Reply(
            bindings: meant.targets(of: current.set, now: now).compactMap { Self.reply($0, current.roundTrips) },
            doNotDisturb: current.doNotDisturb ? true : nil)
    }

    /// From the copy in Redis, or from PostgreSQL, which makes the copy again.
    private func current(customer: String, number: String) async throws -> BindingCopy.Loaded {
        if let loaded = await copy.load(customer: customer, number: number) { return loaded }
        guard let registration = try await store.registration(customer: customer, number: number) else { throw Self.missing }
        await copy.save(registration, customer: customer, number: number)
        return BindingCopy.Loaded(set: registration.set, doNotDisturb: registration.doNotDisturb)
    }

    private static func reply(_ target: BindingSet.Target, _ roundTrips: [String: Int]) -> ReachableBinding? {
        guard let first = target.flows.first else { return nil }
        let others = target.flows.dropFirst().map { ReachableBinding.Flow(contact: $0.contact, path: $0.path) }
        return ReachableBinding(
            contact: first.contact, path: first.path, q: first.q.value, expiresAt: Timestamp(milliseconds: first.expiresAt),
            instanceID: first.instanceID, otherFlows: others.isEmpty ? nil : others,
            push: URI(first.contact).flatMap { try? PushParameters.read($0) }, isUnreachable: first.isUnreachable ? true : nil,
            roundTripMicroseconds: roundTrips[first.key])
    }
}
