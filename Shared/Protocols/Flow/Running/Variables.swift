/// The variables of a run: names, and values of any JSON type. What the platform knows is called `voipbin.…`, as in VoIPbin;
/// everything else the flow sets itself.
public struct Variables: Sendable, Hashable {
    /// Those that are not written at every step.
    private var others: [String: JSONValue]
    /// Of all names and values together: counted along, as a flow may set variables at every step.
    private var bytes: Int
    /// Those that are, each with a place of its own: nothing has to be looked up.
    private var places = Places()
    /// What became of each action, by its id: `results.ask.digits`.
    public private(set) var results = Results()

    private struct Places: Hashable, Sendable {
        var result: JSONValue?
        var code: JSONValue?
        var digits: JSONValue?
    }

    private enum Place: CaseIterable {
        case result, code, digits

        init?(_ name: String) {
            switch name.utf8.count {
            case 19 where name == Variables.digits: self = .digits
            case 19 where name == Variables.actionCode: self = .code
            case 21 where name == Variables.actionResult: self = .result
            default: return nil
            }
        }

        var name: String {
            switch self {
            case .result: Variables.actionResult
            case .code: Variables.actionCode
            case .digits: Variables.digits
            }
        }
    }

    private subscript(place: Place) -> JSONValue? {
        get {
            switch place {
            case .result: places.result
            case .code: places.code
            case .digits: places.digits
            }
        }
        set {
            if let old = self[place] { bytes -= Self.bytes(place.name, old) }
            if let newValue { bytes += Self.bytes(place.name, newValue) }
            switch place {
            case .result: places.result = newValue
            case .code: places.code = newValue
            case .digits: places.digits = newValue
            }
        }
    }

    public init(_ values: [String: String] = [:]) { self.init(json: values.mapValues(JSONValue.string), results: Results()) }

    init(json values: [String: JSONValue], results: Results) {
        (others, bytes, self.results) = ([:], 0, results)
        others.reserveCapacity(values.count)
        for (name, value) in values { put(value, at: name) }
    }

    /// All of them by name.
    public var values: [String: JSONValue] {
        var all = others
        for place in Place.allCases { all[place.name] = self[place] }
        return all
    }

    private var count: Int { others.count + Place.allCases.count { self[$0] != nil } }

    private static func bytes(_ name: String, _ value: JSONValue) -> Int { name.utf8.count + value.approximateBytes }

    private func own(_ name: String) -> JSONValue? {
        if let place = Place(name) { return self[place] }
        return others[name]
    }

    /// The only place where a value changes.
    private mutating func put(_ value: JSONValue?, at name: String) {
        if let place = Place(name) {
            self[place] = value
            return
        }
        if let value { bytes += Self.bytes(name, value) }
        let old = if let value { others.updateValue(value, forKey: name) } else { others.removeValue(forKey: name) }
        if let old { bytes -= Self.bytes(name, old) }
    }

    public static let digits = "voipbin.call.digits"
    static let actionResult = "voipbin.action.result"
    static let actionCode = "voipbin.action.code"
    public static let callStatus = "voipbin.call.status"
    /// `yes` when who calls does not want to be known to who is called (RFC 3323).
    public static let callIsAnonymous = "voipbin.call.anonymous"

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

    /// The text of a variable: by its name, by an alias, without the prefix `voipbin.`, or as a member of a variable that is a list, an
    /// object or JSON text (`order.items[0].name`, `order.items.0.name`). Empty when there is none.
    public subscript(name: String) -> String {
        var documents: [String: JSONValue] = [:]
        return value(of: name, &documents)?.plainText ?? ""
    }

    /// The value itself; nil when there is none.
    public func value(of name: String) -> JSONValue? {
        var documents: [String: JSONValue] = [:]
        return value(of: name, &documents)
    }

    /// `documents` keeps what was parsed, so that a text full of references into one variable parses it once.
    private func value(of name: String, _ documents: inout [String: JSONValue]) -> JSONValue? {
        if let value = scalar(name) { return value }
        guard name.utf8.count <= 256, let path = Self.path(name), path.count > 1 else { return nil }
        return value(at: path, &documents)
    }

    func value(at path: [String]) -> JSONValue? {
        if path.count == 1 { return scalar(path[0]) }
        var documents: [String: JSONValue] = [:]
        return value(at: path, &documents)
    }

    /// The longest name that has a value; the rest of the path leads into that value.
    private func value(at path: [String], _ documents: inout [String: JSONValue]) -> JSONValue? {
        for count in stride(from: path.count, through: 1, by: -1) {
            let owner = path[..<count].joined(separator: ".")
            guard let value = scalar(owner) else { continue }
            if count == path.count { return value }
            return Self.member(path[count...], of: opened(value, owner, &documents))
        }
        guard path[0] == Results.name, path.count > 1, let result = results[path[1]] else { return nil }
        return Self.member(path[2...], of: .object(result))
    }

    /// A text that is JSON has members; another has none.
    private func opened(_ value: JSONValue, _ owner: String, _ documents: inout [String: JSONValue]) -> JSONValue {
        guard case .string(let text) = value else { return value }
        if let document = documents[owner] { return document }
        let document = (try? JSONValue(json: text)) ?? .null
        documents[owner] = document
        return document
    }

    /// `a.b[0]["c d"]` as its parts; nil when a bracket has no end.
    static func path(_ name: String) -> [String]? {
        guard name.utf8.contains(UInt8(ascii: "[")) else {
            return name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        }
        var path: [String] = []
        var rest = Substring(name)
        while true {
            let part = rest.prefix { $0 != "." && $0 != "[" }
            path.append(String(part))
            rest = rest[part.endIndex...]
            while rest.first == "[" {
                let inner = rest.dropFirst()
                let quote = inner.first.flatMap { $0 == "\"" || $0 == "'" ? $0 : nil }
                let start = quote == nil ? inner.startIndex : inner.index(after: inner.startIndex)
                guard let end = inner[start...].firstIndex(of: quote ?? "]") else { return nil }
                path.append(quote == nil ? Substring(inner[start..<end]).trimmingSpaces : String(inner[start..<end]))
                rest = inner[inner.index(after: end)...]
                if quote != nil {
                    guard rest.first == "]" else { return nil }
                    rest.removeFirst()
                }
            }
            guard let next = rest.first else { return path }
            guard next == "." else { return nil }
            rest.removeFirst()
        }
    }

    private func scalar(_ name: String) -> JSONValue? {
        if let value = own(name) { return value }
        if let alias = Self.aliases[name], let value = own(alias) { return value }
        return own("voipbin." + name)
    }

    private static func member(_ path: some Sequence<String>, of document: JSONValue) -> JSONValue? {
        var value = document
        for name in path {
            switch value {
            case .object(let members):
                guard let member = members[name] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Int(name), elements.indices.contains(index) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// The name in a text that is nothing but `${name}`.
    static func name(in text: String) -> String? {
        guard text.hasPrefix("${"), text.firstIndex(of: "}") == text.indices.last else { return nil }
        return text.dropFirst(2).dropLast().trimmingSpaces
    }

    /// What a condition compares: `name` and `${name}` mean the variable, any other template the text it gives.
    func value(ofNameOrTemplate text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return self[text] }
        if let name = Self.name(in: text) { return self[name] }
        return text.contains("${") ? substituted(in: text) : self[text]
    }

    /// Sets a variable on behalf of a flow; false when a limit forbids it, and then nothing has changed.
    mutating func set(_ name: String, to value: JSONValue, within limits: Limits) -> Bool {
        let size = value.approximateBytes
        guard !name.isEmpty, name.utf8.count <= limits.short, size <= limits.valueBytes else { return false }
        // In most cases it is there already, and is looked up once.
        if let index = others.index(forKey: name) {
            let change = size - others.values[index].approximateBytes
            guard bytes + change <= limits.variableBytes else { return false }
            others.values[index] = value
            bytes += change
            return true
        }
        let old = Place(name).flatMap { self[$0] }
        if old == nil, count >= limits.variables { return false }
        let replaced = old.map { Self.bytes(name, $0) } ?? 0
        guard bytes - replaced + name.utf8.count + size <= limits.variableBytes else { return false }
        put(value, at: name)
        return true
    }

    /// Sets what the platform itself has to say. Its names are few and its values short, so no limit stands in the way.
    mutating func setSystem(_ name: String, to value: String?) { put(value.map(JSONValue.string), at: name) }

    mutating func setDigits(to digits: String) { self[.digits] = .string(digits) }

    mutating func record(_ outcome: Outcome, of action: String) {
        self[.result] = .string(outcome.result.rawValue)
        self[.code] = .string(outcome.code ?? "")
        results.record(outcome, of: action)
    }

    mutating func record(_ entry: Results.Entry) { results.record(entry) }

    /// Empties a variable that exists, by whichever of its names.
    mutating func clear(_ name: String) {
        if own(name) != nil {
            put(.string(""), at: name)
        } else if let alias = Self.aliases[name], own(alias) != nil {
            put(.string(""), at: alias)
        } else if own("voipbin." + name) != nil {
            put(.string(""), at: "voipbin." + name)
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
            text += value(of: rest[rest.utf8.index(after: open)..<close].trimmingSpaces, &documents)?.plainText ?? ""
            rest = rest[rest.utf8.index(after: close)...]
        }
        text += rest
        return text.prefix(utf8: bytes)
    }

    /// The same for a text that is to become a value: `${name}` alone is the variable's own value, with its type.
    func value(of template: String, bytes: Int) -> JSONValue {
        if let name = Self.name(in: template) { return value(of: name) ?? .string("") }
        return .string(substituted(in: template, bytes: bytes))
    }

    /// The same in every text inside a value.
    func value(in template: JSONValue, bytes: Int) -> JSONValue {
        switch template {
        case .string(let text): value(of: text, bytes: bytes)
        case .array(let elements): .array(elements.map { value(in: $0, bytes: bytes) })
        case .object(let members): .object(members.mapValues { value(in: $0, bytes: bytes) })
        default: template
        }
    }
}

extension Substring {
    var trimmingSpaces: String {
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
