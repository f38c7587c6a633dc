import Contracts
import Deadlines
import Flow

/// `/v1/calls`: conversations, made and watched. The CallServer owns them.
enum Calls {
    static let mostAtOnce = 10

    static let routes: [Route] = [
        Route(
            .get, "/v1/calls", "listCalls", "List calls, newest first", access: .customer(.read("calls")),
            query: Route.paging + [
                .init("status", .text(.choice(CallStatus.names))), .init("direction", .text(.choice(["inbound", "outbound"]))),
                .init("from", .text(.destination)), .init("to", .text(.destination)),
            ],
            answer: .page(of: ResourceSchema.call.reference)
        ) { gateway, request in
            let command = ListCalls(
                customerID: request.customer, page: request.page, status: request.query["status"].flatMap(Call.Status.init),
                direction: request.query["direction"].flatMap(Call.Direction.init), from: request.query["from"],
                to: request.query["to"])
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
            answer: .created(ResourceSchema.newCalls.reference), perform: create),
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

    private static func create(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let flowID = request.fields.optionalText("flow_id")
        let actions = try request.fields["actions"].map { try ActionList.read($0).get() }
        guard (flowID == nil) != (actions == nil) else {
            throw ProblemDocument.invalid(
                actions == nil ? "/flow_id" : "/actions", actions == nil ? "required" : "excludes",
                "give either flow_id or actions")
        }
        try await gateway.requireFlow("flow_id", of: request)
        let destinations = request.fields.texts("to") ?? [request.fields.text("to")]
        var calls: [Call] = []
        for (index, destination) in destinations.enumerated() {
            let command = CreateCall(
                customerID: request.customer, callID: request.seed.identifier("call", index), from: request.fields.text("from"),
                to: destination, flowID: flowID, actions: actions)
            calls.append(try await gateway.ask(command, for: request, part: index, within: .seconds(5)))
        }
        // The first is the answer; the others stand beside it.
        let shown = try calls.map { ResourceSchema.call.completed(try JSONValue(resource: $0)) }
        guard let first = calls.first, var answer = shown.first?.object else {
            preconditionFailure("the schema asks for at least one destination")
        }
        answer["calls"] = .array(shown)
        return APIResponse(status: 201, body: JSONValue.object(answer).json, location: "/v1/calls/\(first.id)")
    }
}
