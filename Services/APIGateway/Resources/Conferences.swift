import Contracts

/// `/v1/conferences`: rooms that people dial into. The ConferenceServer owns them.
enum Conferences {
    private static let name = Schema.text(.line(1...120))
    private static let number = Schema.nullable(.text(.number))
    private static let pin = Schema.nullable(.text(.pin))
    private static let size = Schema.integer(1...10_000)

    static let routes: [Route] = [
        Route(
            .get, "/v1/conferences", "listConferences", "List conferences", access: .customer(.read("conferences")),
            query: Route.paging + [.init("number", .text(.number))], answer: .page(of: ResourceSchema.conference.reference)
        ) { gateway, request in
            let command = ListConferences(customerID: request.customer, page: request.page, number: request.query["number"])
            return try .page(try await gateway.ask(command, for: request), .conference)
        },
        Route(
            .post, "/v1/conferences", "createConference", "Create a conference", access: .customer(.write("conferences")),
            body: [
                .required("name", name), .optional("number", number, "What phones dial; unique for the customer."),
                .optional("pin", pin), .optional("max_participants", size),
            ],
            answer: .created(ResourceSchema.conference.reference)
        ) { gateway, request in
            let created = try await gateway.ask(
                CreateConference(
                    customerID: request.customer, name: request.fields.text("name"), number: request.fields.optionalText("number"),
                    pin: request.fields.optionalText("pin"), maxParticipants: request.fields.integer("max_participants")),
                for: request)
            return try .created(created, .conference, at: "/v1/conferences/\(created.id)")
        },
        Route(
            .get, "/v1/conferences/{id}", "getConference", "Read a conference", access: .customer(.read("conferences")),
            answer: .resource(ResourceSchema.conference.reference)
        ) { gateway, request in
            try .resource(
                try await gateway.ask(GetConference(customerID: request.customer, id: request.id), for: request), .conference)
        },
        Route(
            .patch, "/v1/conferences/{id}", "updateConference", "Change a conference", access: .customer(.write("conferences")),
            body: [
                .optional("name", name), .optional("number", number, "Null removes it."), .optional("pin", pin, "Null removes it."),
                .optional("max_participants", size),
            ],
            answer: .resource(ResourceSchema.conference.reference)
        ) { gateway, request in
            let command = UpdateConference(
                customerID: request.customer, id: request.id, name: request.fields.optionalText("name"),
                number: request.fields.change("number"), pin: request.fields.change("pin"),
                maxParticipants: request.fields.integer("max_participants"))
            return try .resource(try await gateway.ask(command, for: request), .conference)
        },
        Route(
            .delete, "/v1/conferences/{id}", "deleteConference", "Delete a conference; who sits in it is put out",
            access: .customer(.write("conferences")), answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(DeleteConference(customerID: request.customer, id: request.id), for: request)
            return .noContent
        },
    ]
}
