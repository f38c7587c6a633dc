/// What a web server says about what it sends, as far as it matters to who keeps it.
struct WebHeaders: Sendable, Equatable {
    static let wanted = ["age", "cache-control", "date", "etag", "expires", "last-modified", "vary"]
    /// Longer values are nobody's business.
    private static let longest = 1024

    private var values: [String: String] = [:]

    /// The fields of the same name belong together, in their order (RFC 9110 §5.3).
    mutating func add(_ name: String, _ value: String) {
        let name = name.lowercased()
        guard Self.wanted.contains(name), value.utf8.count <= Self.longest else { return }
        values[name] = values[name].map { $0 + ", " + value } ?? value
    }

    subscript(_ name: String) -> String? { values[name] }
}

/// By what a server tells whether a copy is still good (RFC 9110 §8.8).
struct Validators: Codable, Sendable, Equatable {
    var etag: String?
    var lastModified: String?

    var isEmpty: Bool { etag == nil && lastModified == nil }
}

enum WebAnswer: Sendable, Equatable {
    case body([UInt8], WebHeaders)
    /// The copy that was asked about is good (304).
    case unchanged(WebHeaders)
}
