/// Where a value is written: `depth` arrays and objects are open around it.
struct JSONWriter: Encoder {
    let sink: JSONSink
    let depth: Int

    // Where it went wrong the type knows that is being encoded; only a number that is not finite can.
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(JSONObjectWriter<Key>(sink: sink, depth: sink.enterObject(within: depth)))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { JSONArrayWriter(sink: sink, depth: sink.enterArray(within: depth)) }
    func singleValueContainer() -> any SingleValueEncodingContainer { JSONScalarWriter(sink: sink) }
}

struct JSONScalarWriter: SingleValueEncodingContainer {
    let sink: JSONSink
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { sink.null() }
    func encode(_ value: Bool) { sink.flag(value) }
    func encode(_ value: String) { sink.string(value) }
    func encode(_ value: Double) throws { try sink.number(value) }
    func encode(_ value: Float) throws { try sink.number(value) }
    func encode(_ value: Int) { sink.integer(value) }
    func encode(_ value: Int8) { sink.integer(value) }
    func encode(_ value: Int16) { sink.integer(value) }
    func encode(_ value: Int32) { sink.integer(value) }
    func encode(_ value: Int64) { sink.integer(value) }
    func encode(_ value: UInt) { sink.integer(value) }
    func encode(_ value: UInt8) { sink.integer(value) }
    func encode(_ value: UInt16) { sink.integer(value) }
    func encode(_ value: UInt32) { sink.integer(value) }
    func encode(_ value: UInt64) { sink.integer(value) }
    func encode(_ value: some Encodable) throws { try sink.encode(value) }
}

struct JSONObjectWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let sink: JSONSink
    let depth: Int
    var codingPath: [any CodingKey] { [] }

    private func name(_ key: Key) { sink.name(key.stringValue, at: depth) }

    // Always inlined, as in `JSONObject`.
    @inline(__always)
    private func member<Result>(_ key: Key, _ write: (JSONSink) throws -> Result) rethrows -> Result {
        name(key)
        return try write(sink)
    }

    func encodeNil(forKey key: Key) { member(key) { $0.null() } }
    func encode(_ value: Bool, forKey key: Key) { member(key) { $0.flag(value) } }
    func encode(_ value: String, forKey key: Key) { member(key) { $0.string(value) } }
    func encode(_ value: Double, forKey key: Key) throws { try member(key) { try $0.number(value) } }
    func encode(_ value: Float, forKey key: Key) throws { try member(key) { try $0.number(value) } }
    func encode(_ value: Int, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: Int8, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: Int16, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: Int32, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: Int64, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: UInt, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: UInt8, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: UInt16, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: UInt32, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: UInt64, forKey key: Key) { member(key) { $0.integer(value) } }
    func encode(_ value: some Encodable, forKey key: Key) throws { try member(key) { try $0.encode(value) } }

    // The default one looks for the type of the optional before it looks at the value.
    func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
        try value.lend { value throws in try encode(value, forKey: key) }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        name(key)
        return KeyedEncodingContainer(JSONObjectWriter<Nested>(sink: sink, depth: sink.enterObject(within: depth)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        name(key)
        return JSONArrayWriter(sink: sink, depth: sink.enterArray(within: depth))
    }

    func superEncoder() -> any Encoder {
        sink.name(JSONSuper().stringValue, at: depth)
        return JSONWriter(sink: sink, depth: depth)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        name(key)
        return JSONWriter(sink: sink, depth: depth)
    }
}

struct JSONArrayWriter: UnkeyedEncodingContainer {
    let sink: JSONSink
    let depth: Int
    private(set) var count = 0
    var codingPath: [any CodingKey] { [] }

    init(sink: JSONSink, depth: Int) { (self.sink, self.depth) = (sink, depth) }

    private mutating func next() -> JSONSink {
        sink.separate(at: depth)
        count += 1
        return sink
    }

    mutating func encodeNil() { next().null() }
    mutating func encode(_ value: Bool) { next().flag(value) }
    mutating func encode(_ value: String) { next().string(value) }
    mutating func encode(_ value: Double) throws { try next().number(value) }
    mutating func encode(_ value: Float) throws { try next().number(value) }
    mutating func encode(_ value: Int) { next().integer(value) }
    mutating func encode(_ value: Int8) { next().integer(value) }
    mutating func encode(_ value: Int16) { next().integer(value) }
    mutating func encode(_ value: Int32) { next().integer(value) }
    mutating func encode(_ value: Int64) { next().integer(value) }
    mutating func encode(_ value: UInt) { next().integer(value) }
    mutating func encode(_ value: UInt8) { next().integer(value) }
    mutating func encode(_ value: UInt16) { next().integer(value) }
    mutating func encode(_ value: UInt32) { next().integer(value) }
    mutating func encode(_ value: UInt64) { next().integer(value) }
    mutating func encode(_ value: some Encodable) throws { try next().encode(value) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(JSONObjectWriter<Nested>(sink: sink, depth: next().enterObject(within: depth)))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        JSONArrayWriter(sink: sink, depth: next().enterArray(within: depth))
    }

    mutating func superEncoder() -> any Encoder { JSONWriter(sink: next(), depth: depth) }
}

extension Optional where Wrapped: ~Copyable {
    /// Unlike `if let`, which in a function for any type copies the value, and for that looks up the type of the optional, this lends it.
    @inline(__always)
    borrowing func lend(_ body: (borrowing Wrapped) throws -> Void) rethrows {
        switch self {
        case .some(let value): try body(value)
        case .none: break
        }
    }
}
