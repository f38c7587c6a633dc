import Contracts
import Flow

/// `/v1/extensions`: the phones of a customer. The Registrar owns them.
enum Extensions {
    private static let name = Schema.text(.line(0...120))
    private static let flow = Schema.nullable(.text(.identifier))
    private static let domain = Schema.Field.optional("domain", .text(.domain), "Its customer's, and no other.")

    static let routes: [Route] = [
        Route(
            .get, "/v1/extensions", "listExtensions", "List extensions", access: .customer(.read("extensions")),
            query: Route.paging + [.init("number", .text(.number)), .init("name", name)],
            answer: .page(of: ResourceSchema.extension.reference)
        ) { gateway, request in
            let command = ListExtensions(
                customerID: request.customer, page: request.page, number: request.query["number"], name: request.query["name"])
            return try .page(try await gateway.ask(command, for: request), .extension)
        },
        Route(
            .post, "/v1/extensions", "createExtension", "Create an extension", access: .customer(.write("extensions")),
            body: [
                .required("number", .text(.number), "Unique in the customer's domain."),
                .required("password", .text(.password), "For its phone; never shown."), .optional("name", name),
                .optional("flow_id", flow, "What a call to this number runs; without, its phones ring."), domain,
            ] + ResourceSchema.callHandling + ResourceSchema.extension.shown,
            answer: .created(ResourceSchema.extension.reference)
        ) { gateway, request in
            try await gateway.requireFlow("flow_id", of: request)
            try await requireOwnDomain(gateway, request)
            var command = CreateExtension(
                customerID: request.customer, number: request.fields.text("number"), password: request.fields.text("password"),
                name: request.fields.optionalText("name") ?? "", flowID: request.fields.optionalText("flow_id"))
            (command.doNotDisturb, command.forwarding) = (request.fields.flag("do_not_disturb"), forwarding(of: request))
            let created = try await gateway.ask(command, for: request)
            return try .created(created, .extension, at: "/v1/extensions/\(created.id)")
        },
        Route(
            .get, "/v1/extensions/{id}", "getExtension", "Read an extension", access: .customer(.read("extensions")),
            answer: .resource(ResourceSchema.extension.reference)
        ) { gateway, request in
            try .resource(
                try await gateway.ask(GetExtension(customerID: request.customer, id: request.id), for: request), .extension)
        },
        Route(
            .patch, "/v1/extensions/{id}", "updateExtension", "Change an extension", access: .customer(.write("extensions")),
            body: [
                .optional("number", .text(.number), "Another wants a password with it, and its phones register anew."),
                .optional("password", .text(.password)), .optional("name", name), .optional("flow_id", flow, "Null removes it."), domain,
            ] + ResourceSchema.callHandling + ResourceSchema.extension.shown,
            answer: .resource(ResourceSchema.extension.reference)
        ) { gateway, request in
            try await gateway.requireFlow("flow_id", of: request)
            try await requireOwnDomain(gateway, request)
            var command = UpdateExtension(
                customerID: request.customer, id: request.id, number: request.fields.optionalText("number"),
                password: request.fields.optionalText("password"), name: request.fields.optionalText("name"),
                flowID: request.fields.change("flow_id"))
            (command.doNotDisturb, command.forwarding) = (request.fields.flag("do_not_disturb"), forwarding(of: request))
            return try .resource(try await gateway.ask(command, for: request), .extension)
        },
        Route(
            .delete, "/v1/extensions/{id}", "deleteExtension", "Delete an extension and its registrations",
            access: .customer(.write("extensions")), answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(DeleteExtension(customerID: request.customer, id: request.id), for: request)
            return .noContent
        },
    ]

    /// What is not given stays; null takes away, one destination or all of them.
    private static func forwarding(of request: APIRequest) -> CallForwarding.Change? {
        guard let given = request.fields.members["forwarding"] else { return nil }
        func destination(_ name: String) -> String? { given[name].map { $0.string ?? "" } }
        var change = CallForwarding.Change()
        if given == .null { change.replaces = true }
        (change.always, change.busy) = (destination("always"), destination("busy"))
        (change.noAnswer, change.unreachable) = (destination("no_answer"), destination("unreachable"))
        change.ringSeconds = given["ring_seconds"].map { $0.integer.map { Int($0) } ?? 0 }
        return change
    }

    private static func requireOwnDomain(_ gateway: Gateway, _ request: APIRequest) async throws {
        guard let domain = request.fields.optionalText("domain"), let customer = try await gateway.store.customer(request.customer),
            customer.domain != domain
        else { return }
        throw ProblemDocument.invalid("/domain", "other_domain", "must be the customer's, which is \(customer.domain)")
    }
}
