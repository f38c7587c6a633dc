/// A message as it travels: a cookie that tells requests apart and matches answers to them, and a document.
public struct Message: Hashable, Sendable {
    /// How the document is written; an answer is written as its request was.
    public enum Encoding: Hashable, Sendable {
        case bencode, json
    }

    public var cookie: [UInt8]
    public var encoding: Encoding
    public var document: [String: Value]

    public init(cookie: [UInt8], encoding: Encoding, document: [String: Value]) {
        (self.cookie, self.encoding, self.document) = (cookie, encoding, document)
    }

    /// Reads a datagram.
    public init(parsing datagram: [UInt8]) throws(ParseError) {
        guard datagram.count <= Limits.bytes else { throw .tooLarge }
        let cookie = try Self.cookie(of: datagram)
        let body = Array(datagram.dropFirst(cookie.count + 1))
        let value: Value
        switch body.first {
        case UInt8(ascii: "d"): (encoding, value) = (.bencode, try Value(bencoded: body))
        case UInt8(ascii: "{"): (encoding, value) = (.json, try Value(json: body))
        default: throw .malformed
        }
        guard let document = value.dictionary else { throw .malformed }
        (self.cookie, self.document) = (cookie, document)
    }

    /// What stands before the first space: visible characters.
    public static func cookie(of datagram: [UInt8]) throws(ParseError) -> [UInt8] {
        let cookie = datagram.prefix(Limits.cookie + 1).prefix { $0 != UInt8(ascii: " ") }
        guard !cookie.isEmpty, cookie.count < datagram.count, cookie.count <= Limits.cookie, cookie.allSatisfy({ (33...126).contains($0) }) else {
            throw .unframed
        }
        return Array(cookie)
    }

    public var bytes: [UInt8] {
        let value = Value.dictionary(document)
        return cookie + [UInt8(ascii: " ")] + (encoding == .json ? value.json : value.bencoded)
    }

    public func answered(_ reply: Reply) -> Message { Message(cookie: cookie, encoding: encoding, document: reply.document) }
}

/// What is answered.
public struct Reply: Hashable, Sendable {
    public var document: [String: Value]

    public static let pong = Reply(document: ["result": .text("pong")])

    public static func ok(_ more: [String: Value] = [:]) -> Reply {
        Reply(document: more.merging(["result": .text("ok")]) { _, result in result })
    }

    public static func error(_ reason: String) -> Reply {
        Reply(document: ["result": .text("error"), "error-reason": .text(reason)])
    }

    /// For those who say that they understand it: take another one.
    public static func loadLimit(_ reason: String) -> Reply {
        Reply(document: ["result": .text("load limit"), "message": .text(reason)])
    }
}
