internal import Bytes

/// The one pass over a message that finds its start line, header fields and the empty line behind them: no allocation but that
/// of the index, and none when that is used again.
struct IndexPass {
    private let limits: Limits
    private(set) var fields: [Message.Field] = []
    /// Bits by the raw value of the names that stand once or more, and of those that stand more than once.
    private(set) var names = Message.Names()
    private(set) var start: Message.Start?
    private(set) var startLineRange = 0..<0
    private(set) var isVersionSupported = true
    private(set) var headersEnd = 0
    /// Behind the empty line once `run` is done.
    private(set) var position = 0
    private(set) var contentLength: Int?
    /// What is wrong with a line behind which reading can go on: enough to refuse the message, but with an answer.
    private var defect: ParseError?

    init(limits: Limits) {
        self.limits = limits
        fields.reserveCapacity(24)
    }

    /// What `run` has found, of a message with so long a body.
    func frame(bodyLength: Int) -> Message.Frame? {
        start.map {
            Message.Frame(
                start: $0, isVersionSupported: isVersionSupported, names: names, startLine: startLineRange,
                headersEnd: headersEnd, body: position..<position + bodyLength)
        }
    }

    mutating func run(_ bytes: Span<UInt8>) throws(ParseError) {
        fields.removeAll(keepingCapacity: true)
        (names, start, isVersionSupported, contentLength) = (Message.Names(), nil, true, nil)
        (position, headersEnd, defect) = (0, 0, nil)
        while position + 1 < bytes.count, bytes[position] == 13, bytes[position + 1] == 10 { position += 2 }
        guard position < bytes.count else { throw .empty }
        startLineRange = try line(bytes)
        try parseStartLine(bytes)
        var vias = 0
        while true {
            let begin = position
            var content = try line(bytes)
            if content.isEmpty {
                headersEnd = begin
                if let defect { throw defect }
                return
            }
            // A line that starts with a blank continues the one before (§7.3.1).
            while position < bytes.count, ASCII.isWhitespace(bytes[position]) {
                content = content.lowerBound..<(try line(bytes)).upperBound
                guard content.count <= limits.lineLength else { throw .lineTooLong }
            }
            guard fields.count < limits.headerCount else { throw .tooManyHeaders }
            guard let field = Self.field(bytes, content, line: begin..<position) else {
                defect = defect ?? .badHeaderLine
                continue
            }
            if field.name == .via {
                vias += 1
                for index in field.valueRange where bytes[index] == UInt8(ascii: ",") { vias += 1 }
                guard vias <= limits.viaCount + 1 else { throw .tooManyVias }
            } else if field.name == .contentLength {
                parseContentLength(bytes.extracting(field.valueRange))
            }
            names.insert(field.name)
            fields.append(field)
        }
    }

    /// The content of the line at `position`, which moves behind its CRLF. A bare CR or LF and other control bytes are refused,
    /// except a control byte escaped in a quoted string (§25.1 `quoted-pair`).
    private mutating func line(_ bytes: Span<UInt8>) throws(ParseError) -> Range<Int> {
        let begin = position
        let stop = min(bytes.count, begin + limits.lineLength + 1)
        var index = begin
        while true {
            index = bytes.firstControl(from: index, to: stop)
            guard index < stop else { throw stop == bytes.count ? .unterminatedHeaders : .lineTooLong }
            let byte = bytes[index]
            if byte == 13 {
                guard index + 1 < bytes.count else { throw .unterminatedHeaders }
                guard bytes[index + 1] == 10 else { throw .controlByte }
                position = index + 2
                return begin..<index
            }
            if byte != 9 {
                guard byte != 10, index > begin, bytes[index - 1] == UInt8(ascii: "\\") else { throw .controlByte }
            }
            index += 1
        }
    }

    // MARK: The start line (§7.1, §7.2): single spaces, nothing before, between or behind

    private mutating func parseStartLine(_ bytes: Span<UInt8>) throws(ParseError) {
        let (begin, end) = (startLineRange.lowerBound, startLineRange.upperBound)
        if let versionStart = Self.protocolEnd(bytes, begin, end) {
            let versionEnd = Self.wordEnd(bytes, versionStart, end)
            isVersionSupported = Self.isTwoPointZero(bytes, versionStart, versionEnd)
            let digits = versionEnd + 1
            guard digits + 3 <= end, bytes[versionEnd] == 32, digits + 3 == end || bytes[digits + 3] == 32,
                let status = ASCII.decimal(bytes.extracting(digits..<digits + 3)), 100...699 ~= status
            else { throw .badStartLine }
            // The blank behind the code is required, yet so many leave it out with the reason that we do not insist.
            start = .response(status: Int(status), reason: min(digits + 4, end)..<end)
            return
        }
        let methodEnd = Self.wordEnd(bytes, begin, end)
        for index in begin..<methodEnd where !Scanner.isToken(bytes[index]) { throw .badStartLine }
        let uriEnd = Self.wordEnd(bytes, min(methodEnd + 1, end), end)
        guard methodEnd > begin, uriEnd > methodEnd + 1, uriEnd < end, bytes[methodEnd] == 32, bytes[uriEnd] == 32,
            let versionStart = Self.protocolEnd(bytes, uriEnd + 1, end), versionStart < end,
            Self.wordEnd(bytes, versionStart, end) == end
        else { throw .badStartLine }
        isVersionSupported = Self.isTwoPointZero(bytes, versionStart, end)
        start = .request(Method(bytes, begin..<methodEnd), uri: methodEnd + 1..<uriEnd)
    }

    private static func wordEnd(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
        var index = from
        while index < end, bytes[index] != 32, bytes[index] != 9 { index += 1 }
        return index
    }

    /// The offset behind `SIP/`; nil when something else stands there.
    private static func protocolEnd(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Int? {
        guard from + 4 <= end, ASCII.equalsIgnoringCase(bytes.extracting(from..<from + 4), "SIP/") else { return nil }
        return from + 4
    }

    private static func isTwoPointZero(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) -> Bool {
        end - from == 3 && bytes[from] == UInt8(ascii: "2") && bytes[from + 1] == UInt8(ascii: ".")
            && bytes[from + 2] == UInt8(ascii: "0")
    }

    // MARK: Header fields

    /// `field-name HCOLON value`: blanks may stand before the colon, the name is a token.
    private static func field(_ bytes: Span<UInt8>, _ content: Range<Int>, line: Range<Int>) -> Message.Field? {
        var index = content.lowerBound
        while index < content.upperBound, Scanner.isToken(bytes[index]) { index += 1 }
        let nameRange = content.lowerBound..<index
        while index < content.upperBound, ASCII.isWhitespace(bytes[index]) { index += 1 }
        guard !nameRange.isEmpty, index < content.upperBound, bytes[index] == UInt8(ascii: ":") else { return nil }
        var (start, end) = (index + 1, content.upperBound)
        while start < end, Scanner.isBlank(bytes[start]) { start += 1 }
        while end > start, Scanner.isBlank(bytes[end - 1]) { end -= 1 }
        return Message.Field(
            name: .recognise(bytes, nameRange), nameRange: nameRange, valueRange: start..<end, lineRange: line)
    }

    private mutating func parseContentLength(_ digits: Span<UInt8>) {
        guard let value = ASCII.decimal(digits), value <= UInt64(limits.messageLength) else {
            defect = defect ?? .badContentLength
            return
        }
        // Even an equal second one is a way to make two parsers disagree (request smuggling).
        guard contentLength == nil else {
            defect = defect ?? .conflictingContentLength
            return
        }
        contentLength = Int(value)
    }
}
