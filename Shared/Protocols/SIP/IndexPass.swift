internal import Bytes

/// The one pass over a message that finds its start line, header fields and the empty line behind them.
struct IndexPass {
    private let bytes: [UInt8]
    private let limits: Limits
    private var fields: [Message.Field] = []
    private var start: Message.Start?
    private var startLineRange = 0..<0
    private var isVersionSupported = true
    private var headersEnd = 0
    private(set) var position = 0
    private(set) var contentLength: Int?

    init(bytes: [UInt8], limits: Limits) { (self.bytes, self.limits) = (bytes, limits) }

    func message(bodyLength: Int) -> Message {
        guard let start else { preconditionFailure("run() sets the start line or throws") }
        let end = position + bodyLength
        return Message(
            bytes: end == bytes.count ? bytes : Array(bytes[..<end]), start: start, isVersionSupported: isVersionSupported,
            fields: fields, startLineRange: startLineRange, headersEnd: headersEnd, bodyRange: position..<end)
    }

    mutating func run() throws(ParseError) {
        while position + 1 < bytes.count, bytes[position] == 13, bytes[position + 1] == 10 { position += 2 }
        guard position < bytes.count else { throw .empty }
        startLineRange = try line()
        try parseStartLine()
        fields.reserveCapacity(20)
        var vias = 0
        while true {
            let begin = position
            var content = try line()
            if content.isEmpty {
                headersEnd = begin
                return
            }
            // A line that starts with a blank continues the one before (§7.3.1).
            while position < bytes.count, ASCII.isWhitespace(bytes[position]) {
                let continued = try line()
                content = content.lowerBound..<continued.upperBound
                guard content.count <= limits.lineLength else { throw .lineTooLong }
            }
            guard fields.count < limits.headerCount else { throw .tooManyHeaders }
            let field = try parseField(content, line: begin..<position)
            if field.name == .via {
                vias += 1 + bytes[field.valueRange].reduce(0) { $0 + ($1 == UInt8(ascii: ",") ? 1 : 0) }
                guard vias <= limits.viaCount + 1 else { throw .tooManyVias }
            } else if field.name == .contentLength {
                try parseContentLength(field.valueRange)
            }
            fields.append(field)
        }
    }

    /// The content of the line at `position`, which moves behind its CRLF. A bare CR or LF and other control bytes are refused,
    /// except a control byte escaped in a quoted string (§25.1 `quoted-pair`).
    private mutating func line() throws(ParseError) -> Range<Int> {
        let begin = position
        let stop = min(bytes.count, begin + limits.lineLength + 1)
        var index = begin
        while index < stop {
            let byte = bytes[index]
            if byte == 13 {
                guard index + 1 < bytes.count else { throw .unterminatedHeaders }
                guard bytes[index + 1] == 10 else { throw .controlByte }
                position = index + 2
                return begin..<index
            }
            if byte < 32 || byte == 127, byte != 9 {
                guard byte != 10, index > begin, bytes[index - 1] == UInt8(ascii: "\\") else { throw .controlByte }
            }
            index += 1
        }
        throw stop == bytes.count ? .unterminatedHeaders : .lineTooLong
    }

    private mutating func parseStartLine() throws(ParseError) {
        var scanner = Scanner(bytes, startLineRange)
        let isResponse =
            startLineRange.count > 4 && bytes[startLineRange.lowerBound + 3] == UInt8(ascii: "/") && scanner.skip("SIP/")
        if isResponse {
            let version = scanner.run { $0 == 32 }
            isVersionSupported = bytes[version].elementsEqual("2.0".utf8)
            guard isSingleSpace(&scanner) else { throw .badStartLine }
            let digits = scanner.run { $0 == 32 }
            guard digits.count == 3, let status = ASCII.decimal(bytes[digits]), 100...699 ~= status else { throw .badStartLine }
            // The blank behind the code is required, yet so many leave it out with the reason that we do not insist.
            if scanner.next == 32 { _ = isSingleSpace(&scanner) }
            start = .response(status: Int(status), reason: scanner.position..<startLineRange.upperBound)
            return
        }
        guard let methodRange = scanner.token(), isSingleSpace(&scanner) else { throw .badStartLine }
        let uri = scanner.run { $0 == 32 || $0 == 9 }
        guard !uri.isEmpty, isSingleSpace(&scanner), scanner.skip("SIP/") else { throw .badStartLine }
        let version = scanner.run { $0 == 32 || $0 == 9 }
        guard scanner.isAtEnd, !version.isEmpty else { throw .badStartLine }
        isVersionSupported = bytes[version].elementsEqual("2.0".utf8)
        start = .request(Method(scanner.text(methodRange)), uri: uri)
    }

    private func isSingleSpace(_ scanner: inout Scanner) -> Bool {
        guard scanner.next == 32 else { return false }
        scanner.advance()
        return true
    }

    /// `field-name HCOLON value`: blanks may stand before the colon, the name is a token.
    private func parseField(_ content: Range<Int>, line: Range<Int>) throws(ParseError) -> Message.Field {
        var index = content.lowerBound
        while index < content.upperBound, Scanner.isToken(bytes[index]) { index += 1 }
        let nameRange = content.lowerBound..<index
        while index < content.upperBound, ASCII.isWhitespace(bytes[index]) { index += 1 }
        guard !nameRange.isEmpty, index < content.upperBound, bytes[index] == UInt8(ascii: ":") else { throw .badHeaderLine }
        var (start, end) = (index + 1, content.upperBound)
        while start < end, Scanner.isBlank(bytes[start]) { start += 1 }
        while end > start, Scanner.isBlank(bytes[end - 1]) { end -= 1 }
        return Message.Field(
            name: .recognise(bytes, nameRange), nameRange: nameRange, valueRange: start..<end, lineRange: line)
    }

    private mutating func parseContentLength(_ range: Range<Int>) throws(ParseError) {
        guard let value = ASCII.decimal(bytes[range]), value <= UInt64(limits.messageLength) else { throw .badContentLength }
        // Even an equal second one is a way to make two parsers disagree (request smuggling).
        guard contentLength == nil else { throw .conflictingContentLength }
        contentLength = Int(value)
    }
}
