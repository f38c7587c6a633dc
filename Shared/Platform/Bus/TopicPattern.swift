/// A binding pattern of a topic exchange: words between dots, `*` for exactly one, `#` for any number of them.
struct TopicPattern: Sendable, Equatable {
    private let words: [Substring]

    init(_ text: String) { words = Self.words(text) }

    func matches(_ routingKey: String) -> Bool { matches(Self.words(routingKey)) }

    fileprivate func matches(_ key: [Substring]) -> Bool { Self.matches(words[...], key[...]) }

    fileprivate static func words(_ text: String) -> [Substring] { text.split(separator: ".", omittingEmptySubsequences: false) }

    private static func matches(_ pattern: ArraySlice<Substring>, _ key: ArraySlice<Substring>) -> Bool {
        guard let first = pattern.first else { return key.isEmpty }
        if first == "#" {
            return (0...key.count).contains { matches(pattern.dropFirst(), key.dropFirst($0)) }
        }
        guard let word = key.first, first == "*" || first == word else { return false }
        return matches(pattern.dropFirst(), key.dropFirst())
    }
}

extension [TopicPattern] {
    /// Whether one of them matches.
    func match(_ routingKey: String) -> Bool {
        let words = TopicPattern.words(routingKey)
        return contains { $0.matches(words) }
    }
}
