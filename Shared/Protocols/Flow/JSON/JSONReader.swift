/// What a JSON text may cost before it is refused.
public struct JSONLimits: Sendable, Hashable {
    public var bytes: Int
    /// Arrays and objects inside one another; the reader recurses, so this also bounds its stack.
    public var depth: Int

    public init(bytes: Int = 1 << 20, depth: Int = 64) {
        (self.bytes, self.depth) = (bytes, depth)
    }
}

/// Why bytes are no JSON text we accept, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case tooLong = "the text is too long"
        case tooDeep = "arrays and objects are nested too deeply"
        case unexpectedEnd = "the text ends too early"
        case unexpectedByte = "this byte cannot stand here"
        case number = "this number cannot be represented"
        case text = "this string is not valid Unicode"
        case duplicateName = "this member occurs twice in its object"
        case trailing = "something follows the value"
    }

    public let reason: Reason
    public let offset: Int

    public var description: String { "\(reason.rawValue) (byte \(offset))" }
}

extension JSONValue {
    /// Reads one JSON text (RFC 8259 §2), strictly: no duplicate member names, no U+0000 (PostgreSQL stores neither), no
    /// lone surrogates, nothing after the value.
    public init(json bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        guard bytes.count <= limits.bytes else { throw JSONError(reason: .tooLong, offset: limits.bytes) }
        var reader = JSONReader(bytes: bytes)
        self = try reader.value(depth: limits.depth)
        reader.skipWhitespace()
        guard reader.position == bytes.count else { throw reader.failure(.trailing) }
    }

    public init(json text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(json: Array(text.utf8), limits: limits)
    }
}

/// A recursive-descent reader over the bytes of one text.
struct JSONReader {
    let bytes: [UInt8]
    private(set) var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: position) }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func advance(by count: Int = 1) { position += count }

    mutating func skipWhitespace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard let byte = next else { throw failure(.unexpectedEnd) }
        return byte
    }

    mutating func take(_ byte: UInt8) throws(JSONError) {
        guard try peek() == byte else { throw failure(.unexpectedByte) }
        position += 1
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipWhitespace()
        switch try peek() {
        case UInt8(ascii: "{"):
            guard depth > 0 else { throw failure(.tooDeep) }
            return .object(try members(depth: depth - 1))
        case UInt8(ascii: "["):
            guard depth > 0 else { throw failure(.tooDeep) }
            return .array(try elements(depth: depth - 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in word.utf8 { try take(byte) }
        return value
    }

    private mutating func elements(depth: Int) throws(JSONError) -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        skipWhitespace()
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth))
            skipWhitespace()
            if try peek() == UInt8(ascii: "]") {
                position += 1
                return elements
            }
            try take(UInt8(ascii: ","))
        }
    }

    private mutating func members(depth: Int) throws(JSONError) -> [String: JSONValue] {
        position += 1
        var members: [String: JSONValue] = [:]
        skipWhitespace()
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            skipWhitespace()
            let start = position
            let name = try string()
            skipWhitespace()
            try take(UInt8(ascii: ":"))
            guard members.updateValue(try value(depth: depth), forKey: name) == nil else {
                throw JSONError(reason: .duplicateName, offset: start)
            }
            skipWhitespace()
            if try peek() == UInt8(ascii: "}") {
                position += 1
                return members
            }
            try take(UInt8(ascii: ","))
        }
    }
}
