import Bytes

/// The key that an INFO tells of, in the ways phones had before info packages (RFC 6086 §1): the bodies `application/dtmf-relay`
/// (`Signal=5`, `Duration=160`) and `application/dtmf` (`5`).
struct PressedKey: Hashable, Sendable {
    static let contentTypes = "application/dtmf-relay, application/dtmf"
    /// No such body is longer.
    private static let longestBody = 512
    private static let usualDuration = 160

    /// `0`...`9`, `*`, `#`, `A`...`D`.
    let digit: String
    /// In ms.
    let duration: Int

    enum Mistake: Error, Hashable {
        /// Another content than these: 415.
        case unsupported
        /// No key: 400.
        case malformed
    }

    init(contentType: String, body: [UInt8]) throws(Mistake) {
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " }
        let isRelay = ASCII.equalsIgnoringCase(type, "application/dtmf-relay")
        guard isRelay || ASCII.equalsIgnoringCase(type, "application/dtmf") else { throw .unsupported }
        guard body.count <= Self.longestBody else { throw .malformed }
        let text = String(decoding: body, as: UTF8.self)
        let fields = Self.fields(text)
        guard let key = isRelay ? fields["signal"] : fields["signal"] ?? Self.firstWord(text), let digit = Self.digit(key) else {
            throw .malformed
        }
        self.digit = digit
        duration = fields["duration"].flatMap { ASCII.decimal($0.utf8) }.map { Int(clamping: min($0, 8000)) } ?? Self.usualDuration
    }

    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].filter { !$0.isWhitespace }.lowercased()] = parts[1].filter { !$0.isWhitespace }
        }
        return fields
    }

    private static func firstWord(_ text: String) -> String? { text.split(whereSeparator: \.isWhitespace).first.map(String.init) }

    /// Some write the event's code (RFC 4733 §3.2) instead of the key.
    private static func digit(_ text: String) -> String? {
        let text = text.uppercased()
        switch text {
        case "10": return "*"
        case "11": return "#"
        case "12", "13", "14", "15": return ["A", "B", "C", "D"][(Int(text) ?? 12) - 12]
        default: return text.count == 1 && "0123456789*#ABCD".contains(text) ? text : nil
        }
    }
}
