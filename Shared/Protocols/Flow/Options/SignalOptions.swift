/// `play_tone`: a tone of call progress, or of any frequency.
public struct PlayTone: Sendable, Hashable, OptionFields {
    public enum Tone: String, Sendable, Hashable, OptionChoice {
        case dial, ringing, busy, congestion, beep
        case callWaiting = "call_waiting"
        case specialInformation = "special_information"
    }

    public var tone: Tone?
    /// Whose tone (ISO 3166); the installation's without it.
    public var country: String?
    /// In Hz; instead of `tone`.
    public var frequency: Int?
    /// Milliseconds. Without it a tone is heard for one period, a frequency for 500 ms.
    public var duration: Int?
    /// A digit ends it.
    public var digitsHandle: Talk.DigitsHandle?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("tone", &tone)
        visitor.string("country", &country, .identifier)
        visitor.integer("frequency", &frequency, in: 20...3800)
        visitor.integer("duration", &duration, in: 20...3_600_000)
        visitor.choice("digits_handle", &digitsHandle)
    }

    func check(_ reader: inout OptionReader) {
        guard (tone == nil) == (frequency == nil), reader.problems.isEmpty else { return }
        reader.note(reader.pointer.pointing(at: "tone"), tone == nil ? .missing : .invalidValue, "give either tone or frequency")
    }
}

/// `set_header`: a header field of the SIP messages of this call from here on: of the answer to the caller, and of the calls that
/// `connect` and `dial` make. An empty value takes it back.
public struct SetHeader: Sendable, Hashable, OptionFields {
    public var name = ""
    public var value = ""

    public static let longestValue = 1024

    /// Those that mean nothing to the dialog or to routing.
    private static let known: Set<String> = [
        "alert-info", "call-info", "diversion", "history-info", "organization", "priority", "subject", "user-to-user",
    ]

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("name", &name, .required, .short)
        visitor.string("value", &value, .required, .value)
    }

    public static func isAllowed(_ name: String) -> Bool {
        let lower = name.lowercased()
        // Our own services tell each other by these.
        return HeaderName.isToken(name) && (lower.hasPrefix("x-") && !lower.hasPrefix("x-tandem-") || known.contains(lower))
    }

    /// One line of text (RFC 3261 §25.1), as the variables in it have made it.
    public static func isValue(_ text: String) -> Bool {
        text.utf8.count <= longestValue && text.utf8.allSatisfy { $0 >= 32 && $0 != 127 }
    }

    func check(_ reader: inout OptionReader) {
        guard !name.isEmpty, !name.contains("${"), !Self.isAllowed(name) else { return }
        reader.note(reader.pointer.pointing(at: "name"), .invalidValue, "a header that begins with X-, or one of \(Self.known.sorted())")
    }
}
