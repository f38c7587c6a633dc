/// The `types` filter of the event log: `call.*`, `call.answered`, several separated by commas; `*` means all.
struct EventPattern: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case exactly(String)
        /// With the dot.
        case prefix(String)
        case all
    }

    private let parts: [Part]

    static let everything = EventPattern(parts: [.all])

    private init(parts: [Part]) { self.parts = parts }

    /// Nil when a word is no event type and no `<resource>.*`.
    init?(_ text: String) {
        var parts: [Part] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            if word == "*" {
                parts.append(.all)
            } else if word.hasSuffix(".*"), Self.isName(word.dropLast(2)) {
                parts.append(.prefix(String(word.dropLast())))
            } else if Self.isName(word) {
                parts.append(.exactly(String(word)))
            } else {
                return nil
            }
        }
        guard !parts.isEmpty, parts.count <= 32 else { return nil }
        self.parts = parts
    }

    func matches(_ type: String) -> Bool {
        parts.contains { part in
            switch part {
            case .exactly(let name): type == name
            case .prefix(let prefix): type.hasPrefix(prefix)
            case .all: true
            }
        }
    }

    /// Patterns for SQL's LIKE; nil when everything matches. Names are letters, digits and `_`, and that is escaped.
    var likePatterns: [String]? {
        if parts.contains(.all) { return nil }
        return parts.map { part in
            switch part {
            case .exactly(let name): Self.escaped(name)
            case .prefix(let prefix): Self.escaped(prefix) + "%"
            case .all: "%"
            }
        }
    }

    private static func escaped(_ name: String) -> String {
        name.split(separator: "_", omittingEmptySubsequences: false).joined(separator: "\\_")
    }

    private static func isName(_ word: Substring) -> Bool {
        (1...64).contains(word.utf8.count) && word.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
        }
    }
}
