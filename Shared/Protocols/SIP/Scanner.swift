internal import Bytes

/// Reads the tokens of one header value (RFC 3261 §25.1). A fold, which only the index pass lets through, counts as blank.
struct Scanner: ~Escapable {
    let bytes: Span<UInt8>
    var position: Int
    let end: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a value lies within its message")
        (self.bytes, position, end) = (bytes, range.lowerBound, range.upperBound)
    }

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.init(bytes, 0..<bytes.count) }

    var isAtEnd: Bool { position >= end }
    var next: UInt8? { position < end ? bytes[position] : nil }

    @inline(__always)
    mutating func skipBlanks() {
        while position < end, Self.isBlank(bytes[position]) { position &+= 1 }
    }

    /// Consumes `byte` and the blanks around it; false (and nothing consumed but blanks) when something else comes.
    @inline(__always)
    mutating func skip(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard position < end, bytes[position] == byte else { return false }
        position &+= 1
        skipBlanks()
        return true
    }

    mutating func skip(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard end - position >= length else { return false }
        guard ASCII.equalsIgnoringCase(bytes.extracting(position..<position + length), text) else { return false }
        position += length
        return true
    }

    /// `token` of §25.1; nil when none stands here.
    @inline(__always)
    mutating func token() -> Range<Int>? {
        let start = position
        while position < end, Self.isToken(bytes[position]) { position &+= 1 }
        return start == position ? nil : start..<position
    }

    /// Everything up to a byte that `stop` accepts; may be empty.
    mutating func run(until stop: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        while position < end, !stop(bytes[position]) { position &+= 1 }
        return start..<position
    }

    /// Steps over a `quoted-string`: what lies between its quotes, pairs unresolved; nil when it is not closed.
    mutating func quotedString() -> Range<Int>? {
        guard next == UInt8(ascii: "\"") else { return nil }
        var index = position &+ 1
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                let content = (position &+ 1)..<index
                position = index &+ 1
                return content
            case UInt8(ascii: "\\"):
                guard index &+ 1 < end else { return nil }
                index &+= 2
            default: index &+= 1
            }
        }
        return nil
    }

    mutating func decimal() -> UInt64? {
        let digits = run { !ASCII.isDigit($0) }
        return ASCII.decimal(bytes.extracting(digits))
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 || byte == 10 }

    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        // Two words in which the bit of each token character below 128 is set.
        let set: UInt64 =
            byte < 64 ? 0x03ff_6ca2_0000_0000 : 0x47ff_ffff_87ff_fffe
        return byte < 128 && set &>> UInt64(byte & 63) & 1 == 1
    }
}

extension Span where Element == UInt8 {
    func text(_ range: Range<Int>) -> String { unsafe extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } }

    /// The content of a quoted string with its pairs resolved.
    func unquoted(_ range: Range<Int>) -> String {
        guard firstIndex(of: UInt8(ascii: "\\"), from: range.lowerBound, to: range.upperBound) < range.upperBound else {
            return text(range)
        }
        var content: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            if self[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound { index += 1 }
            content.append(self[index])
            index += 1
        }
        return String(decoding: content, as: UTF8.self)
    }

    func isEqual(_ range: Range<Int>, _ text: StaticString) -> Bool { ASCII.equalsIgnoringCase(extracting(range), text) }
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
