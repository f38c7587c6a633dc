/// Why a command had no effect, or none that is known.
public enum CacheError: Error, Sendable, Equatable {
    /// Redis is away, or the connection broke while the command was on its way.
    case unavailable(String)
    /// Redis refused the command.
    case refused(String)
    /// The reply has another type than the command has.
    case unexpectedReply(String)
}

/// One argument of a command: bytes, whatever they are made from.
public struct CacheArgument: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }
    public init(_ number: some BinaryInteger) { bytes = Array(String(number).utf8) }
    public init(stringLiteral text: String) { self.init(text) }
    public init(integerLiteral number: Int64) { self.init(number) }
}

/// What Redis answered (RESP2).
public enum CacheReply: Sendable, Equatable {
    case null
    case status(String)
    case integer(Int64)
    case bytes([UInt8])
    case array([CacheReply])
    /// An error inside an array, of a script for instance; a command's own error is thrown.
    case error(String)

    public var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    public var array: [CacheReply]? { if case .array(let elements) = self { elements } else { nil } }
    public var isNull: Bool { self == .null }

    /// An integer, or bytes that spell one.
    public var integer: Int64? {
        if case .integer(let number) = self { number } else { text.flatMap { Int64($0) } }
    }
}
