import Contracts

/// `/v1/calls`: conversations, made and watched. The CallServer owns them.
enum Calls {
    static let mostAtOnce = 10

    static let routes: [Route] = [
        Route(
            .get, "/v1/calls", "listCalls", "List calls, newest first", access: .customer(.read("calls")),
            query: Route.paging + [
                .init("status", .text(.choice(CallStatus.names))), .init("direction", .text(.choice(["inbound", "outbound"]))),
                .init("from", .text(.destination), "a number, or a SIP URI, of which the number is meant"),
                .init("to", .text(.destination), "likewise"), .init("parent_call_id", .text(.identifier)),
                .init("sip_call_id", .text(.line(1...255))), .init("run_id", .text(.identifier)), .init("room_id", .text(.identifier)),
            ],
            answer: .page(of: ResourceSchema.call.reference)
        ) { gateway, request in
            var command = ListCalls(
                customerID: request.customer, page: request.page, status: request.query["status"].flatMap(Call.Status.init),
                direction: request.query["direction"].flatMap(Call.Direction.init), from: request.query["from"],
                to: request.query["to"])
            (command.parentCallID, command.sipCallID) = (request.query["parent_call_id"], request.query["sip_call_id"])
            (command.runID, command.roomID) = (request.query["run_id"], request.query["room_id"])
            return try .page(try await gateway.ask(command, for: request), .call)
        },
        Route(
            .post, "/v1/calls", "createCall", "Call one or several, and run a flow with whom answers",
            access: .customer(.write("calls")),
            body: [
                .required("from", .text(.destination), "Shown to the called."),
                .required(
                    "to", .either(.text(.destination), .list(of: .text(.destination), count: 1...mostAtOnce)),
                    "Each gets a call of its own."),
                .optional("flow_id", .text(.identifier), "Either this"), .optional("actions", .actions, "or these."),
            ],
            answer: .created(ResourceSchema.newCalls.reference), perform: CallCreation.perform),
        Route(
            .get, "/v1/calls/{id}", "getCall", "Read a call", access: .customer(.read("calls")),
            answer: .resource(ResourceSchema.call.reference)
        ) { gateway, request in
            try .resource(try await gateway.ask(GetCall(customerID: request.customer, id: request.id), for: request), .call)
        },
        Route(
            .post, "/v1/calls/{id}/actions/hangup", "hangUpCall", "End a call; 409 when it has ended",
            access: .customer(.write("calls")),
            body: [.optional("cause", .integer(1...127), "Q.850; 16, normal clearing, if not given.")],
            answer: .resource(ResourceSchema.call.reference)
        ) { gateway, request in
            let command = HangUpCall(customerID: request.customer, id: request.id, cause: request.fields.integer("cause"))
            return try .resource(try await gateway.ask(command, for: request), .call)
        },
        Route(
            .post, "/v1/calls/{id}/actions/move", "moveCall",
            "Take a call into another room, without its phone noticing; 409 while it is not talked through",
            access: .customer(.write("calls")),
            body: [
                .optional("room_id", .text(.identifier), "One of these:"), .optional("conference_id", .text(.identifier), "a conference,"),
                .optional("call_id", .text(.identifier), "or the room that another call is in."),
            ],
            answer: .resource(ResourceSchema.call.reference), perform: move),
    ]

    private static func move(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let targets: [MoveCall.Target] = [
            request.fields.optionalText("room_id").map { .room($0) }, request.fields.optionalText("conference_id").map { .conference($0) },
            request.fields.optionalText("call_id").map { .call($0) },
        ].compactMap(\.self)
        guard let target = targets.first, targets.count == 1 else {
            throw ProblemDocument.invalid(
                "", targets.isEmpty ? "required" : "excludes", "give one of room_id, conference_id and call_id")
        }
        let command = MoveCall(customerID: request.customer, id: request.id, target: target)
        return try .resource(try await gateway.ask(command, for: request), .call)
    }
}
