internal import Bytes

/// The one pass over a message that finds its start line, header fields and the empty line behind them: no allocation but that
/// of the index, and none when that is used again.
struct IndexPass {
    private let limits: Limits
    private(set) var fields: [Message.Field] = []
    /// Bits by the raw value of the names that stand once or more, and of those that stand more than once.
    private(set) var names = Message.Names()
    private(set) var start: Message.StartLine?
    private(set) var startLineRange = 0..<0
    private(set) var isVersionSupported = true
    private(set) var headersEnd = 0
    /// Behind the empty line once `run` is done.
    private(set) var position = 0
    private(set) var contentLength: Int?
    /// What is wrong with a line behind which reading can go on: enough to refuse the message, but with an answer.
    private var defect: ParseError?
    /// False when the line that was read last has a byte which no answer may repeat.
    private var isLineClean = true

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
        isLineClean = true
        startLineRange = try line(bytes)
        guard isLineClean else { throw defect ?? .controlByte }
        try parseStartLine(bytes)
        var vias = 0
        while true {
            let begin = position
            isLineClean = true
            var content = try line(bytes)
            if content.isEmpty {
                headersEnd = begin
                if let defect { throw defect }
                return
            }
            // A line that starts with a blank continues the one before (§7.3.1).
            while position < bytes.count, ASCII.isWhitespace(bytes[position]) {
                content = content.lowerBound..<(try line(bytes)).upperBound
                if content.count > limits.lineLength { refuseLine(.lineTooLong) }
            }
            guard fields.count < limits.headerCount else { throw .tooManyHeaders }
            guard isLineClean else { continue }
            guard let field = Self.field(bytes, content, line: begin..<position) else {
                defect = defect ?? .badHeaderLine
                continue
            }
            if field.name == .via {
                vias += 1
                if field.mayHaveComma { vias += Self.commas(bytes, field.valueRange) }
                // A response has the Vias of a request that has passed already.
                if vias > limits.viaCount, case .request? = start { defect = defect ?? .tooManyVias }
            } else if field.name == .contentLength {
                parseContentLength(bytes.extracting(field.valueRange))
            }
            names.insert(field.name)
            fields.append(field)
        }
    }

    /// The content of the line at `position`, which moves behind its CRLF. A bare CR or LF and other control bytes have no place
    /// in it, except one escaped in a quoted string (§25.1 `quoted-pair`).
    private mutating func line(_ bytes: Span<UInt8>) throws(ParseError) -> Range<Int> {
        let begin = position
        var stop = min(bytes.count, begin + limits.lineLength + 1)
        var index = begin
        var quotes = QuotedPairs(from: begin)
        while true {
            index = bytes.firstControl(from: index, to: stop)
            guard index < stop else {
                guard stop < bytes.count else { throw defect ?? .unterminatedHeaders }
                refuseLine(.lineTooLong)
                stop = bytes.count
                continue
            }
            let byte = bytes[index]
            if byte == 13 {
                guard index + 1 < bytes.count else { throw defect ?? .unterminatedHeaders }
                if bytes[index + 1] == 10 {
                    position = index + 2
                    return begin..<index
                }
            }
            if byte != 9, byte == 13 || byte == 10 || !quotes.escape(bytes, index) { refuseLine(.controlByte) }
            index += 1
        }
    }

    private mutating func refuseLine(_ error: ParseError) {
        isLineClean = false
        defect = defect ?? error
    }

    /// Follows the quotes of a line as far as its control bytes, once over all of them.
    private struct QuotedPairs {
        private var position: Int
        private var isQuoted = false

        init(from begin: Int) { position = begin }

        /// Whether the byte at `index` is the second of a quoted pair.
        mutating func escape(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
            while position < index {
                switch bytes[position] {
                case UInt8(ascii: "\\") where isQuoted:
                    position += 2
                    if position == index + 1 { return true }
                    continue
                case UInt8(ascii: "\""): isQuoted.toggle()
                default: break
                }
                position += 1
            }
            return false
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
            start = .response(status: Int(status), reason: Slice(min(digits + 4, end)..<end))
            return
        }
        let methodEnd = Self.wordEnd(bytes, begin, end)
        guard methodEnd > begin else { throw .badStartLine }
        for index in begin..<methodEnd where !Scanner.isToken(bytes[index]) { throw .badStartLine }
        let uriEnd = Self.wordEnd(bytes, min(methodEnd + 1, end), end)
        guard uriEnd > methodEnd + 1, uriEnd < end, bytes[methodEnd] == 32, bytes[uriEnd] == 32,
            let versionStart = Self.protocolEnd(bytes, uriEnd + 1, end), versionStart < end,
            Self.wordEnd(bytes, versionStart, end) == end
        else {
            guard let uri = Self.misplacedURI(bytes, methodEnd, end) else { throw .badStartLine }
            start = .request(Method.Known(bytes, begin..<methodEnd), Slice(begin..<methodEnd), uri: Slice(uri))
            defect = .badStartLine
            return
        }
        isVersionSupported = Self.isTwoPointZero(bytes, versionStart, end)
        start = .request(Method.Known(bytes, begin..<methodEnd), Slice(begin..<methodEnd), uri: Slice(methodEnd + 1..<uriEnd))
    }

    /// What stands between the method and the version of a request line whose blanks are wrong: somebody speaks SIP, and is told so.
    private static func misplacedURI(_ bytes: Span<UInt8>, _ methodEnd: Int, _ lineEnd: Int) -> Range<Int>? {
        var end = lineEnd
        while end > methodEnd, ASCII.isWhitespace(bytes[end - 1]) { end -= 1 }
        var version = end
        while version > methodEnd, !ASCII.isWhitespace(bytes[version - 1]) { version -= 1 }
        guard version > methodEnd, protocolEnd(bytes, version, end) != nil else { return nil }
        return methodEnd..<version
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
        let (name, nameRange, colon): (HeaderName, Range<Int>, Int)
        if let frequent = HeaderName.frequent(bytes, content) {
            (name, nameRange, colon) = (frequent.name, content.lowerBound..<frequent.colon, frequent.colon)
        } else {
            colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: content.lowerBound, to: content.upperBound)
            guard colon < content.upperBound else { return nil }
            var nameEnd = colon
            while nameEnd > content.lowerBound, ASCII.isWhitespace(bytes[nameEnd &- 1]) { nameEnd &-= 1 }
            nameRange = content.lowerBound..<nameEnd
            guard !nameRange.isEmpty else { return nil }
            name = HeaderName.recognise(bytes, nameRange)
            if name == .other {
                for index in nameRange where !Scanner.isToken(bytes[index]) { return nil }
            }
        }
        var (start, end) = (colon &+ 1, content.upperBound)
        while start < end, Scanner.isBlank(bytes[start]) { start &+= 1 }
        while end > start, Scanner.isBlank(bytes[end &- 1]) { end &-= 1 }
        let mayHaveComma =
            switch name {
            case .via, .route, .recordRoute, .contact: bytes.firstIndex(of: UInt8(ascii: ","), from: start, to: end) < end
            default: true
            }
        return Message.Field(
            name: name, nameRange: nameRange, valueRange: start..<end, lineRange: line, mayHaveComma: mayHaveComma)
    }

    private static func commas(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var (count, index) = (0, range.lowerBound)
        while true {
            index = bytes.firstIndex(of: UInt8(ascii: ","), from: index, to: range.upperBound)
            guard index < range.upperBound else { return count }
            count &+= 1
            index &+= 1
        }
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
