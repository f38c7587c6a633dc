import Contracts
import Flow

/// A resource as answers show it: described in the OpenAPI document under its name, and completed by it, so that a field without
/// a value is there as null.
struct ResourceSchema: Sendable {
    let name: String
    let fields: [Schema.Field]

    private init(_ name: String, _ fields: [Schema.Field]) { (self.name, self.fields) = (name, fields) }

    var reference: Schema { .reference(name) }

    /// For a body: what a GET shows and nobody writes.
    var shown: [Schema.Field] {
        fields.filter(\.isReadOnly).map { Schema.Field(name: $0.name, schema: $0.schema, isRequired: false, note: $0.note, isReadOnly: true) }
    }

    func completed(_ value: JSONValue) -> JSONValue {
        guard case .object(var members) = value else { return value }
        for field in fields {
            guard case .nullable(let schema) = field.schema else { continue }
            switch (members[field.name], schema) {
            case (nil, _): members[field.name] = .null
            case (let inner?, .reference(Self.media.name)): members[field.name] = Self.media.completed(inner)
            case (let inner?, .reference(Self.mediaQuality.name)): members[field.name] = Self.mediaQuality.completed(inner)
            default: break
            }
        }
        return .object(members)
    }
}

extension ResourceSchema {
    private static let id = Schema.Field.shown("id", .text(.identifier))
    private static let customerID = Schema.Field.required("customer_id", .text(.identifier))
    private static let createdAt = Schema.Field.shown("created_at", .text(.timestamp))
    private static let updatedAt = Schema.Field.shown("updated_at", .text(.timestamp))
    private static let text = Schema.text(.line(0...4096))

    static let customer = ResourceSchema("Customer", [
        id, .required("name", text), .required("domain", .text(.domain), "The SIP domain of its phones."),
        .required("status", .text(.choice(CustomerStatus.allCases.map(\.rawValue)))), createdAt, updatedAt,
    ])

    static let key = ResourceSchema("Key", [
        id, customerID, .required("name", text), .required("scopes", .list(of: .text(.choice(Scope.names)), count: 1...64)),
        .optional("expires_at", .nullable(.text(.timestamp))), createdAt,
    ])

    static let newKey = ResourceSchema("NewKey", key.fields + [
        .required("secret", text, "What programs send; shown this once and never again.")
    ])

    static let `extension` = ResourceSchema("Extension", [
        id, customerID, .required("number", .text(.number)), .required("name", text),
        .optional("flow_id", .nullable(.text(.identifier)), "What a call to this number runs; null: its phones ring."),
        .required("domain", .text(.domain)), .shown("registered", .boolean, "Whether a phone is registered now."),
        createdAt, updatedAt,
    ] + callHandling)

    /// What an extension does with calls that its phones do not take.
    static let callHandling: [Schema.Field] = [
        .optional("do_not_disturb", .boolean, "Its phones do not ring; it is busy."),
        .optional(
            "forwarding", .nullable(.object(forwarding)),
            "Where calls go on to that its phones do not take, unless it has a flow: numbers of yours, or `voicemail`, the mailbox of its own number."),
    ]

    private static let destination = Schema.nullable(.text(.forwarding))

    private static let forwarding: [Schema.Field] = [
        .optional("always", destination, "At once."), .optional("busy", destination, "Busy, declined, or not to be disturbed."),
        .optional("no_answer", destination), .optional("unreachable", destination, "No phone is registered, or none has said a word."),
        .optional("ring_seconds", .nullable(.integer(1...600)), "20 where there is `no_answer`."),
    ]

    static let flow = ResourceSchema("Flow", [
        id, customerID, .required("name", text), .required("actions", .actions),
        .optional("on_complete_flow_id", .nullable(.text(.identifier))),
        .shown("version", .integer(1...Int64.max), "Counts the changes."), createdAt, updatedAt,
    ])

    static let run = ResourceSchema("Run", [
        id, customerID, .optional("flow_id", .nullable(.text(.identifier)), "Null for inline actions."),
        .required("reference_id", text, "The call it works on."), .required("status", text, "`running`, or why it ended."),
        .required("step", .integer(0...Int64.max)), createdAt, .optional("ended_at", .nullable(.text(.timestamp))),
    ])

    static let conference = ResourceSchema("Conference", [
        id, customerID, .required("name", text), .optional("number", .nullable(.text(.number)), "What phones dial."),
        .optional("pin", .nullable(.text(.pin)), "Whoever comes is asked for it."),
        .optional("moderator_pin", .nullable(.text(.pin)), "Makes whoever gives it a moderator."),
        .required("max_participants", .integer(1...10_000)), createdAt, updatedAt,
    ] + conferencePolicy)

    /// The same fields are read, set and changed.
    static let conferencePolicy: [Schema.Field] = [
        .optional("wait_for_moderator", .boolean, "Nobody hears anybody until a moderator has come."),
        .optional("entry_tone", .boolean), .optional("exit_tone", .boolean),
        .optional("mute_on_entry", .boolean, "Who is no moderator comes in muted."),
        .optional("end_when_moderator_leaves", .boolean), .optional("locked", .boolean, "Nobody more is let in."),
        .optional("digit_controls", .boolean, "*6 mutes oneself, *9 raises a hand; for moderators *5 mutes all, *7 locks."),
        .optional("speaker_events", .boolean, "Tell by `conference.speaker_changed` who dominates the conversation."),
        .optional(
            "announce", .text(.choice(ConferencePolicy.Announcing.allCases.map(\.rawValue))),
            "How those inside hear who comes and goes: `none` (as `entry_tone` and `exit_tone` say), `tone`, or `name`, spoken."),
        .optional("language", .nullable(.text(.line(2...35))), "What it speaks (BCP 47); null: what the installation does."),
        .optional("music_on_hold", .boolean, "Music for who waits for the moderator, or is alone."),
        .optional("prompts", .nullable(.object(conferencePrompts)), "Sounds in place of the sentences that are spoken."),
    ]

    private static let sound = Schema.nullable(.text(.line(1...2048)))

    private static let conferencePrompts: [Schema.Field] = [
        .optional("pin", sound, "Asks for the PIN: an http(s) address, `recording:ID` or a sound of the server."),
        .optional("wrong_pin", sound, "It was wrong."), .optional("waiting", sound, "For who waits for the moderator."),
    ]

    static let participant = ResourceSchema("Participant", [
        id, .required("call_id", .text(.line(0...64)), "Empty for a stream of the conference itself."), .required("role", text), .required("muted", .boolean),
        .required("deaf", .boolean), .required("talking", .boolean), .optional("hand_raised", .boolean),
        .optional("waiting", .boolean, "For the moderator."), .required("joined_at", .text(.timestamp)),
        .optional("kind", .text(.choice(["phone", "supervisor", "stream"])), "`phone` if not given."),
    ] + ParticipantDirection.shown)

    static let supervision = ResourceSchema("Supervision", Supervising.resource)

    static let stream = ResourceSchema("Stream", Streams.resource)

    static let mediaQuality = ResourceSchema("MediaQuality", [
        .required("packets", .integer(0...Int64.max)), .required("lost", .integer(0...Int64.max)), .required("loss_percent", .number),
        .required("jitter_ms", .number), .optional("mos", .nullable(.number), "By ITU-T G.107, 1 to 4.5."),
    ])

    static let media = ResourceSchema("Media", [
        .optional("codec", .nullable(text)), .required("packets_in", .integer(0...Int64.max)),
        .required("packets_out", .integer(0...Int64.max)), .required("lost", .integer(0...Int64.max)),
        .required("jitter_ms", .number), .optional("mos", .nullable(.number)), .optional("round_trip_ms", .nullable(.number)),
        .optional("received", .nullable(mediaQuality.reference), "What was heard of the phone."),
        .optional("sent", .nullable(mediaQuality.reference), "What the phone heard, as it reports it."),
    ])

    static let call = ResourceSchema("Call", [
        id, customerID, .required("direction", .text(.choice(["inbound", "outbound"]))),
        .required("status", .text(.choice(CallStatus.names))), .required("from", text), .required("to", text),
        .optional("room_id", .nullable(text)), .optional("run_id", .nullable(text)), .optional("parent_call_id", .nullable(text)),
        .optional("trunk", .nullable(text), "The trunk it came over."), .optional("sip_call_id", .nullable(text)), .optional("sip_code", .nullable(.integer(100...699))),
        .optional("hangup_cause", .nullable(.integer(0...127)), "Q.850."),
        .optional("hangup_by", .nullable(text), "`caller`, `callee` or `platform`."),
        .optional(
            "hangup_reason", .nullable(text),
            "Why the platform ended it: `media_timeout`, `media_no_path`, `media_wrong_fingerprint`, `media_no_common_suite` or "
                + "`media_handshake_timed_out`; `offer_unanswered`: the phone never said what it can; `limit_customer_calls` and the like: there was no room for it; `server_lost`: nobody could go on with it."), createdAt,
        .optional("ringing_at", .nullable(.text(.timestamp))), .optional("answered_at", .nullable(.text(.timestamp))),
        .optional("ended_at", .nullable(.text(.timestamp))), .optional("media", .nullable(media.reference)),
        .optional("recording_ids", .nullable(.list(of: .text(.identifier), count: 0...100)), "Of this call, in the order they began."),
    ])

    static let play = ResourceSchema("Play", CallControl.play)
    static let gathering = ResourceSchema("Gathering", CallGather.resource)

    static let timelineEntry = ResourceSchema("TimelineEntry", CallTimeline.resource)

    static let limit = ResourceSchema("Limit", CallLimits.resource)

    static let newCalls = ResourceSchema("NewCalls", call.fields + [
        .required("calls", .list(of: call.reference, count: 1...10), "All calls that were made, in the order of `to`."),
        .required("refused", .list(of: .object(CallCreation.refusal), count: 0...10), "Of several destinations those that got no call."),
    ])

    static let recordingTrack = ResourceSchema("RecordingTrack", [
        .required("track", .integer(1...256)), .required("participant_id", .text(.identifier)), .required("call_id", text),
        .required("size", .integer(0...Int64.max)), .required("sha256", text),
    ])

    static let recording = ResourceSchema("Recording", [
        id, customerID, .required("status", .text(.choice(RecordingWords.statuses))),
        .required("layout", .text(.choice(RecordingWords.layouts))), .required("format", .text(.choice(RecordingWords.formats))),
        .required("room_id", text), .optional("call_id", .nullable(text)), .optional("conference_id", .nullable(text)),
        .optional("participant_id", .nullable(text), "Null: the whole room."), .optional("duration_ms", .nullable(.integer(0...Int64.max))),
        .optional("size", .nullable(.integer(0...Int64.max)), "Of what is downloaded, in bytes."),
        .optional("sha256", .nullable(text), "Of what is downloaded, in hexadecimal."),
        .optional("end_reason", .nullable(.text(.choice(RecordingWords.ends)))),
        .required("interrupted", .boolean, "The process that made it died: what came after that is not in it."),
        .optional("tracks", .nullable(.list(of: recordingTrack.reference, count: 0...256)), "Of the layout `tracks`."),
        .required("started_at", .text(.timestamp)), .optional("ended_at", .nullable(.text(.timestamp))),
        .optional("stored_at", .nullable(.text(.timestamp))),
    ])

    static let voicemail = ResourceSchema("Voicemail", [
        id, customerID, .required("mailbox", text), .required("status", .text(.choice(Voicemails.statuses))),
        .required("call_id", text), .required("from", text), .required("recording_id", .text(.identifier), "Its sound: /v1/recordings/{id}/media."),
        .required("duration_ms", .integer(0...Int64.max)), createdAt, .optional("read_at", .nullable(.text(.timestamp))),
    ])

    static let mailbox = ResourceSchema("Mailbox", [
        id, customerID, .required("name", text, "The word by which flows call it."), .required("has_pin", .boolean),
        .optional("greeting_text", .nullable(text)), .required("greeting_urls", .list(of: text, count: 0...16)),
        .optional("max_messages", .nullable(.integer(1...100_000))), createdAt, updatedAt,
    ])

    static let event = ResourceSchema("Event", [
        id, .required("type", text), .required("timestamp", .text(.timestamp)), customerID,
        .required("resource_id", .text(.identifier)),
        .required("sequence", .integer(1...Int64.max), "Counts the events of this resource without a gap."),
        .required("data", .anything, "The resource after the event, and what else is told of it."),
        .required("cursor", text, "Give it as `after` to go on behind this event."),
    ])

    /// Which events have which resource as their data: by their whole type, or by what stands in front of the dot. What else is told of a
    /// conference is not the whole of it.
    private static let ofEvents: [String: ResourceSchema] = [
        "call": call, "transcript": call, "extension": `extension`, "flow": flow, "run": run, "recording": recording, "voicemail": voicemail,
        "mailbox": mailbox, "stream": stream, "participant": participant, "conference.joined": participant, "conference.left": participant,
    ]

    static func completed(_ data: JSONValue, ofEvent type: String) -> JSONValue {
        (ofEvents[type] ?? ofEvents[String(type.prefix { $0 != "." })])?.completed(data) ?? data
    }

    /// Everything the OpenAPI document names.
    static let all = [
        customer, key, newKey, `extension`, flow, run, conference, participant, mediaQuality, media, call, play, gathering, timelineEntry, limit, newCalls, supervision, stream,
        recordingTrack, recording, voicemail, mailbox, event,
    ]
}
