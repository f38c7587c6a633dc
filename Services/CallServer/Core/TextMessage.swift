import Bytes

/// What a MESSAGE within a call says (RFC 3428): plain text, and no other content.
struct TextMessage: Hashable, Sendable {
    /// Longer ones are 413.
    static let longest = 8 << 10
    static let contentType = "text/plain"

    let text: String

    enum Mistake: Error, Hashable {
        case unsupported, tooLarge, malformed

        var code: Int {
            switch self {
            case .unsupported: 415
            case .tooLarge: 413
            case .malformed: 400
            }
        }
    }

    init(contentType: String, body: [UInt8]) throws(Mistake) {
        let parts = contentType.split(separator: ";", omittingEmptySubsequences: false).map { $0.filter { $0 != " " && $0 != "\t" } }
        guard let type = parts.first, ASCII.equalsIgnoringCase(type, Self.contentType) else { throw .unsupported }
        // UTF-8, of which US-ASCII is a part (RFC 3428 §4); others would be read as what they are not.
        let charset = parts.dropFirst().first { $0.lowercased().hasPrefix("charset=") }?.dropFirst("charset=".count)
        if let charset = charset?.filter({ $0 != "\"" }).lowercased(), charset != "utf-8", charset != "us-ascii" { throw .unsupported }
        guard body.count <= Self.longest else { throw .tooLarge }
        // PostgreSQL keeps no NUL in an event.
        guard !body.contains(0), let text = String(validating: body, as: UTF8.self) else { throw .malformed }
        self.text = text
    }
}
