internal import Bytes

/// A SIP request or response (RFC 3261 §7): the bytes as they were received and an index of where its parts lie.
///
/// Nothing is decoded until it is asked for and nothing is ever changed: forwarding collects `Edits`, new messages come from
/// `RequestBuilder` and `ResponseBuilder`.
public struct Message: Sendable {
    public enum Start: Sendable {
        case request(Method, uri: Range<Int>)
        case response(status: Int, reason: Range<Int>)
    }

    /// One header field: `Name: value`, with the offsets an edit needs.
    public struct Field: Sendable {
        public let name: HeaderName
        let nameRange: Range<Int>
        /// Without the blanks around it; may contain folds.
        let valueRange: Range<Int>
        /// From the first byte of the name to behind the line end.
        let lineRange: Range<Int>
    }

    public let bytes: [UInt8]
    public let start: Start
    /// False when the start line names another version of SIP: to be answered 505.
    public let isVersionSupported: Bool
    public let fields: [Field]
    let startLineRange: Range<Int>
    /// Offset of the empty line that ends the headers.
    let headersEnd: Int
    public let bodyRange: Range<Int>

    public var isRequest: Bool { if case .request = start { true } else { false } }

    public var body: [UInt8] { Array(bytes[bodyRange]) }

    /// The method of a request; of a response the one in its CSeq.
    public var method: Method? {
        if case .request(let method, _) = start { return method }
        return cseq?.method
    }

    /// The status of a response.
    public var status: Int? {
        if case .response(let status, _) = start { return status }
        return nil
    }

    public var reason: String? {
        if case .response(_, let range) = start { return text(range) }
        return nil
    }

    /// The request URI; nil when malformed or this is a response.
    public var requestURI: URI? {
        if case .request(_, let range) = start { return URI(parsing: bytes[range]) }
        return nil
    }

    /// The request URI as it was written, whatever its scheme.
    public var requestURIText: String? {
        if case .request(_, let range) = start { return text(range) }
        return nil
    }

    public func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    // MARK: Fields and values

    public func first(_ name: HeaderName) -> Field? { fields.first { $0.name == name } }
    public func count(of name: HeaderName) -> Int { fields.reduce(0) { $0 + ($1.name == name ? 1 : 0) } }
    public func contains(_ name: HeaderName) -> Bool { fields.contains { $0.name == name } }

    /// The value of the first field of that name with folds made single blanks.
    public func value(_ name: HeaderName) -> String? { first(name).map { unfolded($0.valueRange) } }

    /// The value of the first field with that name, any case: for header fields that have no `HeaderName`.
    public func value(named name: String) -> String? {
        fields.first { ASCII.equalsIgnoringCase(text($0.nameRange), name) }.map { unfolded($0.valueRange) }
    }

    /// All values of all fields of a list header, split at the commas that separate them.
    public func values(_ name: HeaderName) -> [String] { elements(of: name).map { unfolded($0.range) } }

    public func name(of field: Field) -> String { text(field.nameRange) }
    public func value(of field: Field) -> String { unfolded(field.valueRange) }

    func unfolded(_ range: Range<Int>) -> String {
        guard bytes[range].contains(UInt8(ascii: "\n")) else { return text(range) }
        var result: [UInt8] = []
        var inFold = false
        for byte in bytes[range] {
            if byte == 13 || byte == 10 {
                inFold = true
            } else if inFold, ASCII.isWhitespace(byte) {
                continue
            } else {
                if inFold {
                    while let last = result.last, ASCII.isWhitespace(last) { result.removeLast() }
                    result.append(32)
                }
                inFold = false
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// One value of a comma-separated list and the field it stands in.
    struct Element {
        let field: Int
        let range: Range<Int>
    }

    func elements(of name: HeaderName) -> [Element] {
        var elements: [Element] = []
        for (index, field) in fields.enumerated() where field.name == name {
            var start = field.valueRange.lowerBound
            while true {
                let end = elementEnd(from: start, in: field.valueRange)
                elements.append(Element(field: index, range: trimmed(start..<end)))
                guard end < field.valueRange.upperBound else { break }
                start = end + 1
            }
        }
        return elements
    }

    func firstElement(of name: HeaderName) -> Element? {
        guard let index = fields.firstIndex(where: { $0.name == name }) else { return nil }
        let range = fields[index].valueRange
        return Element(field: index, range: trimmed(range.lowerBound..<elementEnd(from: range.lowerBound, in: range)))
    }

    /// The next comma outside quotes and angle brackets, or the end of the value.
    private func elementEnd(from start: Int, in range: Range<Int>) -> Int {
        var (inQuotes, inBrackets) = (false, false)
        var index = start
        while index < range.upperBound {
            switch bytes[index] {
            case UInt8(ascii: "\\") where inQuotes: index += 1
            case UInt8(ascii: "\""): inQuotes.toggle()
            case UInt8(ascii: "<") where !inQuotes: inBrackets = true
            case UInt8(ascii: ">") where !inQuotes: inBrackets = false
            case UInt8(ascii: ",") where !inQuotes && !inBrackets: return index
            default: break
            }
            index += 1
        }
        return range.upperBound
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, Scanner.isBlank(bytes[start]) { start += 1 }
        while end > start, Scanner.isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}

extension Message: CustomStringConvertible {
    /// The start line only: enough for a log line, without anybody's secrets.
    public var description: String { text(startLineRange) }
}
