/// What a document of the protocol is made of, in either of its encodings.
public enum Value: Hashable, Sendable {
    /// Any bytes: bencode has no other strings.
    case bytes([UInt8])
    case integer(Int64)
    case list([Value])
    case dictionary([String: Value])

    public static func text(_ text: String) -> Value { .bytes(Array(text.utf8)) }

    public static func integer(_ number: Int) -> Value { .integer(Int64(number)) }

    public static func texts(_ texts: [String]) -> Value { .list(texts.map { .text($0) }) }

    public var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }

    /// Octets that are no UTF-8 are replaced.
    public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// A number, or the text of one.
    public var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .bytes(let bytes): bytes.count <= 20 ? Int64(String(decoding: bytes, as: UTF8.self)) : nil
        case .list, .dictionary: nil
        }
    }

    public var list: [Value]? { if case .list(let list) = self { list } else { nil } }

    public var dictionary: [String: Value]? { if case .dictionary(let dictionary) = self { dictionary } else { nil } }

    /// A list of texts, or one text alone.
    public var texts: [String] { list.map { $0.compactMap(\.text) } ?? text.map { [$0] } ?? [] }

    public subscript(key: String) -> Value? { dictionary?[key] }
}

/// Why bytes are no message of the protocol.
public enum ParseError: Error, Hashable, Sendable, CaseIterable {
    /// No cookie, or nothing behind it.
    case unframed
    case truncated
    case malformed
    /// Deeper, longer or of more parts than any message is.
    case tooLarge
    /// More follows where the document ends.
    case trailing
}

/// Bounds that hold before anything is kept: a message is a datagram.
public enum Limits {
    public static let bytes = 65_535
    static let cookie = 255
    static let depth = 16
    static let values = 4_096
}
