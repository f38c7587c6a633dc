import Contracts

/// `/v1/conferences/{id}/participants`: who sits in a conference now. The ConferenceServer that hosts the room knows.
enum Participants {
    private static let path = "/v1/conferences/{id}/participants"
    private static let roles = ["guest", "member", "moderator"]

    static let routes: [Route] = [
        Route(
            .get, path, "listParticipants", "List who is in a conference, in the order of their ids",
            access: .customer(.read("participants")),
            query: Route.paging + [.init("call_id", .text(.identifier)), .init("role", .text(.choice(roles)))],
            answer: .page(of: ResourceSchema.participant.reference)
        ) { gateway, request in
            try .page(try page(of: try await list(gateway, request).data, request.query, request.page), .participant)
        },
        Route(
            .get, path + "/{participant_id}", "getParticipant", "Read a participant", access: .customer(.read("participants")),
            answer: .resource(ResourceSchema.participant.reference)
        ) { gateway, request in
            let id = request.parameter("participant_id")
            guard let found = try await list(gateway, request).data.first(where: { $0.id == id }) else {
                throw ProblemDocument.notFound("participant")
            }
            return try .resource(found, .participant)
        },
        Route(
            .patch, path + "/{participant_id}", "updateParticipant", "Mute, deafen or promote a participant",
            access: .customer(.write("participants")),
            body: [
                .optional("muted", .boolean, "Is not heard."), .optional("deaf", .boolean, "Hears nothing."),
                .optional("role", .text(.choice(roles + ["participant"]))),
                .optional("hand_raised", .boolean, "Wants to speak."),
            ] + ParticipantDirection.fields,
            answer: .resource(ResourceSchema.participant.reference)
        ) { gateway, request in
            var command = UpdateParticipant(
                customerID: request.customer, conferenceID: request.id, participantID: request.parameter("participant_id"),
                muted: request.fields.flag("muted"), deaf: request.fields.flag("deaf"), role: request.fields.optionalText("role"),
                handRaised: request.fields.flag("hand_raised"))
            command.direction = ParticipantDirection.change(in: request.fields)
            return try .resource(try await gateway.ask(command, for: request), .participant)
        },
        Route(
            .delete, path + "/{participant_id}", "removeParticipant", "Put a participant out; its call goes on with its flow",
            access: .customer(.write("participants")), answer: .nothing
        ) { gateway, request in
            let command = RemoveParticipant(
                customerID: request.customer, conferenceID: request.id, participantID: request.parameter("participant_id"))
            _ = try await gateway.ask(command, for: request)
            return .noContent
        },
    ]

    private static func list(_ gateway: Gateway, _ request: APIRequest) async throws -> Page<Participant> {
        try await gateway.ask(ListParticipants(customerID: request.customer, conferenceID: request.id), for: request)
    }

    /// Of all that are in the room, which is bounded.
    static func page(of all: [Participant], _ query: Query, _ page: PageRequest) throws(ProblemDocument) -> Page<Participant> {
        var last = ""
        if let text = page.cursor {
            guard let cursor = PageCursor(text), cursor.kind == .behind else {
                throw .invalidQuery([.init(parameter: "cursor", code: "invalid_cursor", detail: "is no cursor of this collection")])
            }
            last = cursor.value
        }
        let (call, role) = (query["call_id"], query["role"])
        let wanted = all.filter { $0.id > last && (call == nil || call == $0.callID) && (role == nil || role == $0.role) }
        let shown = Array(wanted.sorted { $0.id < $1.id }.prefix(page.limit))
        let hasMore = wanted.count > shown.count
        return Page(data: shown, nextCursor: hasMore ? shown.last.map { PageCursor(.behind, $0.id).text } : nil)
    }
}
