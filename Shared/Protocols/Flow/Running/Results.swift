/// What became of the actions of a run, the latest of each id, at most `most` of them and `mostBytes`: the oldest goes first.
public struct Results: Sendable, Hashable {
    static let name = "results"
    static let most = 32
    static let mostBytes = 64 << 10

    /// An outcome as it came: what variables see of it is made when one looks.
    struct Entry: Sendable, Hashable {
        let action: String
        let outcome: Outcome.Result
        let code: String?
        let digits: String?
        let data: [String: JSONValue]
        let bytes: Int

        init(action: String, _ outcome: Outcome) {
            (self.action, self.outcome, code, digits) = (action, outcome.result, outcome.code, outcome.digits)
            data = (outcome.data ?? [:]).isEmpty ? [:] : (outcome.data ?? [:]).filter { !["result", "code", "digits"].contains($0.key) }
            bytes = data.reduce(16 + (code?.utf8.count ?? 0) + (digits?.utf8.count ?? 0)) { $0 + $1.key.utf8.count + $1.value.approximateBytes + 4 }
        }

        var result: [String: JSONValue] {
            var result = data
            result["result"] = .string(outcome.rawValue)
            result["code"] = code.map(JSONValue.string)
            result["digits"] = digits.map(JSONValue.string)
            return result
        }

        init?(action: String, result: [String: JSONValue]) {
            guard let word = result["result"]?.string.flatMap(Outcome.Result.init) else { return nil }
            self.init(action: action, Outcome(word, digits: result["digits"]?.string, code: result["code"]?.string, data: result))
        }
    }

    private(set) var entries: [Entry] = []
    /// Of all entries together.
    private var bytes = 0

    init(_ entries: [Entry] = []) {
        self.entries = entries
        bytes = entries.reduce(0) { $0 + $1.bytes }
    }

    subscript(action: String) -> [String: JSONValue]? { entries.last { $0.action == action }?.result }

    mutating func record(_ outcome: Outcome, of action: String) { record(Entry(action: action, outcome)) }

    mutating func record(_ entry: Entry) {
        bytes += entry.bytes
        if let old = entries.lastIndex(where: { $0.action == entry.action }) {
            bytes -= entries[old].bytes
            // The newest stand last.
            for index in old..<(entries.count - 1) { entries.swapAt(index, index + 1) }
            entries[entries.count - 1] = entry
        } else {
            entries.append(entry)
        }
        while entries.count > Self.most || (bytes > Self.mostBytes && entries.count > 1) { bytes -= entries.removeFirst().bytes }
    }

    var json: JSONValue { .array(entries.map { ["id": .string($0.action), "is": .object($0.result)] }) }

    init(json: JSONValue?) {
        self.init((json?.array ?? []).compactMap { entry in
            guard let action = entry["id"]?.string, let result = entry["is"]?.object else { return nil }
            return Entry(action: action, result: result)
        })
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
