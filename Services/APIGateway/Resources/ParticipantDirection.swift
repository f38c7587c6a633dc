import Contracts

/// How loud a participant is, who hears it and whom it hears: the fields of a PATCH, and of the resource.
enum ParticipantDirection {
    private static let participant = Schema.text(.identifier)
    private static let circle = Schema.list(of: participant, count: 1...50)

    static let fields: [Schema.Field] = [
        .optional("gain_in", .number, "Of its voice, in dB: -60 to 20."), .optional("gain_out", .number, "Of what it hears, in dB."),
        .optional("whisper_to", .nullable(participant), "The participant that alone hears it; null: everybody again."),
        .optional("hears", .nullable(circle), "The participants that it hears; null: everybody again."),
    ]

    static let shown: [Schema.Field] = [
        .optional("gain_in", .nullable(.number), "In dB; null: 0."), .optional("gain_out", .nullable(.number), "In dB; null: 0."),
        .optional("whisper_to", .nullable(participant), "Who alone hears it."),
        .optional("hears", .nullable(circle), "Whom alone it hears."),
    ]

    static func change(in fields: Fields) -> DirectionChange? {
        let change = DirectionChange(
            gainIn: fields["gain_in"]?.double, gainOut: fields["gain_out"]?.double, whisperTo: fields.change("whisper_to"),
            hears: fields["hears"] == .null ? [] : fields.texts("hears"))
        return change.isEmpty ? nil : change
    }
}
