import Bytes
import Contracts
import Flow

/// `/v1/recordings`, and how those of calls and conferences begin and end. The ConferenceServer makes and keeps them.
enum Recordings {
    static let routes: [Route] = [
        Route(
            .get, "/v1/recordings", "listRecordings", "List recordings, newest first", access: .customer(.read("recordings")),
            query: Route.paging + [
                .init("call_id", .text(.identifier)), .init("conference_id", .text(.identifier)),
                .init("status", .text(.choice(RecordingWords.statuses))),
            ],
            answer: .page(of: ResourceSchema.recording.reference)
        ) { gateway, request in
            let command = ListRecordings(
                customerID: request.customer, page: request.page, callID: request.query["call_id"],
                conferenceID: request.query["conference_id"], status: request.query["status"].flatMap(Recording.Status.init))
            return try .page(try await gateway.ask(command, for: request, part: nil), .recording)
        },
        Route(
            .get, "/v1/recordings/{id}", "getRecording", "Read a recording", access: .customer(.read("recordings")),
            answer: .resource(ResourceSchema.recording.reference)
        ) { gateway, request in
            let command = GetRecording(customerID: request.customer, id: request.id)
            return try .resource(try await gateway.ask(command, for: request, part: nil), .recording)
        },
        Route(
            .get, "/v1/recordings/{id}/media", "getRecordingMedia",
            "Download a recording, all or the range of bytes that `Range` asks for; 409 before it is stored",
            access: .customer(.read("recordings")),
            query: [.init("track", .integer(1...256), "which file of the layout `tracks`; without it, their list")],
            answer: .document("audio/*"), perform: media),
        Route(
            .delete, "/v1/recordings/{id}", "deleteRecording", "Delete a recording and its sound; 409 while it goes on",
            access: .customer(.write("recordings")), answer: .nothing
        ) { gateway, request in
            let command = DeleteRecording(customerID: request.customer, id: request.id)
            _ = try await gateway.ask(command, for: request, within: .seconds(10))
            return .noContent
        },
        Route(
            .post, "/v1/calls/{id}/actions/record_start", "recordCall",
            "Record a call: what it says and hears; it goes on in other rooms", access: .customer(.write("calls")), body: terms,
            answer: .created(ResourceSchema.recording.reference)
        ) { gateway, request in
            try await start(gateway, request) { id in
                RecordCall(customerID: request.customer, id: request.id, recordingID: id, terms: terms(of: request))
            }
        },
        Route(
            .post, "/v1/conferences/{id}/actions/record_start", "recordConference", "Record a conference that goes on",
            access: .customer(.write("conferences")),
            body: terms + [.optional("participant_id", .text(.identifier), "Of this one alone: what it says and hears.")],
            answer: .created(ResourceSchema.recording.reference)
        ) { gateway, request in
            let command = GetConference(customerID: request.customer, id: request.id)
            let conference = try await gateway.ask(command, for: request, part: nil)
            // A conference meets in the room that has its name.
            let room = "room_" + conference.id.drop { $0 != "_" }.dropFirst()
            return try await start(gateway, request) { id in
                StartRecording(
                    customerID: request.customer, recordingID: id, roomID: room, conferenceID: conference.id,
                    participantID: request.fields.optionalText("participant_id"), terms: terms(of: request))
            }
        },
    ] + ControlRecording.Change.allCases.flatMap { [control("calls", $0), control("conferences", $0)] }

    // MARK: Beginning and ending

    private static let terms: [Schema.Field] = [
        .optional("layout", .text(.choice(RecordingWords.layouts)), "`mixed` if not given."),
        .optional("format", .text(.choice(RecordingWords.formats)), "`wav` if not given."),
        .optional("duration", .integer(0...86_400), "The longest it may be, in seconds."),
        .optional("end_of_silence", .integer(0...86_400), "Ends after so many seconds in which nobody speaks."),
        .optional("end_of_key", .text(.choice(["none", "any", "*", "#"])), "A key that ends it."),
        .optional("beep_start", .boolean, "Those who are recorded hear a tone."),
        .optional("digits", .boolean, "False: keys are silence."),
    ]

    private static func terms(of request: APIRequest) -> RecordingTerms {
        let fields = request.fields
        var terms = RecordingTerms(
            layout: fields.optionalText("layout").flatMap(RecordingTerms.Layout.init) ?? .mixed,
            format: fields.optionalText("format").flatMap(RecordingTerms.Format.init) ?? .wav)
        (terms.seconds, terms.endOfSilence) = (fields.integer("duration"), fields.integer("end_of_silence"))
        switch fields.optionalText("end_of_key") {
        case nil, "none": break
        case "any": terms.endKeys = "0123456789*#ABCD"
        case let key: terms.endKeys = key
        }
        (terms.beep, terms.digits) = (fields.flag("beep_start"), fields.flag("digits"))
        return terms
    }

    private static func start<Start: Command>(
        _ gateway: Gateway, _ request: APIRequest, _ command: (String) -> Start
    ) async throws -> APIResponse where Start.Reply == Recording {
        let recording = try await gateway.ask(command(request.seed.identifier("rec", 0)), for: request, within: .seconds(5))
        return try .created(recording, .recording, at: "/v1/recordings/\(recording.id)")
    }

    /// `POST /v1/calls/{id}/actions/record_stop` and its like: of one recording, or of all that go on.
    private static func control(_ plural: String, _ change: ControlRecording.Change) -> Route {
        let (verb, done) =
            switch change {
            case .stop: ("End", "stop")
            case .pause: ("Pause", "pause")
            case .resume: ("Resume", "resume")
            }
        let isCall = plural == "calls"
        return Route(
            .post, "/v1/\(plural)/{id}/actions/record_\(change.rawValue)", "\(done)\(isCall ? "Call" : "Conference")Recording",
            "\(verb) what is recorded of a \(isCall ? "call" : "conference"); 409 when nothing is", access: .customer(.write(plural)),
            body: [.optional("recording_id", .text(.identifier), "This one alone.")],
            answer: .page(of: ResourceSchema.recording.reference)
        ) { gateway, request in
            if isCall {
                _ = try await gateway.ask(GetCall(customerID: request.customer, id: request.id), for: request, part: nil)
            } else {
                _ = try await gateway.ask(GetConference(customerID: request.customer, id: request.id), for: request, part: nil)
            }
            let command = ControlRecording(
                customerID: request.customer, recordingID: request.fields.optionalText("recording_id"),
                callID: isCall ? request.id : nil, conferenceID: isCall ? nil : request.id, change: change)
            return try .page(try await gateway.ask(command, for: request, within: .seconds(5)), .recording)
        }
    }

    // MARK: The sound

    private static func media(_ gateway: Gateway, _ request: APIRequest) async throws -> APIResponse {
        let track = request.query.integer("track")
        @Sendable func read(_ offset: Int, _ length: Int) async throws -> (ReadRecording.Reply, [UInt8]) {
            let command = ReadRecording(
                customerID: request.customer, id: request.id, track: track, offset: offset, length: length)
            let reply = try await gateway.ask(command, for: request, part: nil, within: .seconds(20))
            guard let piece = Base64.decode(reply.piece.utf8) else { throw ProblemDocument.internalError }
            return (reply, piece)
        }
        let (reply, _) = try await read(0, 0)
        var response = APIResponse(status: 200, contentType: reply.contentType)
        response.fields = ["accept-ranges": "bytes", "etag": "\"\(reply.sha256)\""]
        var range = 0..<reply.size
        switch ByteRange(request.range, length: reply.size) {
        case .all: break
        case .part(let part):
            (response.status, range) = (206, part.lowerBound..<(part.upperBound + 1))
            response.fields["content-range"] = "bytes \(part.lowerBound)-\(part.upperBound)/\(reply.size)"
        case .unsatisfiable:
            var refusal = APIResponse(
                ProblemDocument(416, "range_not_satisfiable", "No such range", "There are \(reply.size) bytes."))
            refusal.fields["content-range"] = "bytes */\(reply.size)"
            return refusal
        }
        response.stream = APIResponse.Stream(length: range.count) { [range] offset in
            let begin = range.lowerBound + offset
            return try await read(begin, min(ReadRecording.longestPiece, range.upperBound - begin)).1
        }
        return response
    }
}
