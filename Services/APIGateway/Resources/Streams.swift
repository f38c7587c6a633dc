import Contracts
import Flow

/// `/actions/stream_start` and `/actions/stream_stop` of calls and conferences: WebSockets that hear and are heard.
enum Streams {
    private static let directions = StreamSettings.Direction.allCases.map(\.rawValue)
    private static let encapsulations = StreamSettings.Encapsulation.allCases.map(\.rawValue)
    private static let formats = ["ulaw", "slin", "slin16", "slin24", "slin48"]

    static let resource: [Schema.Field] = [
        .required("id", .text(.identifier), "The participant it is."), .optional("call_id", .nullable(.text(.identifier))),
        .optional("conference_id", .nullable(.text(.identifier))), .required("url", .text(.line(1...2048)), "Without its query."),
        .required("encapsulation", .text(.choice(encapsulations))), .required("format", .text(.choice(formats))),
    ]

    private static let common: [Schema.Field] = [
        .required("url", .text(.line(1...2048)), "`ws://` or `wss://`, of a public server."),
        .optional("encapsulation", .text(.choice(encapsulations)), "`json` if not given; `none`: binary messages of sound alone."),
        .optional("format", .text(.choice(formats)), "`ulaw` if not given; `slin` is 16-bit linear at 8 kHz, the others at theirs."),
        .optional("authorization", .text(.line(1...4096)), "The Authorization field of the request."),
        .optional("secret", .text(.line(16...256)), "What the request is signed with; it is never shown again."),
        .optional("parameters", .anything, "Strings by name, handed through to the other side."),
    ]
    private static let ofCalls: [Schema.Field] = [
        .optional("direction_listen", .text(.choice(directions)), "What the call says (`in`, if not given), what it hears, or both."),
        .optional("direction_speak", .text(.choice(directions)), "Who hears the socket: the others (`in`), the call (`out`, if not given), or both."),
    ]

    static let routes: [Route] = [
        Route(
            .post, "/v1/calls/{id}/actions/stream_start", "startCallStream", "Connect a call with a WebSocket",
            access: .customer(.write("calls")), body: common + ofCalls, answer: .resource(ResourceSchema.stream.reference)
        ) { gateway, request in
            let settings = try read(request)
            let command = StreamCall(customerID: request.customer, id: request.id, change: .start(settings))
            _ = try await gateway.ask(command, for: request, within: .seconds(8))
            return try .resource(Started(settings, callID: request.id), .stream)
        },
        Route(
            .post, "/v1/calls/{id}/actions/stream_stop", "stopCallStream", "End a stream of a call",
            access: .customer(.write("calls")), body: [.required("stream_id", .text(.identifier))], answer: .nothing
        ) { gateway, request in
            let command = StreamCall(customerID: request.customer, id: request.id, change: .stop(id: request.fields.text("stream_id")))
            _ = try await gateway.ask(command, for: request)
            return .noContent
        },
        Route(
            .post, "/v1/conferences/{id}/actions/stream_start", "startConferenceStream", "Connect a conference with a WebSocket",
            access: .customer(.write("conferences")), body: common, answer: .resource(ResourceSchema.stream.reference)
        ) { gateway, request in
            let settings = try read(request)
            let command = StreamConference(customerID: request.customer, conferenceID: request.id, change: .start(settings))
            _ = try await gateway.ask(command, for: request, within: .seconds(8))
            return try .resource(Started(settings, conferenceID: request.id), .stream)
        },
        Route(
            .post, "/v1/conferences/{id}/actions/stream_stop", "stopConferenceStream", "End a stream of a conference",
            access: .customer(.write("conferences")), body: [.required("stream_id", .text(.identifier))], answer: .nothing
        ) { gateway, request in
            let command = StreamConference(
                customerID: request.customer, conferenceID: request.id, change: .stop(id: request.fields.text("stream_id")))
            _ = try await gateway.ask(command, for: request)
            return .noContent
        },
    ]

    private struct Started: Encodable, Sendable {
        let id: String
        let callID: String?
        let conferenceID: String?
        let url: String
        let encapsulation: String
        let format: String

        init(_ settings: StreamSettings, callID: String? = nil, conferenceID: String? = nil) {
            (id, self.callID, self.conferenceID) = (settings.id, callID, conferenceID)
            url = String(settings.url.prefix { $0 != "?" })
            (encapsulation, format) = (settings.encapsulation.rawValue, settings.format)
        }

        private enum CodingKeys: String, CodingKey {
            case id, url, encapsulation, format
            case callID = "call_id"
            case conferenceID = "conference_id"
        }
    }

    private static func read(_ request: APIRequest) throws -> StreamSettings {
        let fields = request.fields
        var settings = StreamSettings(id: request.seed.identifier("part", 0), url: fields.text("url"))
        func choice<Choice: RawRepresentable>(_ name: String, _ standard: Choice) -> Choice where Choice.RawValue == String {
            fields.optionalText(name).flatMap(Choice.init(rawValue:)) ?? standard
        }
        settings.encapsulation = choice("encapsulation", settings.encapsulation)
        settings.format = fields.optionalText("format") ?? settings.format
        settings.listen = choice("direction_listen", settings.listen)
        settings.speak = choice("direction_speak", settings.speak)
        settings.authorization = fields.optionalText("authorization")
        settings.secret = fields.optionalText("secret")
        for (name, value) in fields["parameters"]?.object ?? [:] {
            guard let text = value.string else {
                throw ProblemDocument.invalid("/parameters", "wrong_type", "must be strings by name")
            }
            settings.parameters[name] = text
        }
        return settings
    }
}
