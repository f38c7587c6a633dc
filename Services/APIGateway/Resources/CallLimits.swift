import Contracts
import Flow

/// `/v1/limits`: how many calls customers may have. Operators set them, customers see their own. The CallServer owns them.
enum CallLimits {
    private static let scopes = CallLimit.Scope.allCases.map(\.rawValue)
    private static let count = Schema.nullable(.integer(0...1_000_000))
    private static let seconds = Schema.nullable(.integer(1...86_400))

    private static let values: [Schema.Field] = [
        .optional("concurrent_calls", count, "At once; null: any number, for the scope `customer` the installation's default."),
        .optional("calls_per_second", count, "Begun within any second."), .optional("max_call_seconds", seconds, "The longest a call may last."),
    ]

    static let resource: [Schema.Field] = [
        .required("id", .text(.identifier)), .required("customer_id", .text(.identifier)), .required("scope", .text(.choice(scopes))),
        .optional("target", .nullable(.text(.line(1...64))), "The trunk's name, the number, or `PREFIX*`."),
    ] + values + [
        .optional("current_calls", .nullable(.integer(0...Int64.max)), "How many there are now."),
        .required("created_at", .text(.timestamp)), .required("updated_at", .text(.timestamp)),
    ]

    static let routes: [Route] = [
        Route(
            .get, "/v1/limits", "listLimits", "List limits", access: .customer(.read("limits")),
            query: Route.paging + [.init("scope", .text(.choice(scopes))), .init("target", .text(.line(1...64)))],
            answer: .page(of: ResourceSchema.limit.reference)
        ) { gateway, request in
            let command = ListCallLimits(
                customerID: request.customer, page: request.page, scope: request.query["scope"].flatMap(CallLimit.Scope.init),
                target: request.query["target"])
            return try .page(try await gateway.ask(command, for: request), .limit)
        },
        Route(
            .post, "/v1/limits", "createLimit", "Limit the calls of a customer, of a trunk or to a destination; an operator's key",
            access: .customer(.write("limits")),
            body: [
                .required("scope", .text(.choice(scopes))),
                .optional("target", .text(.line(1...64)), "For a trunk its name; for a destination a number, or `+49*` for all that begin so."),
            ] + values,
            answer: .created(ResourceSchema.limit.reference), perform: create),
        Route(
            .get, "/v1/limits/{id}", "getLimit", "Read a limit, and how many calls there are under it", access: .customer(.read("limits")),
            answer: .resource(ResourceSchema.limit.reference)
        ) { gateway, request in
            try .resource(try await gateway.ask(GetCallLimit(customerID: request.customer, id: request.id), for: request), .limit)
        },
        Route(
            .patch, "/v1/limits/{id}", "updateLimit", "Change a limit; an operator's key", access: .customer(.write("limits")), body: values,
            answer: .resource(ResourceSchema.limit.reference)
        ) { gateway, request in
            try requireOperator(request)
            let command = UpdateCallLimit(customerID: request.customer, id: request.id, values: change(request))
            return try .resource(try await gateway.ask(command, for: request), .limit)
        },
        Route(
            .delete, "/v1/limits/{id}", "deleteLimit", "Take a limit away; an operator's key", access: .customer(.write("limits")), answer: .nothing
        ) { gateway, request in
            try requireOperator(request)
            _ = try await gateway.ask(DeleteCallLimit(customerID: request.customer, id: request.id), for: request)
            return .noContent
        },
    ]

    /// Nobody raises its own limits.
    private static func requireOperator(_ request: APIRequest) throws(ProblemDocument) {
        guard request.principal.isOperator else { throw .operatorOnly }
    }

    private static func create(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        try requireOperator(request)
        guard let scope = CallLimit.Scope(rawValue: request.fields.text("scope")) else {
            preconditionFailure("the schema lets only scopes through")
        }
        let target = request.fields.optionalText("target")
        guard (target == nil) == (scope == .customer) else {
            throw ProblemDocument.invalid(
                "/target", target == nil ? "required" : "excludes", target == nil ? "is required for this scope" : "is not for the scope customer")
        }
        if scope == .destination, let target, !isDestination(target) {
            throw ProblemDocument.invalid("/target", "invalid_value", "must be a number, or the beginning of numbers with * behind it")
        }
        let command = CreateCallLimit(
            customerID: request.customer, id: request.seed.identifier("lim"), scope: scope, target: target, values: change(request))
        let created = try await gateway.ask(command, for: request)
        return try .created(created, .limit, at: "/v1/limits/\(created.id)")
    }

    /// `*` alone is every number.
    private static func isDestination(_ text: String) -> Bool {
        let number = text.hasSuffix("*") ? text.dropLast() : Substring(text)
        let digits = number.hasPrefix("+") ? number.dropFirst() : number
        return digits.utf8.allSatisfy { (48...57).contains($0) } && (text == "*" || !digits.isEmpty)
    }

    private static func change(_ request: APIRequest) -> CallLimitValues {
        func value(_ name: String) -> CallLimitValues.Change? {
            request.fields[name].map { CallLimitValues.Change($0.integer.map(Int.init)) }
        }
        return CallLimitValues(
            concurrentCalls: value("concurrent_calls"), callsPerSecond: value("calls_per_second"), maxCallSeconds: value("max_call_seconds"))
    }
}
