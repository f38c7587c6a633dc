import Contracts
import Flow

/// `/v1/calls/{id}/actions/transfer`: blind, by the flow action `transfer` in place of what the call's flow does; or attended.
enum CallTransfer {
    private static let destinations = Schema.either(.text(.destination), .list(of: .text(.destination), count: 1...Calls.mostAtOnce))

    static let body: [Schema.Field] = [
        .optional("to", destinations, "Numbers that ring together: whom the call talks with is let go."),
        .optional("flow_id", .text(.identifier), "Another flow, likewise."),
        .optional(
            "call_id", .text(.identifier), "Another call of the same phone: whom the two calls talk with talk with each other, and both end."),
        .optional("method", .text(.choice(Transfer.Method.allCases.map(\.rawValue))), "Of `to`: `refer` tells the call's own phone to call there; `dial`."),
        .optional("from", .text(.destination), "Of `to`: who calls; the caller of this call if not given."),
        .optional("timeout", .integer(1000...600_000), "Of `to`: milliseconds that it rings; 30000."),
    ]

    static func change(_ gateway: Gateway, _ request: APIRequest) async throws -> ControlCall.Change {
        let fields = request.fields
        let given = ["to", "flow_id", "call_id"].filter { fields[$0] != nil }
        guard given.count == 1 else {
            throw ProblemDocument.invalid(
                "/" + (given.last ?? "to"), given.isEmpty ? "required" : "excludes", "give one of to, flow_id and call_id")
        }
        if given != ["to"], let stray = ["method", "from", "timeout"].first(where: { fields[$0] != nil }) {
            throw ProblemDocument.invalid("/" + stray, "excludes", "belongs to `to`")
        }
        if let other = fields.optionalText("call_id") { return .joinPartners(with: other) }
        try await gateway.requireFlow("flow_id", of: request)
        return .redirect(flowID: nil, actions: [Action(id: "transfer", .transfer(try option(fields)))])
    }

    static func option(_ fields: Fields) throws(ProblemDocument) -> Transfer {
        var transfer = Transfer()
        transfer.flowID = fields.optionalText("flow_id")
        let targets = fields.texts("to") ?? fields.optionalText("to").map { [$0] } ?? []
        transfer.destinations = targets.map(address)
        transfer.source = fields.optionalText("from").map(address)
        transfer.timeout = fields.integer("timeout") ?? transfer.timeout
        transfer.method = fields.optionalText("method").flatMap(Transfer.Method.init) ?? transfer.method
        guard transfer.method == .refer else { return transfer }
        // As for the flow action.
        guard targets.count == 1 else { throw .invalid("/to", "out_of_range", "a phone is referred to one destination") }
        guard transfer.source == nil else { throw .invalid("/from", "excludes", "a phone that is referred calls as itself") }
        return transfer
    }

    private static func address(_ target: String) -> Address { Address(kind: target.hasPrefix("sip") ? .sip : .extension, target: target) }
}
