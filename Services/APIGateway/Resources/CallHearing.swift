import Contracts

/// `/v1/calls/{id}/actions/listen_*`: what is told of the sound of a call by events.
enum CallHearing {
    private static let sounds = ["speech", "silence", "beep", "fax"]

    static let routes: [Route] = [
        Route(
            .post, "/v1/calls/{id}/actions/listen_start", "startListening",
            "Tell by events what is heard of the phone; in place of what was listened for before", access: .customer(.write("calls")),
            body: [
                .required("events", .list(of: .text(.choice(sounds)), count: 1...sounds.count)),
                .optional("silence", .integer(100...600_000), "Milliseconds that make a silence; 3000."),
            ],
            answer: .nothing
        ) { gateway, request in
            let wanted = request.fields.texts("events") ?? []
            let silence = wanted.contains("silence") ? request.fields.integer("silence") ?? 3000 : nil
            let watch = Watch(
                id: "", speech: wanted.contains("speech"), silence: silence, beep: wanted.contains("beep"), fax: wanted.contains("fax"))
            _ = try await gateway.ask(ListenToCall(customerID: request.customer, id: request.id, watch: watch), for: request)
            return .noContent
        },
        Route(
            .post, "/v1/calls/{id}/actions/listen_stop", "stopListening", "Tell no more of what is heard", access: .customer(.write("calls")),
            body: [], answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(ListenToCall(customerID: request.customer, id: request.id, watch: nil), for: request)
            return .noContent
        },
        Route(
            .post, "/v1/calls/{id}/actions/transcribe_start", "startTranscription",
            "Write down what is said and tell it by events; in place of a transcription that goes on", access: .customer(.write("calls")),
            body: [
                .optional("language", .text(.line(2...35)), "BCP 47; en-US."),
                .optional("provider", .text(.choice(["sphinx", "http", "websocket"])), "The operator's first if not given."),
                .optional("provider_url", .text(.line(1...2048)), "Your own recogniser: http(s) or ws(s), on a public address."),
                .optional("direction", .text(.choice(Transcription.Direction.allCases.map(\.rawValue))), "What the phone says, hears, or both."),
                .optional("hints", .list(of: .text(.line(1...256)), count: 0...100), "Words and phrases that are likely."),
                .optional("interim", .boolean, "Tell results that may still change, too."),
            ],
            answer: .nothing
        ) { gateway, request in
            let fields = request.fields
            let direction = fields.optionalText("direction").flatMap(Transcription.Direction.init)
            let transcription = Transcription(
                id: "", language: fields.optionalText("language"), provider: fields.optionalText("provider"),
                url: fields.optionalText("provider_url"), direction: direction ?? .both, hints: fields.texts("hints") ?? [],
                interim: fields.flag("interim") ?? false, startedAt: Timestamp(milliseconds: 0))
            let command = TranscribeCall(customerID: request.customer, id: request.id, transcription: transcription)
            _ = try await gateway.ask(command, for: request)
            return .noContent
        },
        Route(
            .post, "/v1/calls/{id}/actions/transcribe_stop", "stopTranscription", "Write down no more", access: .customer(.write("calls")),
            body: [], answer: .nothing
        ) { gateway, request in
            _ = try await gateway.ask(TranscribeCall(customerID: request.customer, id: request.id, transcription: nil), for: request)
            return .noContent
        },
    ]
}
