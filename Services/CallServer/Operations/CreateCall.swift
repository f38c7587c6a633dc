import Contracts
import Flow
import SIP
import Synchronization

/// `call.create`: rings a number and runs a flow when it answers. Answered once the call's record can be read.
extension CallEngine {
    func create(_ command: CreateCall, respond: @escaping @Sendable (Result<Call, RPCError>) -> Void) {
        if let existing = legs[command.callID]?.leg.record {
            respond(existing.customerID == command.customerID ? .success(existing) : .failure(RPCError(.conflict, "the id is taken")))
            return
        }
        guard let (number, domain) = Self.target(command.to) else {
            respond(.failure(RPCError(.invalid, "no callee", problems: [
                Problem(pointer: "/to/0", detail: "give a number or sip:NUMBER@DOMAIN")
            ])))
            return
        }
        guard legs.count < settings.maximumLegs else {
            Counters.refused.add()
            respond(.failure(RPCError(.exhausted, "this call server has as many calls as it may")))
            return
        }
        guard let placement = place() else {
            Counters.refused.add()
            respond(.failure(RPCError(.unavailable, "no media relay or conference server is alive")))
            return
        }
        let record = Call(
            id: command.callID, customerID: command.customerID, direction: .outbound, status: .queued, from: command.from, to: number,
            createdAt: moment().time)
        let leg = Leg(
            outbound: record, dial: Leg.Dial(number: number, callerName: ""),
            program: Leg.Program(flowID: command.flowID, actions: command.actions), epoch: 1, placement: placement,
            seat: ownSeat(of: command.callID, placement), sip: SIPState(domain: domain ?? settings.domain), limits: settings.limits)
        whenWritten[command.callID] = { respond(.success(record)) }
        start(leg)
    }

    /// The number and, when given, the domain of `1002` or `sip:1002@demo.localhost`.
    private static func target(_ text: String) -> (String, String?)? {
        guard text.hasPrefix("sip:") || text.hasPrefix("sips:") else {
            return text.isEmpty || text.contains("@") ? nil : (text, nil)
        }
        guard let uri = URI(text), let user = uri.user, !user.isEmpty else { return nil }
        return (user, uri.host)
    }
}
