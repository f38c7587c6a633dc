internal import Bytes

extension Value {
    /// Reads a JSON text (RFC 8259) that fills the bytes. True and false are one and zero, null is an empty string, and a number
    /// with a fraction or exponent is its text: bencode has nothing else for them.
    public init(json bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Limits.bytes else { throw .tooLarge }
        var reader = JSONReader(bytes: bytes)
        self = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.isAtEnd else { throw .trailing }
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    private var position = 0
    private var values = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }

    mutating func value(depth: Int) throws(ParseError) -> Value {
        values += 1
        guard depth <= Limits.depth, values <= Limits.values else { throw .tooLarge }
        skipSpace()
        switch try peek() {
        case UInt8(ascii: "{"): return .dictionary(try dictionary(depth))
        case UInt8(ascii: "["): return .list(try list(depth))
        case UInt8(ascii: "\""): return .bytes(try string())
        case UInt8(ascii: "t"): return try word("true", .integer(Int64(1)))
        case UInt8(ascii: "f"): return try word("false", .integer(Int64(0)))
        case UInt8(ascii: "n"): return try word("null", .bytes([]))
        default: return try number()
        }
    }

    private func peek() throws(ParseError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    /// Whether `byte` comes next; then it is passed over.
    private mutating func takes(_ byte: UInt8) throws(ParseError) -> Bool {
        skipSpace()
        guard try peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func dictionary(_ depth: Int) throws(ParseError) -> [String: Value] {
        position += 1
        var dictionary: [String: Value] = [:]
        if try takes(UInt8(ascii: "}")) { return dictionary }
        repeat {
            skipSpace()
            guard try peek() == UInt8(ascii: "\"") else { throw .malformed }
            let key = String(decoding: try string(), as: UTF8.self)
            guard try takes(UInt8(ascii: ":")) else { throw .malformed }
            let value = try value(depth: depth + 1)
            guard dictionary.updateValue(value, forKey: key) == nil else { throw .malformed }
        } while try takes(UInt8(ascii: ","))
        guard try takes(UInt8(ascii: "}")) else { throw .malformed }
        return dictionary
    }

    private mutating func list(_ depth: Int) throws(ParseError) -> [Value] {
        position += 1
        var list: [Value] = []
        if try takes(UInt8(ascii: "]")) { return list }
        repeat { list.append(try value(depth: depth + 1)) } while try takes(UInt8(ascii: ","))
        guard try takes(UInt8(ascii: "]")) else { throw .malformed }
        return list
    }

    private mutating func word(_ text: StaticString, _ value: Value) throws(ParseError) -> Value {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { throw .truncated }
        guard ASCII.equals(bytes.span.extracting(position..<end), text.description) else { throw .malformed }
        position = end
        return value
    }

    private mutating func number() throws(ParseError) -> Value {
        let start = position
        while position < bytes.count, Self.isOfNumber(bytes[position]) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard text.utf8.count <= 32, Double(text) != nil else { throw .malformed }
        return Int64(text).map { .integer($0) } ?? .text(text)
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool { ASCII.isDigit(byte) || "+-.eE".utf8.contains(byte) }

    private mutating func string() throws(ParseError) -> [UInt8] {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"): text += try escaped()
            case 0..<32: throw .malformed
            default: text.append(byte)
            }
        }
        throw .truncated
    }

    /// Behind a backslash.
    private mutating func escaped() throws(ParseError) -> [UInt8] {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "u"): return Array(String(try scalar()).utf8)
        default: throw .malformed
        }
    }

    /// RFC 8259 §7: four digits, or a pair of surrogates; half a pair is none.
    private mutating func scalar() throws(ParseError) -> Character {
        let first = try unit()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard first < 0xdc00, try peek() == UInt8(ascii: "\\") else { throw .malformed }
        position += 1
        guard try peek() == UInt8(ascii: "u") else { throw .malformed }
        position += 1
        let second = try unit()
        guard (0xdc00...0xdfff).contains(second) else { throw .malformed }
        let value = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
        guard let scalar = Unicode.Scalar(value) else { throw .malformed }
        return Character(scalar)
    }

    private mutating func unit() throws(ParseError) -> UInt16 {
        guard bytes.count - position >= 4 else { throw .truncated }
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Hexadecimal.value(bytes[position]) else { throw .malformed }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}
