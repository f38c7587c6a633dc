import Contracts
import Flow

/// Attended transfers and questions of the API.
extension CallEngine {
    func consult(_ command: ControlCall, _ target: String) throws -> Call {
        let leg = try leg(of: command)
        let address = Address(kind: target.hasPrefix("sip") ? .sip : .extension, target: target)
        guard let number = Leg.dialledNumber(address, leg.sip.domain) else {
            throw RPCError(.invalid, "nobody", problems: [Problem(pointer: "/to", code: "invalid_value", detail: "is of another domain")])
        }
        let first = leg.record.parentCallID ?? command.id
        if let objection = legs[first]?.leg.objectionToConsulting(command.id) { throw RPCError(.conflict, objection) }
        handle(first, .consultWanted(by: command.id, number: number))
        return try record(of: command)
    }

    func endConsultation(_ command: ControlCall, completes: Bool) throws -> Call {
        let leg = try leg(of: command)
        let first = leg.record.parentCallID ?? command.id
        guard let transfer = legs[first]?.leg.transfer, transfer.by == command.id, let consultation = transfer.consultation else {
            throw RPCError(.conflict, "the call consults nobody")
        }
        guard !completes || consultation == .talking else { throw RPCError(.conflict, "the third has not answered yet") }
        handle(first, .consultationOver(completes: completes))
        return legs[command.id]?.leg.record ?? leg.record
    }

    func joinPartners(_ command: ControlCall, _ other: String) throws -> Call {
        let leg = try leg(of: command)
        guard owns(other, of: command.customerID), let meet = meet(of: command.id, and: other) else {
            throw RPCError(.conflict, "one of the two calls does not talk with another")
        }
        bringTogether(meet)
        return legs[command.id]?.leg.record ?? leg.record
    }

    func gather(_ command: ControlCall, _ id: String, _ action: Action, _ webhook: String?) throws -> Call {
        let leg = try leg(of: command)
        // The same request again.
        if leg.asking?.id == id { return leg.record }
        if let objection = leg.objectionToAsking { throw RPCError(.conflict, objection) }
        handle(command.id, .askWanted(id: id, action, webhook: webhook))
        return legs[command.id]?.leg.record ?? leg.record
    }
}
