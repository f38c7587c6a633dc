/// The members of an object. A class, though it has nothing to remember: the box around it copies what it holds whenever it is asked.
final class JSONObject<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let tape: JSONTape
    private let node: Int

    var codingPath: [any CodingKey] { [] }

    init(_ element: JSONElement) throws {
        guard element.kind == .object else { throw element.mismatch([String: Any].self) }
        (tape, node) = (element.tape, element.node)
        tape.rewind(node)
    }

    var allKeys: [Key] {
        var keys: [Key] = []
        var name = node + 1
        while name < Int(tape[node].next) {
            // A name that is no text belongs to no key.
            if let text = try? tape.text(name), let key = Key(stringValue: text) { keys.append(key) }
            name = Int(tape[name + 1].next)
        }
        return keys
    }

    /// The value of that name; nil when there is none.
    private func find(_ key: Key) throws -> Int? { try tape.member(key.stringValue, of: node) }

    private func missing(_ key: Key) -> DecodingError {
        .keyNotFound(key, .init(codingPath: [], debugDescription: "there is no \(key.stringValue)"))
    }

    // Always inlined: as closures of a generic function these would cost as much as the reading.
    @inline(__always)
    private func value<Value>(_ key: Key, _ read: (JSONElement) throws -> Value) throws -> Value {
        guard let found = try find(key) else { throw missing(key) }
        do { return try read(JSONElement(tape: tape, node: found)) } catch let error as DecodingError { throw error.inside(key) }
    }

    @inline(__always)
    private func optional<Value>(_ key: Key, _ read: (JSONElement) throws -> Value) throws -> Value? {
        guard let found = try find(key), tape[found].kind != .null else { return nil }
        do { return try read(JSONElement(tape: tape, node: found)) } catch let error as DecodingError { throw error.inside(key) }
    }

    func contains(_ key: Key) -> Bool { (try? find(key)) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try value(key) { $0.kind == .null } }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try value(key) { try $0.decode(type) } }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try value(key) { try $0.decode(type) } }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try value(key) { try $0.number(type) } }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try value(key) { try $0.number(type) } }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try value(key) { try $0.integer(type) } }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try value(key) { try $0.integer(type) } }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try value(key) { try $0.integer(type) } }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try value(key) { try $0.integer(type) } }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try value(key) { try $0.integer(type) } }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try value(key) { try $0.integer(type) } }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try value(key) { try $0.integer(type) } }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try value(key) { try $0.integer(type) } }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try value(key) { try $0.integer(type) } }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try value(key) { try $0.integer(type) } }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try value(key) { try Value(from: $0) } }

    // The default ones look three times.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try optional(key) { try $0.decode(type) } }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try optional(key) { try $0.decode(type) } }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try optional(key) { try $0.number(type) } }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try optional(key) { try $0.number(type) } }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try optional(key) { try $0.integer(type) } }
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? { try optional(key) { try Value(from: $0) } }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try value(key) { try $0.container(keyedBy: type) }
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try value(key) { try JSONArray($0) } }
    func superDecoder(forKey key: Key) throws -> any Decoder { try value(key) { $0 } }

    func superDecoder() throws -> any Decoder {
        guard let key = Key(stringValue: JSONSuper().stringValue) else {
            throw DecodingError.keyNotFound(JSONSuper(), .init(codingPath: [], debugDescription: "there is no super"))
        }
        return try superDecoder(forKey: key)
    }
}

/// The elements of an array, one after the other. Three words, so that it needs no box where only its protocol is known.
struct JSONArray: UnkeyedDecodingContainer {
    private let tape: JSONTape
    private let end: UInt32
    private var node: UInt32
    private var index: UInt32 = 0
    private let total: UInt32

    var codingPath: [any CodingKey] { [] }
    var isAtEnd: Bool { node >= end }
    var currentIndex: Int { Int(index) }
    var count: Int? { Int(total) }

    init(_ element: JSONElement) throws {
        guard element.kind == .array else { throw element.mismatch([Any].self) }
        tape = element.tape
        (node, end) = (UInt32(element.node + 1), tape[element.node].next)
        var (place, number) = (node, 0 as UInt32)
        while place < end { (place, number) = (tape[Int(place)].next, number + 1) }
        total = number
    }

    @inline(__always)
    private mutating func next<Value>(_ type: Any.Type, _ read: (JSONElement) throws -> Value) throws -> Value {
        guard !isAtEnd else {
            let context = DecodingError.Context(codingPath: [JSONPosition(currentIndex)], debugDescription: "the array is at its end")
            throw DecodingError.valueNotFound(type, context)
        }
        do {
            let value = try read(JSONElement(tape: tape, node: Int(node)))
            (node, index) = (tape[Int(node)].next, index + 1)
            return value
        } catch let error as DecodingError { throw error.inside(JSONPosition(currentIndex)) }
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, tape[Int(node)].kind == .null else { return false }
        (node, index) = (tape[Int(node)].next, index + 1)
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try next(type) { try $0.decode(type) } }
    mutating func decode(_ type: String.Type) throws -> String { try next(type) { try $0.decode(type) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try next(type) { try $0.number(type) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try next(type) { try $0.number(type) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next(type) { try $0.integer(type) } }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next(type) { try Value(from: $0) } }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try next(type) { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next([Any].self) { try JSONArray($0) } }
    mutating func superDecoder() throws -> any Decoder { try next((any Decoder).self) { $0 } }
}
