import Bus
import Contracts
import Flow
import ServiceKit

/// `call.create`: rings a number and runs a flow when it answers. Answered once the call's record can be read; performed once
/// for one id, whichever instances are asked.
struct Create: Sendable {
    let engine: CallEngine
    let store: CallStore
    let journal: Journal
    let runtime: Runtime

    func perform(_ command: CreateCall) async throws -> Call {
        guard !runtime.health.isDraining else { throw RPCError(.unavailable, "this call server is stopping; try again") }
        guard let target = DialledTarget(command.to) else { throw Self.noCallee("give a number or sip:NUMBER@DOMAIN") }
        // Asked for again while it is being made, it is not begun a second time: this instance would be given the call's lease once more, at an epoch above the
        // one that the first goes on with.
        guard await engine.reserve(command.callID) else { throw Self.beingMade }
        do {
            let call = try await make(command, target)
            await engine.unreserve(command.callID)
            return call
        } catch {
            await engine.unreserve(command.callID)
            throw error
        }
    }

    private func make(_ command: CreateCall, _ target: DialledTarget) async throws -> Call {
        if let stored = try await store.find(command.callID, customer: command.customerID) { return stored.call }
        guard await !engine.has(command.callID) else { throw Self.beingMade }
        let domain = try await domain(of: target, command.customerID)
        guard let epoch = try await journal.claim(command.callID) else { throw Self.beingMade }
        return try await engine.create(command, number: target.number, domain: domain, epoch: epoch)
    }

    static let beingMade = RPCError(.unavailable, "the call is being made; ask again")

    /// The customer's domain; a callee in another is nobody that can be reached from here.
    private func domain(of target: DialledTarget, _ customer: String) async throws -> String? {
        do {
            let found = try await runtime.bus.call(
                ResolveExtension(customerID: customer, number: target.number), context: CallContext(customer: customer))
            guard target.domain == nil || target.domain == found.found.domain else { throw Self.noCallee("the domain is not yours") }
            return found.found.domain
        } catch let error as RPCError where error.code == .notFound {
            // A number of nobody: the call is made, and fails with 404.
            return target.domain
        }
    }

    private static func noCallee(_ why: String) -> RPCError {
        RPCError(.invalid, "no callee", problems: [Problem(pointer: "/to", detail: why)])
    }
}

extension CallEngine {
    /// False while somebody else here makes that call.
    func reserve(_ id: String) -> Bool { creating.insert(id).inserted }

    func unreserve(_ id: String) { creating.remove(id) }

    /// Whether a leg of that name lives here.
    func has(_ id: String) -> Bool { legs[id] != nil }

    /// Starts an outbound leg and returns when its record can be read.
    func create(_ command: CreateCall, number: String, domain: String?, epoch: UInt64) async throws -> Call {
        guard legs.count < settings.maximumLegs else {
            Counters.refused.add()
            throw RPCError(.exhausted, "this call server has as many calls as it may")
        }
        guard !congestion.isThere(at: loop.now) else {
            Counters.refused.add()
            throw RPCError(.exhausted, "there is more to do than can be done in time")
        }
        guard let placement = place() else {
            Counters.refused.add()
            throw RPCError(.unavailable, "no media relay or conference server is alive")
        }
        let record = Call(
            id: command.callID, customerID: command.customerID, direction: .outbound, status: .queued,
            from: DialledTarget.number(command.from), to: number, createdAt: moment().time)
        var program = Leg.Program(flowID: command.flowID, actions: command.actions)
        program.isEarly = command.startsEarly == true ? true : nil
        var leg = Leg(
            outbound: record, dial: Leg.Dial(number: number, callerName: command.callerName ?? ""), program: program, epoch: epoch, placement: placement,
            seat: ownSeat(of: command.callID, placement), sip: SIPState(domain: domain ?? settings.domain), limits: settings.limits)
        leg.counted = Leg.Counted(isCall: true, destination: number)
        leg.chainedTo = command.chainedTo
        do { try await admitted(leg) } catch {
            // Nobody has seen the call: its id is free.
            await journal.disclaim(command.callID, epoch)
            throw error
        }
        guard legs[command.callID] == nil else { throw Create.beingMade }
        let isOurs = await withCheckedContinuation { continuation in
            whenWritten[command.callID] = { continuation.resume(returning: $0) }
            start(leg)
        }
        guard isOurs else { throw RPCError(.conflict, "the call's id is taken") }
        return record
    }
}
