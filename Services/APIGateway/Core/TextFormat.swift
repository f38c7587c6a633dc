import Bytes
import Contracts
import Flow

/// A kind of text: how long, and what it looks like. The pattern is for readers of the OpenAPI document; `accepts` decides, and
/// a test holds the two together.
struct TextFormat: Sendable {
    let length: ClosedRange<Int>
    let pattern: String?
    /// `format` of JSON Schema.
    let format: String?
    let choices: [String]?
    /// Completes the sentence "must be ...".
    let expected: String
    let accepts: @Sendable (String) -> Bool

    private init(
        length: ClosedRange<Int>, pattern: String? = nil, format: String? = nil, choices: [String]? = nil, expected: String,
        accepts: @escaping @Sendable (String) -> Bool
    ) {
        (self.length, self.pattern, self.format) = (length, pattern, format)
        (self.choices, self.expected, self.accepts) = (choices, expected, accepts)
    }

    /// Why a text is refused; nil when it is fine.
    func objection(to text: String) -> String? {
        let count = text.unicodeScalars.count
        guard length.contains(count) else {
            return "must have from \(length.lowerBound) to \(length.upperBound) characters, not \(count)"
        }
        return accepts(text) ? nil : "must be \(expected)"
    }

    var document: JSONValue {
        var schema: [String: JSONValue] = ["type": "string"]
        if let choices {
            schema["enum"] = .array(choices.map { .string($0) })
            return .object(schema)
        }
        schema["minLength"] = .integer(Int64(length.lowerBound))
        schema["maxLength"] = .integer(Int64(length.upperBound))
        if let pattern { schema["pattern"] = .string(pattern) }
        if let format { schema["format"] = .string(format) }
        return .object(schema)
    }
}

extension TextFormat {
    /// One line for people: anything but control characters.
    static func line(_ length: ClosedRange<Int>) -> TextFormat {
        TextFormat(length: length, pattern: #"^[^\x00-\x1f\x7f]*$"#, expected: "one line without control characters") { text in
            text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        }
    }

    static func choice(_ choices: [String]) -> TextFormat {
        TextFormat(
            length: 0...64, choices: choices, expected: "one of " + choices.joined(separator: ", "),
            accepts: { choices.contains($0) })
    }

    /// What can be dialled on a keypad; `+` begins an E.164 number.
    static let number = TextFormat(
        length: 1...32, pattern: #"^\+?[0-9*#]{1,31}$"#, expected: "1 to 31 digits, * or #, optionally after +"
    ) { isNumber($0) }

    /// Where calls to an extension go on to.
    static let forwarding = TextFormat(
        length: 1...32, pattern: #"^(\+?[0-9*#]{1,31}|voicemail)$"#, expected: "a number of yours, or \(CallForwarding.voicemail)"
    ) { $0 == CallForwarding.voicemail || isNumber($0) }

    /// A number, or a SIP URI of RFC 3261 §19.1 without parameters and headers.
    static let destination = TextFormat(
        length: 1...400, pattern: #"^(\+?[0-9*#]{1,31}|sips?:[!-9;A-~]{1,128}@[A-Za-z0-9.:\[\]-]{1,253})$"#,
        expected: "a number or a SIP URI such as sip:1002@demo.localhost"
    ) { text in
        if isNumber(text) { return true }
        guard text.hasPrefix("sip:") || text.hasPrefix("sips:"), let colon = text.firstIndex(of: ":") else { return false }
        let parts = text[text.index(after: colon)...].split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...128).contains(parts[0].utf8.count), (1...253).contains(parts[1].utf8.count) else { return false }
        return parts[0].utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "@") }
            && parts[1].utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || ".:[]-".utf8.contains($0) }
    }

    /// A DNS name (RFC 1123 §2.1) or an IPv4 address, in lower case.
    static let domain = TextFormat(
        length: 1...253, pattern: #"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"#,
        format: "hostname", expected: "a domain name in lower case such as example.com"
    ) { text in
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            let bytes = Array(label.utf8)
            return (1...63).contains(bytes.count) && bytes.first != UInt8(ascii: "-") && bytes.last != UInt8(ascii: "-")
                && bytes.allSatisfy { (97...122).contains($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }

    /// The id of a resource.
    static let identifier = TextFormat(length: 1...64, pattern: "^[A-Za-z0-9_-]+$", expected: "the id of a resource") { text in
        text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    /// A secret that people type into phones: visible ASCII.
    static let password = TextFormat(length: 6...128, pattern: "^[!-~]+$", expected: "visible ASCII characters without spaces") { text in
        text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    static let pin = TextFormat(length: 1...16, pattern: "^[0-9]+$", expected: "digits") { $0.utf8.allSatisfy(ASCII.isDigit) }

    /// As `voicemail_check` takes it.
    static let mailboxPIN = TextFormat(length: 4...16, pattern: "^[0-9]+$", expected: "4 to 16 digits") { $0.utf8.allSatisfy(ASCII.isDigit) }

    static let timestamp = TextFormat(
        length: 20...40, format: "date-time", expected: "an RFC 3339 time such as 2027-01-31T12:00:00Z"
    ) { Timestamp($0) != nil }

    private static func isNumber(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "+") ? Array(text.utf8.dropFirst()) : Array(text.utf8)
        return (1...31).contains(digits.count)
            && digits.allSatisfy { ASCII.isDigit($0) || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "#") }
    }
}
