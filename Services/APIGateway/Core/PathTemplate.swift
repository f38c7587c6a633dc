/// A path such as `/v1/calls/{id}` (OpenAPI's path templating).
struct PathTemplate: Sendable, Equatable {
    private enum Segment: Sendable, Equatable {
        case literal(String)
        case parameter(String)
    }

    let text: String
    private let segments: [Segment]

    init(_ text: String) {
        self.text = text
        segments = Self.split(text).map { segment in
            segment.hasPrefix("{") && segment.hasSuffix("}")
                ? .parameter(String(segment.dropFirst().dropLast())) : .literal(String(segment))
        }
    }

    var parameters: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    static func split(_ path: some StringProtocol) -> [String] {
        path.split(separator: "/" as Character, omittingEmptySubsequences: false).dropFirst().map { String($0) }
    }

    /// The parameters by name when the path, split, is one of this template.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var found: [String: String] = [:]
        for (segment, given) in zip(segments, path) {
            switch segment {
            case .literal(let text):
                guard given == text else { return nil }
            case .parameter(let name):
                guard !given.isEmpty else { return nil }
                found[name] = given
            }
        }
        return found
    }
}
