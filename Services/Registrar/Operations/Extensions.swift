import Bus
import Contracts
import Cryptography
import ServiceKit

/// The operations on domains and extensions, asked for by the API, the edge and the call server. One file each says what it
/// does.
struct Extensions: Sendable {
    let store: Store
    let copy: BindingCopy
    let lastGood: LastGood
    let sealing: SealedCredentials
    let temporaryGRUU: TemporaryGRUU
    let outbox: ServiceKit.Outbox
    let runtime: Runtime

    func serve(on bus: Bus) {
        bus.serve(PutDomain.self) { command, _ in try await put(command) }
        bus.serve(FindDomain.self) { command, _ in try await find(command) }
        bus.serve(RemoveDomain.self) { command, _ in try await remove(command) }
        bus.serve(CreateExtension.self) { try await create($0, $1) }
        bus.serve(GetExtension.self) { command, _ in try await get(command) }
        bus.serve(ListExtensions.self) { command, _ in try await list(command) }
        bus.serve(UpdateExtension.self) { command, _ in try await update(command) }
        bus.serve(DeleteExtension.self) { command, _ in try await delete(command) }
        bus.serve(FindCredentials.self) { command, _ in try await find(command) }
        bus.serve(ResolveExtension.self) { command, _ in try await resolve(command) }
        bus.serve(ListBindings.self) { command, _ in try await bindings(command) }
        bus.serve(ForgetFlow.self) { command, _ in try await forget(command) }
    }

    static let missing = RPCError(.notFound, "there is no such extension")

    func seal(_ password: String, number: String, domain: String, id: String) throws -> [UInt8] {
        let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0 ... .max) }
        return try sealing.seal(number: number, domain: domain, password: password, extensionID: id, nonce: nonce)
    }

    /// Whatever was copied of an extension is no longer true.
    func forget(_ number: String, customer: String, domain: String?) async {
        lastGood.forget(LastGood.number(number, customer))
        if let domain { lastGood.forget(LastGood.account(number, domain)) }
        await copy.forget(customer: customer, number: number)
    }
}
