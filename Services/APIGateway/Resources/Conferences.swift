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
            query: Route.paging + [.init("number", .text(.number)), .init("name", name)],
            answer: .page(of: ResourceSchema.conference.reference)
        ) { gateway, request in
            let command = ListConferences(
                customerID: request.customer, page: request.page, number: request.query["number"], name: request.query["name"])
            return try .page(try await gateway.ask(command, for: request), .conference)
        },
        Route(
            .post, "/v1/conferences", "createConference", "Create a conference", access: .customer(.write("conferences")),
            body: [
                .required("name", name), .optional("number", number, "What phones dial; unique for the customer."),
                .optional("pin", pin), .optional("moderator_pin", pin), .optional("max_participants", size),
            ] + ResourceSchema.conferencePolicy + ResourceSchema.conference.shown,
            answer: .created(ResourceSchema.conference.reference)
        ) { gateway, request in
            var command = CreateConference(
                customerID: request.customer, name: request.fields.text("name"), number: request.fields.optionalText("number"),
                pin: request.fields.optionalText("pin"), maxParticipants: request.fields.integer("max_participants"))
            command.moderatorPIN = request.fields.optionalText("moderator_pin")
            command.policy = policy(of: request)
            let created = try await gateway.ask(command, for: request)
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
                .optional("moderator_pin", pin, "Null removes it."), .optional("max_participants", size),
            ] + ResourceSchema.conferencePolicy + ResourceSchema.conference.shown,
            answer: .resource(ResourceSchema.conference.reference)
        ) { gateway, request in
            var command = UpdateConference(
                customerID: request.customer, id: request.id, name: request.fields.optionalText("name"),
                number: request.fields.change("number"), pin: request.fields.change("pin"),
                maxParticipants: request.fields.integer("max_participants"))
            command.moderatorPIN = request.fields.change("moderator_pin")
            command.policy = policy(of: request)
            return try .resource(try await gateway.ask(command, for: request), .conference)
        },
        Route(
            .delete, "/v1/conferences/{id}", "deleteConference", "Delete a conference; who sits in it is put out",
            access: .customer(.write("conferences")), answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(DeleteConference(customerID: request.customer, id: request.id), for: request)
            return .noContent
        },
    ] + ControlConference.Action.ofCustomers.map(control)

    /// `POST /v1/conferences/{id}/actions/<verb>`: what is done to a conference that goes on.
    private static func control(_ action: ControlConference.Action) -> Route {
        Route(
            .post, "/v1/conferences/{id}/actions/\(action.rawValue)", "\(action.rawValue)Conference", action.summary,
            access: .customer(.write("conferences")), body: [], answer: .nothing
        ) { gateway, request in
            let command = ControlConference(customerID: request.customer, conferenceID: request.id, action: action)
            _ = try await gateway.ask(command, for: request)
            return .noContent
        }
    }

    private static func policy(of request: APIRequest) -> ConferencePolicyChange {
        var change = ConferencePolicyChange()
        let fields = request.fields
        (change.waitForModerator, change.entryTone) = (fields.flag("wait_for_moderator"), fields.flag("entry_tone"))
        (change.exitTone, change.muteOnEntry) = (fields.flag("exit_tone"), fields.flag("mute_on_entry"))
        (change.endWhenModeratorLeaves, change.locked) = (fields.flag("end_when_moderator_leaves"), fields.flag("locked"))
        (change.digitControls, change.speakerEvents) = (fields.flag("digit_controls"), fields.flag("speaker_events"))
        change.announce = fields.optionalText("announce").flatMap(ConferencePolicy.Announcing.init)
        (change.language, change.musicOnHold) = (fields.change("language"), fields.flag("music_on_hold"))
        if let prompts = fields.members["prompts"] {
            // Null takes them all away.
            change.prompts = ConferencePrompts(
                pin: prompts["pin"]?.string, wrongPIN: prompts["wrong_pin"]?.string, waiting: prompts["waiting"]?.string)
        }
        return change
    }
}

extension ControlConference.Action {
    fileprivate static let ofCustomers = allCases.filter { $0 != .refresh }

    fileprivate var summary: String {
        switch self {
        case .mute: "Mute everybody but the moderators"
        case .unmute: "Give all their voices back"
        case .lock: "Let nobody more in while this meeting lasts"
        case .unlock: "Let people in again"
        case .end: "Put everybody out; their calls go on with their flows"
        case .refresh: "Read the settings again"
        }
    }
}
