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

    /// As PostgreSQL reads it; nil is NULL. A NUL character, which PostgreSQL cannot store in text, is left out.
    var encoded: String? {
        switch self {
        case .text(let text): Self.withoutNUL(text)
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .bool(let flag): flag ? "t" : "f"
        case .bytes(let bytes): "\\x" + Hexadecimal.encode(bytes)
        case .texts(let texts): "{" + texts.map(Self.quoted).joined(separator: ",") + "}"
        case .null: nil
        }
    }

    private static func withoutNUL(_ text: String) -> String {
        text.utf8.contains(0) ? String(decoding: text.utf8.filter { $0 != 0 }, as: UTF8.self) : text
    }

    private static func quoted(_ text: String) -> String {
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 where byte != 0 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(byte)
        }
        quoted.append(UInt8(ascii: "\""))
        return String(decoding: quoted, as: UTF8.self)
    }
}

extension Parameter: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
}
