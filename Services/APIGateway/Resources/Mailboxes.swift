import Contracts
import Flow

/// `/v1/mailboxes`: what is laid down for mailboxes. The FlowManager keeps it.
enum Mailboxes {
    private static let name = Schema.text(.line(1...64))
    private static let rules: [Schema.Field] = [
        .optional("pin", .nullable(.text(.mailboxPIN)), "Opens it for `voicemail_check`; never shown. Null removes it."),
        .optional("greeting_text", .nullable(.text(.line(0...4096))), "Said where a flow gives no greeting."),
        .optional("greeting_urls", .list(of: .text(.line(1...2048)), count: 0...16), "Played instead of the text."),
        .optional("max_messages", .nullable(.integer(1...100_000)), "Null: what the platform allows."),
    ]

    static let routes: [Route] = [
        Route(
            .get, "/v1/mailboxes", "listMailboxes", "List mailboxes", access: .customer(.read("voicemails")),
            query: Route.paging + [.init("name", name)], answer: .page(of: ResourceSchema.mailbox.reference)
        ) { gateway, request in
            let command = ListMailboxes(customerID: request.customer, page: request.page, name: request.query["name"])
            return try .page(try await gateway.ask(command, for: request), .mailbox)
        },
        Route(
            .post, "/v1/mailboxes", "createMailbox", "Lay something down for a mailbox", access: .customer(.write("voicemails")),
            body: [.required("name", name, "The word by which flows call it.")] + rules, answer: .created(ResourceSchema.mailbox.reference)
        ) { gateway, request in
            let command = CreateMailbox(customerID: request.customer, name: request.fields.text("name"), rules: rules(of: request))
            let created = try await gateway.ask(command, for: request)
            return try .created(created, .mailbox, at: "/v1/mailboxes/\(created.id)")
        },
        Route(
            .get, "/v1/mailboxes/{id}", "getMailbox", "Read what is laid down for a mailbox", access: .customer(.read("voicemails")),
            answer: .resource(ResourceSchema.mailbox.reference)
        ) { gateway, request in
            try .resource(try await gateway.ask(GetMailbox(customerID: request.customer, id: request.id), for: request), .mailbox)
        },
        Route(
            .patch, "/v1/mailboxes/{id}", "updateMailbox", "Change what is laid down for a mailbox", access: .customer(.write("voicemails")),
            body: rules, answer: .resource(ResourceSchema.mailbox.reference)
        ) { gateway, request in
            let command = UpdateMailbox(customerID: request.customer, id: request.id, rules: rules(of: request))
            return try .resource(try await gateway.ask(command, for: request), .mailbox)
        },
        Route(
            .delete, "/v1/mailboxes/{id}", "deleteMailbox", "Delete what is laid down for a mailbox; its messages stay",
            access: .customer(.write("voicemails")), answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(DeleteMailbox(customerID: request.customer, id: request.id), for: request)
            return .noContent
        },
    ]

    private static func rules(of request: APIRequest) -> MailboxRules {
        let urls = request.fields["greeting_urls"]?.array.map { $0.compactMap(\.string) }
        let most: Int? = request.fields["max_messages"].map { $0.integer.map { Int(clamping: $0) } ?? 0 }
        return MailboxRules(
            pin: request.fields.change("pin"), greetingText: request.fields.change("greeting_text"), greetingURLs: urls, maxMessages: most)
    }
}
