import Contracts

/// `POST /v1/calls/{id}/actions/supervise`: another of the customer's calls listens, whispers or barges in. The CallServer that
/// owns that call takes it into the room.
enum Supervising {
    private static let modes = Supervision.Mode.allCases.map(\.rawValue)

    static let resource: [Schema.Field] = [
        .required("call_id", .text(.identifier), "The supervised."), .required("supervisor_call_id", .text(.identifier)),
        .required("participant_id", .text(.identifier), "The supervisor in the room: `PATCH` changes its gain or whom it whispers to."),
        .required("room_id", .text(.identifier), "Where the supervisor is from now on."),
        .optional("mode", .nullable(.text(.choice(modes)))), .optional("whisper_to", .nullable(.text(.identifier))),
    ]

    static let routes: [Route] = [
        Route(
            .post, "/v1/calls/{id}/actions/supervise", "superviseCall", "Have another call listen, whisper or barge in",
            access: .customer(.write("calls")),
            body: [
                .required("call_id", .text(.identifier), "The supervisor's own call: answered, and talking with nobody."),
                .required(
                    "mode", .text(.choice(modes + ["none"])),
                    "`listen`: nobody hears it; `whisper`: one does; `barge`: all do; `none`: it goes back to its flow."),
                .optional(
                    "whisper_to", .text(.identifier), "For `whisper`: a participant or a call in the same room; the supervised if not given."),
            ],
            answer: .resource(ResourceSchema.supervision.reference)
        ) { gateway, request in
            let mode = Supervision.Mode(rawValue: request.fields.text("mode"))
            let target = request.fields.optionalText("whisper_to")
            guard target == nil || mode == .whisper else {
                throw ProblemDocument.invalid("/whisper_to", "excludes", "is only for the mode whisper")
            }
            let command = SuperviseCall(
                customerID: request.customer, id: request.id, supervisorCallID: request.fields.text("call_id"), mode: mode,
                whisperTo: target)
            return try .resource(try await gateway.ask(command, for: request), .supervision)
        }
    ]
}
