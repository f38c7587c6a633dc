/// A second reader of SIP messages, which shares nothing with the suite's: it takes the grammar of RFC 3261 §25.1 at its word and
/// refuses what somebody might read in another way. What an edge lets through must be the same to both.
public struct StrictMessage: Sendable {
    public struct Field: Sendable, Hashable, CustomStringConvertible {
        /// In lower case, and long.
        public let name: String
        /// Folds are single blanks.
        public let value: [UInt8]

        public var description: String { "\(name): \(String(decoding: value, as: UTF8.self))" }
    }

    public enum Flaw: Error, Sendable { case lineEnd, control, name, foldedStart, unterminated, length, repeatedLength, truncated }

    public let startLine: [UInt8]
    public let fields: [Field]
    public let body: [UInt8]

    /// A datagram: line ends before it are none of its bytes, what follows its body is dropped (§18.3).
    public init(datagram: [UInt8]) throws(Flaw) { try self.init(datagram, isDatagram: true) }

    /// All of it is one message.
    public init(_ bytes: [UInt8]) throws(Flaw) { try self.init(bytes, isDatagram: false) }

    private init(_ bytes: [UInt8], isDatagram: Bool) throws(Flaw) {
        var rest = bytes[...]
        while isDatagram, rest.starts(with: [13, 10]) { rest = rest.dropFirst(2) }
        var lines: [[UInt8]] = []
        while true {
            let line = try Self.line(&rest)
            if line.isEmpty { break }
            if line[0] == 32 || line[0] == 9 {
                guard lines.count > 1, let last = lines.last else { throw .foldedStart }
                lines[lines.count - 1] = Self.trimmed(last) + [32] + Self.trimmed(line)
            } else {
                lines.append(line)
            }
        }
        guard let start = lines.first else { throw .unterminated }
        (startLine, fields) = (start, try lines.dropFirst().map { line throws(Flaw) in try Self.field(line) })
        guard start.allSatisfy({ $0 >= 32 && $0 != 127 }) else { throw .control }
        let lengths = fields.filter { $0.name == "content-length" }
        guard lengths.count <= 1 else { throw .repeatedLength }
        guard let text = lengths.first?.value else {
            body = Array(rest)
            return
        }
        guard !text.isEmpty, text.allSatisfy({ (48...57).contains($0) }), let length = Int(String(decoding: text, as: UTF8.self)) else {
            throw .length
        }
        guard length <= rest.count, isDatagram || length == rest.count else { throw .truncated }
        body = Array(rest.prefix(length))
    }

    private static func line(_ rest: inout ArraySlice<UInt8>) throws(Flaw) -> [UInt8] {
        var line: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == 10 { throw .lineEnd }
            if byte == 13 {
                guard rest.popFirst() == 10 else { throw .lineEnd }
                return line
            }
            line.append(byte)
        }
        throw .unterminated
    }

    private static func field(_ line: [UInt8]) throws(Flaw) -> Field {
        guard let colon = line.firstIndex(of: 58) else { throw .name }
        let name = trimmed(Array(line[..<colon]), front: false)
        guard !name.isEmpty, name.allSatisfy(isToken) else { throw .name }
        let value = trimmed(Array(line[(colon + 1)...]))
        try assertPrintable(value)
        let text = String(decoding: name, as: UTF8.self).lowercased()
        return Field(name: compact[text] ?? text, value: value)
    }

    /// Control bytes stand only behind a backslash in a quoted string.
    private static func assertPrintable(_ value: [UInt8]) throws(Flaw) {
        var (isQuoted, isEscaped) = (false, false)
        for byte in value {
            if isEscaped {
                isEscaped = false
                continue
            }
            guard byte == 9 || (byte >= 32 && byte != 127) else { throw .control }
            if byte == 92, isQuoted { isEscaped = true }
            if byte == 34 { isQuoted.toggle() }
        }
    }

    private static func trimmed(_ bytes: [UInt8], front: Bool = true) -> [UInt8] {
        var slice = bytes[...]
        while front, let first = slice.first, first == 32 || first == 9 { slice = slice.dropFirst() }
        while let last = slice.last, last == 32 || last == 9 { slice = slice.dropLast() }
        return Array(slice)
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "-.!%*_+`'~".utf8.contains(byte)
        }
    }

    /// §7.3.3 and the IANA registry.
    private static let compact = [
        "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
        "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact", "n": "identity-info",
        "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
    ]
}
