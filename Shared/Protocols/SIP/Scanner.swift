internal import Bytes

/// Reads the tokens of one header value (RFC 3261 §25.1). A fold, which only the index pass lets through, counts as blank.
struct Scanner {
    let bytes: [UInt8]
    private(set) var position: Int
    let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        (self.bytes, position, end) = (bytes, range.lowerBound, range.upperBound)
    }

    init(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes, 0..<bytes.count)
    }

    var isAtEnd: Bool { position >= end }
    var next: UInt8? { position < end ? bytes[position] : nil }

    mutating func skipBlanks() {
        while position < end, Self.isBlank(bytes[position]) { position += 1 }
    }

    mutating func advance() { position += 1 }

    /// Consumes `byte` and the blanks around it; false (and nothing consumed but blanks) when something else comes.
    mutating func skip(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard next == byte else { return false }
        position += 1
        skipBlanks()
        return true
    }

    mutating func skip(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard end - position >= length else { return false }
        guard ASCII.equalsIgnoringCase(bytes.span.extracting(position..<position + length), text) else { return false }
        position += length
        return true
    }

    /// `token` of §25.1; nil when none stands here.
    mutating func token() -> Range<Int>? {
        let start = position
        while position < end, Self.isToken(bytes[position]) { position += 1 }
        return start == position ? nil : start..<position
    }

    /// Everything up to a byte that `stop` accepts; may be empty.
    mutating func run(until stop: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        while position < end, !stop(bytes[position]) { position += 1 }
        return start..<position
    }

    /// `quoted-string` with its quotes taken off and its pairs resolved; nil when it is not closed.
    mutating func quotedString() -> String? {
        guard next == UInt8(ascii: "\"") else { return nil }
        var content: [UInt8] = []
        var index = position + 1
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                position = index + 1
                return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard index + 1 < end else { return nil }
                content.append(bytes[index + 1])
                index += 2
            default:
                content.append(bytes[index])
                index += 1
            }
        }
        return nil
    }

    mutating func decimal() -> UInt64? {
        let digits = run { !ASCII.isDigit($0) }
        return ASCII.decimal(bytes[digits])
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 || byte == 10 }

    static func isToken(_ byte: UInt8) -> Bool {
        if ASCII.isLetter(byte) || ASCII.isDigit(byte) { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "%"), UInt8(ascii: "*"), UInt8(ascii: "_"),
            UInt8(ascii: "+"), UInt8(ascii: "`"), UInt8(ascii: "'"), UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }
}

/// Writes a string as `quoted-string`: backslash and quote escaped, control bytes replaced.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\" + String(scalar)
        case _ where scalar.value < 32 || scalar.value == 127: result += " "
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
