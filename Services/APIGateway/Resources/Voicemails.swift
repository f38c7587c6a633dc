import Contracts

/// `/v1/voicemails`: messages that flows have taken. The FlowManager keeps them, the ConferenceServer their sound.
enum Voicemails {
    static let statuses = Voicemail.Status.allCases.map(\.rawValue)

    static let routes: [Route] = [
        Route(
            .get, "/v1/voicemails", "listVoicemails", "List voicemails, newest first", access: .customer(.read("voicemails")),
            query: Route.paging + [.init("mailbox", .text(.line(1...64))), .init("status", .text(.choice(statuses)))],
            answer: .page(of: ResourceSchema.voicemail.reference)
        ) { gateway, request in
            let command = ListVoicemails(
                customerID: request.customer, page: request.page, mailbox: request.query["mailbox"],
                status: request.query["status"].flatMap(Voicemail.Status.init))
            return try .page(try await gateway.ask(command, for: request), .voicemail)
        },
        Route(
            .get, "/v1/voicemails/{id}", "getVoicemail", "Read a voicemail", access: .customer(.read("voicemails")),
            answer: .resource(ResourceSchema.voicemail.reference)
        ) { gateway, request in
            try .resource(try await gateway.ask(GetVoicemail(customerID: request.customer, id: request.id), for: request), .voicemail)
        },
        Route(
            .patch, "/v1/voicemails/{id}", "updateVoicemail", "Say that a voicemail was read, or is new again",
            access: .customer(.write("voicemails")), body: [.required("status", .text(.choice(statuses)))],
            answer: .resource(ResourceSchema.voicemail.reference)
        ) { gateway, request in
            let status = Voicemail.Status(rawValue: request.fields.text("status")) ?? .new
            let command = MarkVoicemail(customerID: request.customer, id: request.id, status: status)
            return try .resource(try await gateway.ask(command, for: request), .voicemail)
        },
        Route(
            .delete, "/v1/voicemails/{id}", "deleteVoicemail", "Delete a voicemail and its recording",
            access: .customer(.write("voicemails")), answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(DeleteVoicemail(customerID: request.customer, id: request.id), for: request, within: .seconds(10))
            return .noContent
        },
    ]
}
