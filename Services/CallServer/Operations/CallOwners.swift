import Bus
import Contracts

/// Who owns a call, for the commands that come to an instance that does not.
struct CallOwners: Sendable {
    let store: CallStore
    let bus: Bus

    /// The other instance that owns a call which goes on.
    func owner(of id: String, customer: String) async throws -> String {
        guard let (call, server) = try await store.find(id, customer: customer) else { throw RPCError(.notFound, "no such call") }
        guard !call.status.isFinal else { throw RPCError(.conflict, "the call is over") }
        guard server != store.instance else { throw Self.replaced }
        return server
    }

    /// A call that goes on, whoever owns it.
    func find(_ id: String, _ customer: String) async throws -> Call {
        guard let (call, _) = try await store.find(id, customer: customer) else { throw RPCError(.notFound, "no such call") }
        guard !call.status.isFinal else { throw RPCError(.conflict, "that call is over") }
        return call
    }

    /// Asks the owner, and no further: one that does not know the call any more says so.
    func passOn<C: Command>(_ command: C, on id: String, customer: String, _ delivery: Delivery) async throws -> C.Reply {
        let server = try await owner(of: id, customer: customer)
        guard delivery.sender.hasPrefix(ServiceName.apiGateway.rawValue) else { throw Self.replaced }
        return try await bus.call(command, to: .instance(server), context: CallContext(customer: customer))
    }

    /// The same for commands of call servers to each other, which say whether they were passed on already.
    func passOn<C: Command>(_ command: C, marking isPassedOn: WritableKeyPath<C, Bool>, on id: String, customer: String) async throws -> C.Reply {
        guard !command[keyPath: isPassedOn] else { throw Self.replaced }
        var passedOn = command
        passedOn[keyPath: isPassedOn] = true
        let server = try await owner(of: id, customer: customer)
        return try await bus.call(passedOn, to: .instance(server), context: CallContext(customer: customer))
    }

    private static var replaced: RPCError { RPCError(.unavailable, "the call's server is being replaced; try again") }
}
