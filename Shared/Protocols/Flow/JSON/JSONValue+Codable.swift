internal import JSONCoding

/// `JSONValue` inside a `Codable` message: the types are tried in the order in which event data has them.
extension JSONValue: Codable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public init(from decoder: any Decoder) throws {
        if let value = decoder as? any JSONInspectable {
            try self.init(value.kind, decoder)
        } else {
            try self.init(byTrial: decoder)
        }
    }

    private init(_ kind: JSONKind, _ decoder: any Decoder) throws {
        switch kind {
        case .null: self = .null
        case .false: self = .bool(false)
        case .true: self = .bool(true)
        case .integer: self = try (try? Int64(from: decoder)).map(JSONValue.integer) ?? .number(Double(from: decoder))
        case .number: self = .number(try Double(from: decoder))
        case .string: self = .string(try String(from: decoder))
        case .array: self = .array(try [JSONValue](from: decoder))
        case .object: self = .object(try [String: JSONValue](from: decoder))
        }
    }

    private init(byTrial decoder: any Decoder) throws {
        guard let single = try? decoder.singleValueContainer() else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no JSON value"))
        }
        // A failed attempt is how `Decoder` tells types apart; it offers no way to ask.
        if let text = try? single.decode(String.self) {
            self = .string(text)
        } else if single.decodeNil() {
            self = .null
        } else if let flag = try? single.decode(Bool.self) {
            self = .bool(flag)
        } else if let integer = try? single.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? single.decode(Double.self) {
            self = .number(number)
        } else if let members = try? decoder.container(keyedBy: Name.self) {
            var object: [String: JSONValue] = [:]
            for key in members.allKeys { object[key.stringValue] = try members.decode(JSONValue.self, forKey: key) }
            self = .object(object)
        } else {
            self = .array(try single.decode([JSONValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let flag):
            try flag.encode(to: encoder)
        case .integer(let value):
            try value.encode(to: encoder)
        case .number(let value):
            try value.encode(to: encoder)
        case .string(let text):
            try text.encode(to: encoder)
        case .array(let elements):
            try elements.encode(to: encoder)
        case .object(let members):
            var container = encoder.container(keyedBy: Name.self)
            for (name, value) in members { try container.encode(value, forKey: Name(stringValue: name)) }
        }
    }
}
