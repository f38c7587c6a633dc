import Contracts

/// `/v1/runs`: flows at work. The FlowManager owns them.
enum Runs {
    static let routes: [Route] = [
        Route(
            .get, "/v1/runs", "listRuns", "List runs", access: .customer(.read("runs")),
            query: Route.paging + [
                .init("flow_id", .text(.identifier)), .init("reference_id", .text(.identifier), "the call they work on"),
                .init("status", .text(.line(1...64)), "`running`, or why they ended"),
            ],
            answer: .page(of: ResourceSchema.run.reference)
        ) { gateway, request in
            var command = ListRuns(
                customerID: request.customer, page: request.page, flowID: request.query["flow_id"],
                referenceID: request.query["reference_id"])
            command.status = request.query["status"]
            return try .page(try await gateway.ask(command, for: request), .run)
        },
        Route(
            .get, "/v1/runs/{id}", "getRun", "Read a run", access: .customer(.read("runs")),
            answer: .resource(ResourceSchema.run.reference)
        ) { gateway, request in
            try .resource(try await gateway.ask(GetRun(customerID: request.customer, id: request.id), for: request), .run)
        },
    ]
}
