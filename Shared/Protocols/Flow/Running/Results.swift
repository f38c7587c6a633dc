/// What became of the actions of a run, the latest of each id, at most `most` of them and `mostBytes`: the oldest goes first.
public struct Results: Sendable, Hashable {
    static let name = "results"
    static let most = 32
    static let mostBytes = 64 << 10

    struct Entry: Sendable, Hashable {
        let action: String
        var result: [String: JSONValue]
    }

    private(set) var entries: [Entry] = []

    init(_ entries: [Entry] = []) { self.entries = entries }

    subscript(action: String) -> [String: JSONValue]? { entries.last { $0.action == action }?.result }

    mutating func record(_ result: [String: JSONValue], of action: String) {
        entries.removeAll { $0.action == action }
        entries.append(Entry(action: action, result: result))
        if entries.count > Self.most { entries.removeFirst() }
        var bytes = entries.reduce(0) { $0 + JSONValue.object($1.result).approximateBytes }
        while bytes > Self.mostBytes, entries.count > 1 {
            bytes -= JSONValue.object(entries.removeFirst().result).approximateBytes
        }
    }

    var json: JSONValue { .array(entries.map { ["id": .string($0.action), "is": .object($0.result)] }) }

    init(json: JSONValue?) {
        entries = (json?.array ?? []).compactMap { entry in
            guard let action = entry["id"]?.string, let result = entry["is"]?.object else { return nil }
            return Entry(action: action, result: result)
        }
    }
}

extension JSONValue {
    /// About as many as its JSON text has; what bounds are kept by.
    var approximateBytes: Int {
        switch self {
        case .null: 0
        case .bool: 5
        case .integer, .number: 8
        case .string(let text): text.utf8.count
        case .array(let elements): elements.reduce(2) { $0 + $1.approximateBytes + 1 }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + $1.value.approximateBytes + 4 }
        }
    }
}
