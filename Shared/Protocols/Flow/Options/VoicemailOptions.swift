/// `record`: records what the caller says, and goes on when it has ended.
public struct Record: Sendable, Hashable, OptionFields {
    /// What can be written.
    public enum Format: String, Sendable, Hashable, OptionChoice { case wav, ogg }

    public var format = Format.wav
    /// Seconds.
    public var duration = 120
    /// Seconds in which the caller says nothing; 0: never.
    public var endOfSilence = 5
    public var endOfKey = RecordingStart.EndKey.any
    public var beep = true

    public init() {}

    public var endKeys: String {
        var start = RecordingStart()
        start.endOfKey = endOfKey
        return start.endKeys
    }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("format", &format, .optional)
        visitor.integer("duration", &duration, .optional, in: 1...3600)
        visitor.integer("end_of_silence", &endOfSilence, .optional, in: 0...600)
        visitor.choice("end_of_key", &endOfKey, .optional)
        visitor.flag("beep", &beep)
    }
}

/// `voicemail`: greets, records a message and puts it into a mailbox.
public struct Voicemail: Sendable, Hashable, OptionFields {
    public var mailbox = ""
    static let usualGreeting = "Please leave a message after the tone."

    /// What is said first; an empty text: nothing. Of the usual the mailbox may have another.
    public var greetingText = Self.usualGreeting
    /// Sounds instead of the text.
    public var greetingURLs: [String] = []
    public var language: String?
    public var voiceID: String?
    /// Of the recording.
    public var record = Record()
    /// Milliseconds; what is shorter is no message.
    public var shortest = 1000

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("mailbox", &mailbox, .required, .identifier)
        visitor.string("greeting_text", &greetingText, .optional, .text)
        visitor.strings("greeting_urls", &greetingURLs, .optional, .url)
        visitor.string("language", &language, .short)
        visitor.string("voice_id", &voiceID, .short)
        visitor.integer("shortest", &shortest, .optional, in: 0...60_000)
        record.visit(&visitor)
    }
}

/// `voicemail_check`: plays the messages of a mailbox, which the caller keeps or deletes by keys.
public struct VoicemailCheck: Sendable, Hashable, OptionFields {
    /// What it says; each can be given in another language.
    public enum Phrase: String, Sendable, CaseIterable {
        case pin, count, none, menu, deleted, saved, end
        case wrongPIN = "wrong_pin"

        var usual: String {
            switch self {
            case .pin: "Please enter your PIN."
            case .wrongPIN: "That is wrong."
            case .count: "You have %new new and %saved saved messages."
            case .none: "You have no messages."
            case .menu: "One to hear it again, two for the next, three to delete it, four to keep it as new, star to end."
            case .deleted: "Deleted."
            case .saved: "Saved."
            case .end: "No more messages."
            }
        }
    }

    public var mailbox = ""
    /// The digits that open it; without, those of the mailbox, if it has any.
    public var pin: String?
    public var attempts = 3
    public var language: String?
    public var voiceID: String?
    /// At most so many messages are played.
    public var limit = 50
    public var texts: [String: String] = [:]

    public init() {}

    func text(_ phrase: Phrase) -> String { texts[phrase.rawValue] ?? phrase.usual }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("mailbox", &mailbox, .required, .identifier)
        visitor.string("pin", &pin, .short)
        visitor.integer("attempts", &attempts, .optional, in: 1...10)
        visitor.string("language", &language, .short)
        visitor.string("voice_id", &voiceID, .short)
        visitor.integer("limit", &limit, .optional, in: 1...100)
        visitor.texts("texts", &texts, .text)
    }

    func check(_ reader: inout OptionReader) {
        if let pin, !pin.contains("${"), !(4...16).contains(pin.utf8.count) || !pin.allSatisfy({ ("0"..."9").contains($0) }) {
            reader.note(reader.pointer.pointing(at: "pin"), .invalidValue, "a PIN has 4 to 16 digits")
        }
        for name in texts.keys.sorted() where Phrase(rawValue: name) == nil {
            let names = Phrase.allCases.map(\.rawValue).joined(separator: ", ")
            reader.note(reader.pointer.pointing(at: "texts").pointing(at: name), .unknownField, "there are the texts \(names)")
        }
    }
}
