import Contracts
import Flow

/// `/v1/flows`: stored flows. The FlowManager owns them.
enum Flows {
    private static let name = Schema.text(.line(1...120))
    private static let next = Schema.nullable(.text(.identifier))

    static let routes: [Route] = [
        Route(
            .get, "/v1/flows", "listFlows", "List flows", access: .customer(.read("flows")),
            query: Route.paging + [.init("name", name)], answer: .page(of: ResourceSchema.flow.reference)
        ) { gateway, request in
            let command = ListFlows(customerID: request.customer, page: request.page, name: request.query["name"])
            return try .page(try await gateway.ask(command, for: request), .flow)
        },
        Route(
            .post, "/v1/flows", "createFlow", "Create a flow", access: .customer(.write("flows")),
            body: [
                .required("name", name), .required("actions", .actions),
                .optional("on_complete_flow_id", next, "The flow that runs when this one has ended."),
            ] + ResourceSchema.flow.shown,
            answer: .created(ResourceSchema.flow.reference)
        ) { gateway, request in
            try await gateway.requireFlow("on_complete_flow_id", of: request)
            let created = try await gateway.ask(
                CreateFlow(
                    customerID: request.customer, name: request.fields.text("name"), actions: request.fields["actions"] ?? [],
                    onCompleteFlowID: request.fields.optionalText("on_complete_flow_id")),
                for: request)
            return try .created(created, .flow, at: "/v1/flows/\(created.id)")
        },
        Route(
            .get, "/v1/flows/signing_secret", "getFlowSigningSecret", "Read the secret that requests of flows are signed with",
            access: .customer(.write("flows")), answer: .resource(.object([.required("secret", .text(.line(1...200)))]))
        ) { gateway, request in
            let secret = try await gateway.ask(GetSigningSecret(customerID: request.customer), for: request)
            let body: JSONValue = ["secret": .string(secret.secret)]
            return APIResponse(status: 200, body: body.json)
        },
        Route(
            .get, "/v1/flows/{id}", "getFlow", "Read a flow", access: .customer(.read("flows")),
            answer: .resource(ResourceSchema.flow.reference)
        ) { gateway, request in
            try .resource(try await gateway.ask(GetFlow(customerID: request.customer, id: request.id), for: request), .flow)
        },
        Route(
            .patch, "/v1/flows/{id}", "updateFlow", "Change a flow; runs that have begun keep the old one",
            access: .customer(.write("flows")),
            body: [.optional("name", name), .optional("actions", .actions), .optional("on_complete_flow_id", next, "Null removes it.")]
                + ResourceSchema.flow.shown,
            answer: .resource(ResourceSchema.flow.reference)
        ) { gateway, request in
            try await gateway.requireFlow("on_complete_flow_id", of: request)
            let command = UpdateFlow(
                customerID: request.customer, id: request.id, name: request.fields.optionalText("name"),
                actions: request.fields["actions"], onCompleteFlowID: request.fields.change("on_complete_flow_id"))
            return try .resource(try await gateway.ask(command, for: request), .flow)
        },
        Route(
            .delete, "/v1/flows/{id}", "deleteFlow", "Delete a flow", access: .customer(.write("flows")), answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(DeleteFlow(customerID: request.customer, id: request.id), for: request)
            return .noContent
        },
    ]
}
