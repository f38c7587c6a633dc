import Contracts
import Flow

/// `/v1/calls/{id}/actions/...`: what is done with a call while it goes on. The CallServer that owns it does it.
enum CallControl {
    private static let urls = Schema.list(of: .text(.line(1...2048)), count: 1...10)
    private static let audience = Schema.Field.optional(
        "to", .text(.choice(["call", "room"])), "`call`: this call alone hears it, whoever it talks with does not; `room`: all do.")

    static let play: [Schema.Field] = [.required("play_id", .text(.identifier), "For `stop_play` and the event `call.play_finished`.")]

    static let routes: [Route] =
        [
            Route(
                .post, "/v1/calls/{id}/actions/answer", "answerCall", "Answer a call that rings here; 409 when it was answered",
                access: .customer(.write("calls")), body: [], answer: .resource(ResourceSchema.call.reference)
            ) { try await control($0, $1, .answer) },
            Route(
                .post, "/v1/calls/{id}/actions/play", "playToCall", "Play sounds to a call, beside what its flow does",
                access: .customer(.write("calls")),
                body: [
                    .required("urls", urls, "http(s) addresses, `recording:ID` or sounds of the server, one after the other."),
                    .optional("loop", .boolean, "Until it is stopped."), audience,
                ], answer: .resource(ResourceSchema.play.reference)
            ) { gateway, request in
                try await start(gateway, request, (request.fields.texts("urls") ?? []).map(PlaySource.url))
            },
            Route(
                .post, "/v1/calls/{id}/actions/talk", "talkToCall", "Speak to a call, beside what its flow does",
                access: .customer(.write("calls")),
                body: [
                    .required("text", .text(.line(1...4096)), "Plain text, or SSML."), .optional("language", .text(.line(2...35)), "BCP 47."),
                    .optional("loop", .boolean, "Until it is stopped."), audience,
                ], answer: .resource(ResourceSchema.play.reference)
            ) { gateway, request in
                let speech = PlaySource.speech(text: request.fields.text("text"), language: request.fields.optionalText("language"))
                return try await start(gateway, request, [speech])
            },
            Route(
                .post, "/v1/calls/{id}/actions/stop_play", "stopPlayToCall", "End what `play` or `talk` began", access: .customer(.write("calls")),
                body: [.required("play_id", .text(.identifier))], answer: .resource(ResourceSchema.call.reference)
            ) { try await control($0, $1, .stopPlay(id: $1.fields.text("play_id"))) },
            Route(
                .post, "/v1/calls/{id}/actions/digits", "sendDigitsToCall", "Press keys for the phone to hear", access: .customer(.write("calls")),
                body: [
                    .required("digits", .text(.line(1...100)), "0 to 9, *, #, A to D."), .optional("duration", .integer(40...5_000), "Of each, in ms; 160."),
                    .optional("interval", .integer(20...5_000), "Between them, in ms; 80."),
                ], answer: .resource(ResourceSchema.call.reference)
            ) { gateway, request in
                let digits = request.fields.text("digits")
                guard digits.allSatisfy({ "0123456789*#ABCD".contains($0) }) else {
                    throw ProblemDocument.invalid("/digits", "invalid_value", "may have 0 to 9, *, # and A to D")
                }
                return try await control(
                    gateway, request,
                    .digits(digits, duration: request.fields.integer("duration") ?? 160, interval: request.fields.integer("interval") ?? 80))
            },
            Route(
                .post, "/v1/calls/{id}/actions/redirect", "redirectCall", "Send a call to another flow; whom it talks with is let go",
                access: .customer(.write("calls")),
                body: [.optional("flow_id", .text(.identifier), "Either this"), .optional("actions", .actions, "or these.")],
                answer: .resource(ResourceSchema.call.reference), perform: redirect),
            Route(
                .post, "/v1/calls/{id}/actions/transfer", "transferCall", "Hand a call on as the flow action `transfer` does, or join whom it talks with",
                access: .customer(.write("calls")), body: CallTransfer.body, answer: .resource(ResourceSchema.call.reference)
            ) { try await control($0, $1, try await CallTransfer.change($0, $1)) },
            Route(
                .post, "/v1/calls/{id}/actions/consult", "consultInCall", "Hold whom a call talks with, and let it talk with a third first",
                access: .customer(.write("calls")), body: [.required("to", .text(.destination))],
                answer: .resource(ResourceSchema.call.reference)
            ) { try await control($0, $1, .consult(to: $1.fields.text("to"))) },
            Route(
                .post, "/v1/calls/{id}/actions/gather", "gatherFromCall", "Ask for keys or speech, beside what the flow does",
                access: .customer(.write("calls")), query: CallGather.query, body: CallGather.body,
                answer: .resource(ResourceSchema.gathering.reference), perform: CallGather.perform),
            Route(
                .post, "/v1/calls/{id}/actions/set_variables", "setCallVariables", "Set variables of the flow that a call is in",
                access: .customer(.write("calls")), body: [.required("variables", .anything, "Names and values.")], answer: .nothing,
                perform: setVariables),
        ]
        + [("complete_transfer", "Leave the third and whom the call was talking with to each other", .completeTransfer),
            ("cancel_transfer", "Let the third go and talk on", .cancelTransfer),
            ("mute", "Nobody hears the call any more", .mute(true)), ("unmute", "It is heard again", .mute(false)),
            ("hold", "The call hears music, and is not heard", .hold(true)), ("unhold", "It hears and is heard again", .hold(false))].map(simple)

    private static func simple(_ name: String, _ summary: String, _ change: ControlCall.Change) -> Route {
        Route(
            .post, "/v1/calls/{id}/actions/\(name)", "\(name)Call", summary, access: .customer(.write("calls")), body: [],
            answer: .resource(ResourceSchema.call.reference)
        ) { try await control($0, $1, change) }
    }

    private static func control(_ gateway: Gateway, _ request: APIRequest, _ change: ControlCall.Change) async throws -> APIResponse {
        let command = ControlCall(customerID: request.customer, id: request.id, change: change)
        return try .resource(try await gateway.ask(command, for: request), .call)
    }

    private static func start(_ gateway: Gateway, _ request: APIRequest, _ sources: [PlaySource]) async throws -> APIResponse {
        let id = request.seed.identifier("play")
        let change = ControlCall.Change.play(
            id: id, sources, loop: request.fields.flag("loop") ?? false, isForRoom: request.fields.optionalText("to") == "room")
        _ = try await gateway.ask(ControlCall(customerID: request.customer, id: request.id, change: change), for: request)
        return APIResponse(status: 200, body: JSONValue.object(["play_id": .string(id)]).json)
    }

    private static func redirect(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let (flowID, actions) = try await gateway.program(of: request)
        return try await control(gateway, request, .redirect(flowID: flowID, actions: actions))
    }

    private static func setVariables(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        guard let variables = request.fields["variables"]?.object, !variables.isEmpty, variables.count <= 100 else {
            throw ProblemDocument.invalid("/variables", "invalid_value", "must be an object of 1 to 100 variables")
        }
        let call = try await gateway.ask(GetCall(customerID: request.customer, id: request.id), for: request, part: nil)
        guard let runID = call.runID, !call.status.isFinal else {
            throw ProblemDocument(409, "conflict", "Conflict", "The call is in no flow.")
        }
        _ = try await gateway.ask(SetRunVariables(runID: runID, customerID: request.customer, variables: variables), for: request)
        return .noContent
    }
}
