internal import Bytes

/// A value bound to `$1`, `$2`, ... of a statement; sent as text, typed by the statement.
public enum Parameter: Sendable, Equatable {
    case text(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case bytes([UInt8])
    /// For `= any($1)`.
    case texts([String])
    case null

    public static func int(_ value: some BinaryInteger) -> Parameter { .int(Int64(clamping: value)) }
    public static func optional(_ value: String?) -> Parameter { value.map(Parameter.text) ?? .null }
    public static func optional(_ value: Int64?) -> Parameter { value.map(Parameter.int) ?? .null }

    /// Adds it as PostgreSQL reads it; false: it is NULL. A NUL character, which PostgreSQL cannot store in text, is left out.
    func append(to bytes: inout [UInt8]) -> Bool {
        switch self {
        case .text(let text): Self.append(text.utf8, to: &bytes)
        case .int(let number): bytes += String(number).utf8
        case .double(let number): bytes += String(number).utf8
        case .bool(let flag): bytes.append(flag ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .bytes(let value): bytes += ("\\x" + Hexadecimal.encode(value)).utf8
        case .texts(let texts): Self.append(list: texts, to: &bytes)
        case .null: return false
        }
        return true
    }

    private static func append(_ text: String.UTF8View, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes += text
        if bytes[start...].contains(0) {
            bytes.removeLast(bytes.count - start)
            bytes += text.lazy.filter { $0 != 0 }
        }
    }

    /// Mostly JSON: many quotes, and much of it.
    private static func append(list texts: [String], to bytes: inout [UInt8]) {
        let (quote, escape) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        bytes.reserveCapacity(bytes.count + texts.reduce(2) { $0 + $1.utf8.count * 5 / 4 + 3 })
        bytes.append(UInt8(ascii: "{"))
        for (index, text) in texts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(quote)
            for byte in text.utf8 where byte != 0 {
                if byte == quote || byte == escape { bytes.append(escape) }
                bytes.append(byte)
            }
            bytes.append(quote)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}

extension Parameter: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
}
