import Bus
import Bytes
import Contracts
import Flow
import ServiceKit

/// The calls that runs make. Each has an id that follows from the run and its place in it, so that asking for it again, here or after this
/// instance has died, makes no second call.
struct OutgoingCalls: Sendable {
    let bus: Bus

    /// Who is stopping or has just lost what it needs says so: another, asked a moment later, may do it. What a server had begun that died then is
    /// another's after some three seconds.
    private static let pauses: [Duration] = [
        .milliseconds(50), .milliseconds(200), .milliseconds(500), .seconds(1), .milliseconds(1_500), .seconds(2),
    ]

    func make(_ request: CallRequest, customerID: String) async throws -> DepotReply {
        guard let to = Self.number(request.to) else { return .refused("no_reachable_destination") }
        let id = Self.id(of: request)
        var command = CreateCall(
            customerID: customerID, callID: id, from: request.from, to: to, flowID: request.flowID,
            actions: request.flowID == nil ? request.actions : nil)
        command.callerName = request.name.isEmpty ? nil : request.name
        command.chainedTo = request.chainedTo
        command.startsEarly = request.isEarly ? true : nil
        for attempt in 0... {
            do throws(RPCError) {
                _ = try await bus.call(command, context: CallContext(customer: customerID))
                return .called(id: id)
            } catch {
                switch error.code {
                case .invalid: return .refused("no_reachable_destination")
                // `conflict`: the same command is being performed elsewhere; asked again it is found.
                case .unavailable, .timeout, .conflict:
                    guard Self.pauses.indices.contains(attempt) else { return .refused(error.code.rawValue) }
                    try await Task.sleep(for: Self.pauses[attempt])
                default: return .refused(error.code.rawValue)
                }
            }
        }
        return .refused(RPCError.Code.unavailable.rawValue)
    }

    /// The run's time, so that calls sort beside it; the rest tells them apart.
    static func id(of request: CallRequest) -> String {
        let time = request.runID.drop { $0 != "_" }.dropFirst().prefix(10)
        return "call_" + time + StableID.text(request.runID, salt: "call/\(request.number)/\(request.index)", length: 16)
    }

    /// What can be called from here; nil for kinds that no service reaches.
    private static func number(_ address: Address) -> String? {
        switch address.kind {
        case .extension, .line, .tel: return address.target.isEmpty ? nil : address.target
        case .sip: return address.target.hasPrefix("sip:") || address.target.hasPrefix("sips:") ? address.target : "sip:" + address.target
        default: return nil
        }
    }
}
