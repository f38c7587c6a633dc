/// The variables of a run: names and text. What the platform knows is called `voipbin.…`, as in VoIPbin; everything
/// else the flow sets itself.
public struct Variables: Sendable, Hashable {
    public private(set) var values: [String: String]

    public init(_ values: [String: String] = [:]) { self.values = values }

    public static let digits = "voipbin.call.digits"
    static let actionResult = "voipbin.action.result"
    static let actionCode = "voipbin.action.code"

    /// Shorter names people expect for what has a long one.
    private static let aliases: [String: String] = [
        "digits": digits,
        "amd.result": "voipbin.call.amd.result",
        "amd.reason": "voipbin.call.amd.reason",
        "amd.beep": "voipbin.call.amd.beep",
        "call.from": "voipbin.call.source.target",
        "call.to": "voipbin.call.destination.target",
        "voipbin.call.from": "voipbin.call.source.target",
        "voipbin.call.to": "voipbin.call.destination.target",
    ]

    /// The value of a variable: by its name, by an alias, without the prefix `voipbin.`, or as a member of a variable
    /// whose value is JSON text (`order.items.0.name`). Empty when there is none.
    public subscript(name: String) -> String {
        var documents: [String: JSONValue] = [:]
        return value(of: name, &documents)
    }

    /// `documents` keeps what was parsed, so that a text full of references into one variable parses it once.
    private func value(of name: String, _ documents: inout [String: JSONValue]) -> String {
        if let value = scalar(name) { return value }
        // The longest name that has a value; the rest of the path leads into that value.
        guard name.utf8.count <= 256 else { return "" }
        var path = name.split(separator: ".", omittingEmptySubsequences: false)
        var members: [Substring] = []
        while path.count > 1 {
            members.append(path.removeLast())
            let owner = path.joined(separator: ".")
            guard let text = scalar(owner) else { continue }
            // Text that is no JSON has no members.
            let document = documents[owner] ?? (try? JSONValue(json: text)) ?? .null
            documents[owner] = document
            return Self.member(members.reversed(), of: document)
        }
        return ""
    }

    private func scalar(_ name: String) -> String? {
        if let value = values[name] { return value }
        if let alias = Self.aliases[name], let value = values[alias] { return value }
        return values["voipbin." + name]
    }

    private static func member(_ path: some Sequence<Substring>, of document: JSONValue) -> String {
        var value = document
        for name in path {
            switch value {
            case .object(let members):
                guard let member = members[String(name)] else { return "" }
                value = member
            case .array(let elements):
                guard let index = Int(name), elements.indices.contains(index) else { return "" }
                value = elements[index]
            default: return ""
            }
        }
        switch value {
        case .null: return ""
        case .string(let text): return text
        default: return value.jsonText
        }
    }

    /// The name in a text that is nothing but `${name}`.
    static func name(in text: String) -> String? {
        guard text.hasPrefix("${"), text.firstIndex(of: "}") == text.indices.last else { return nil }
        return text.dropFirst(2).dropLast().trimmingSpaces
    }

    /// What a condition compares: `name` and `${name}` mean the variable, any other template the text it gives.
    func value(ofNameOrTemplate text: String) -> String {
        if let name = Self.name(in: text) { return self[name] }
        return text.contains("${") ? substituted(in: text) : self[text]
    }

    /// Sets a variable on behalf of a flow; false when a limit forbids it, and then nothing has changed.
    mutating func set(_ name: String, to value: String, within limits: Limits) -> Bool {
        guard !name.isEmpty, name.utf8.count <= limits.short, value.utf8.count <= limits.valueBytes else { return false }
        if values[name] == nil, values.count >= limits.variables { return false }
        let bytes = values.reduce(into: 0) { $0 += $1.key.utf8.count + $1.value.utf8.count }
        let replaced = values[name].map { name.utf8.count + $0.utf8.count } ?? 0
        guard bytes - replaced + name.utf8.count + value.utf8.count <= limits.variableBytes else { return false }
        values[name] = value
        return true
    }

    /// Sets what the platform itself has to say. Its names are few and its values short, so no limit stands in the way.
    mutating func setSystem(_ name: String, to value: String?) { values[name] = value }

    /// Empties a variable that exists, by whichever of its names.
    mutating func clear(_ name: String) {
        for name in [name, Self.aliases[name] ?? name, "voipbin." + name] where values[name] != nil {
            values[name] = ""
            return
        }
    }

    /// Replaces every `${name}` in one pass: what a value contains is text, never a template.
    ///
    /// An unfinished `${` stays as it is. The result ends at a character before it would outgrow `bytes`.
    public func substituted(in template: String, bytes: Int = .max) -> String {
        var documents: [String: JSONValue] = [:]
        var text = ""
        var rest = Substring(template)
        while let dollar = rest.utf8.firstIndex(of: UInt8(ascii: "$")), text.utf8.count <= bytes {
            let open = rest.utf8.index(after: dollar)
            guard open < rest.endIndex, rest.utf8[open] == UInt8(ascii: "{") else {
                text += rest[..<open]
                rest = rest[open...]
                continue
            }
            guard let close = rest.utf8[open...].firstIndex(of: UInt8(ascii: "}")) else { break }
            text += rest[..<dollar]
            text += value(of: rest[rest.utf8.index(after: open)..<close].trimmingSpaces, &documents)
            rest = rest[rest.utf8.index(after: close)...]
        }
        text += rest
        return text.prefix(utf8: bytes)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

extension String {
    /// The longest beginning of whole characters that fits into `count` bytes.
    func prefix(utf8 count: Int) -> String {
        guard utf8.count > count else { return self }
        var end = utf8.index(startIndex, offsetBy: count)
        while end > startIndex, end.samePosition(in: self) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
