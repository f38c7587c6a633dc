/// `Codable` values as JSON texts (RFC 8259), for what goes between our own processes: commands, events, snapshots.
///
/// A value is written straight into the text and read straight from it, without a tree in between; Foundation's coders take about four
/// times as long, which was half of what a call cost its server. What they accept and write is the same, but that binary data is an array of
/// numbers here, and members stand in the order they are encoded in. Texts of customers are read by `JSONValue`, which is stricter.
public enum JSONText {
    /// Throws `EncodingError` for a number that is not finite, and what the value itself throws.
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        let sink = JSONSink()
        try sink.encode(value)
        return sink.bytes
    }

    /// Throws `DecodingError`, whose path leads to what was wrong.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let tape = try JSONTape(bytes)
        return try Value(from: JSONElement(tape: tape, node: 0))
    }

    /// Arrays and objects inside one another; beyond it a text is refused. A customer's text has at most 64 and stands a few deep in a
    /// message; each costs a thread some KiB of its stack when it is read.
    public static let deepest = 128
}

/// What a value is, for a type that takes several; `Decoder` itself offers no way to ask.
public enum JSONKind: UInt8, Sendable { case null, `false`, `true`, integer, number, string, array, object }

/// A decoder that can be asked.
public protocol JSONInspectable {
    var kind: JSONKind { get }
}

/// A place in an array.
struct JSONPosition: CodingKey {
    let position: Int

    init(_ position: Int) { self.position = position }
    init?(intValue: Int) { position = intValue }
    init?(stringValue: String) { nil }

    var intValue: Int? { position }
    var stringValue: String { "Index \(position)" }
}

/// The member that a class has for what its superclass encodes.
struct JSONSuper: CodingKey {
    init() {}
    init?(intValue: Int) { nil }
    init?(stringValue: String) { nil }

    var intValue: Int? { nil }
    var stringValue: String { "super" }
}
