internal import Bytes

/// A SIP request or response (RFC 3261 §7): the bytes as they were received and an index of where its parts lie.
///
/// Nothing is decoded until it is asked for and nothing is ever changed: a proxy writes it anew by a `Forwarding`, new messages come from
/// `RequestBuilder` and `ResponseBuilder`.
public struct Message: Sendable {
    public enum Start: Sendable {
        case request(Method, uri: Range<Int>)
        case response(status: Int, reason: Range<Int>)
    }

    /// One header field: `Name: value`, with the offsets an edit needs; 32 bits hold any offset of a message.
    public struct Field: Sendable {
        public let name: HeaderName
        /// False when a list has one value for certain, as nearly all do that every proxy reads.
        let mayHaveComma: Bool
        private let lineStart, nameEnd, valueStart, valueEnd, lineEnd: UInt32

        init(name: HeaderName, nameRange: Range<Int>, valueRange: Range<Int>, lineRange: Range<Int>, mayHaveComma: Bool) {
            (self.name, self.mayHaveComma) = (name, mayHaveComma)
            lineStart = UInt32(truncatingIfNeeded: lineRange.lowerBound)
            nameEnd = UInt32(truncatingIfNeeded: nameRange.upperBound)
            valueStart = UInt32(truncatingIfNeeded: valueRange.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: valueRange.upperBound)
            lineEnd = UInt32(truncatingIfNeeded: lineRange.upperBound)
        }

        public var nameRange: Range<Int> { Int(lineStart)..<Int(nameEnd) }
        /// Without the blanks around it; may contain folds.
        public var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }
        /// From the first byte of the name to behind the line end.
        public var lineRange: Range<Int> { Int(lineStart)..<Int(lineEnd) }
    }

    /// Which names stand in a message, and which more than once: a bit for each.
    struct Names: Sendable {
        private var present: UInt64 = 0
        private var repeated: UInt64 = 0

        init() {}

        @inline(__always)
        init(_ names: HeaderName...) { for name in names { present |= Self.bit(name) } }

        mutating func insert(_ name: HeaderName) {
            let bit = Self.bit(name)
            repeated |= present & bit
            present |= bit
        }

        func contains(_ name: HeaderName) -> Bool { present & Self.bit(name) != 0 }
        /// Whether one of those others holds stands more than once here.
        func hasRepeated(_ others: Names) -> Bool { repeated & others.present != 0 }
        func isRepeated(_ name: HeaderName) -> Bool { repeated & Self.bit(name) != 0 }

        @inline(__always)
        private static func bit(_ name: HeaderName) -> UInt64 { 1 &<< UInt64(name.rawValue) }
    }

    /// `Start` where it stands, without a string for a method that has no name here: copied with every view of a message.
    enum StartLine: Sendable {
        case request(Method.Known?, Slice, uri: Slice)
        case response(status: Int, reason: Slice)
    }

    /// Where the parts of a message lie that are no header fields.
    struct Frame: Sendable {
        let start: StartLine
        /// False when the start line names another version of SIP: to be answered 505.
        let isVersionSupported: Bool
        let names: Names
        let startLine: Range<Int>
        /// Offset of the empty line that ends the headers.
        let headersEnd: Int
        let body: Range<Int>
    }

    public let bytes: [UInt8]
    public let fields: [Field]
    let frame: Frame

    /// The message for those who read it where it stands.
    public var view: MessageView {
        @_lifetime(borrow self)
        borrowing get { MessageView(bytes: bytes.span, fields: fields.span, frame: frame) }
    }

    public var start: Start { view.start }
    public var isVersionSupported: Bool { frame.isVersionSupported }
    var startLineRange: Range<Int> { frame.startLine }
    var headersEnd: Int { frame.headersEnd }
    public var bodyRange: Range<Int> { frame.body }

    public var isRequest: Bool { view.isRequest }

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
    public func contains(_ name: HeaderName) -> Bool { name == .other ? fields.contains { $0.name == name } : frame.names.contains(name) }

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

    func elements(of name: HeaderName) -> [MessageView.Element] {
        var elements: [MessageView.Element] = []
        var walk = MessageView.Elements(name)
        let view = view
        while let element = walk.next(in: view) { elements.append(element) }
        return elements
    }

    func firstElement(of name: HeaderName) -> MessageView.Element? { view.firstElement(of: name) }
}

extension Message: CustomStringConvertible {
    /// The start line only: enough for a log line, without anybody's secrets.
    public var description: String { text(startLineRange) }
}
