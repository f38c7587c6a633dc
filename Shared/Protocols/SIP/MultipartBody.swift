internal import Bytes

/// A body of several parts (RFC 2046 §5.1, RFC 5621 §3.1): where each lies and what it says of itself. Nothing is copied, the work grows with
/// the length, and what a hostile sender could make many of is bounded. Lines end with CRLF; a LF alone, as some have it, is taken as well.
struct MultipartBody: Sendable {
    enum Mistake: Error, Sendable {
        /// 1 to 70 characters, the last of which is no blank (RFC 2046 §5.1.1).
        case badBoundary
        case badHeader
        case tooManyParts
        /// The delimiter that closes it is not there: what was sent behind it is unknown.
        case unterminated
    }

    struct Part: Sendable {
        var head = EntityHead()
        var content: Range<Int>
    }

    private static let mostParts = 16
    private static let mostHeaders = 32

    let parts: [Part]

    /// What lies at `range`; the parts lie in `bytes`, too.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, boundary: String) throws(Mistake) {
        let boundary = Array(boundary.utf8)
        guard (1...70).contains(boundary.count), boundary.last != 32, boundary.allSatisfy({ $0 >= 32 && $0 != 127 }) else { throw .badBoundary }
        var parts: [Part] = []
        var begin: Int?
        var position = range.lowerBound
        while position < range.upperBound {
            let end = bytes.firstIndex(of: 10, from: position, to: range.upperBound)
            let line = Line(bytes, position..<end, boundary)
            if line != .content {
                if let begin {
                    guard parts.count < Self.mostParts else { throw .tooManyParts }
                    parts.append(try Self.part(bytes, begin..<Self.end(ofPartFrom: begin, before: position, bytes)))
                }
                guard line == .opens else {
                    self.parts = parts
                    return
                }
                begin = min(end + 1, range.upperBound)
            }
            position = end + 1
        }
        throw .unterminated
    }

    private enum Line {
        case content, opens, closes

        /// §5.1.1: two hyphens and the boundary, and two more at the last; blanks may follow, and nothing else, or it is content.
        init(_ bytes: Span<UInt8>, _ line: Range<Int>, _ boundary: [UInt8]) {
            let hyphen = UInt8(ascii: "-")
            self = .content
            guard line.count >= boundary.count + 2, bytes[line.lowerBound] == hyphen, bytes[line.lowerBound + 1] == hyphen else { return }
            var rest = line.lowerBound + 2
            for byte in boundary {
                guard bytes[rest] == byte else { return }
                rest += 1
            }
            let closes = line.upperBound - rest >= 2 && bytes[rest] == hyphen && bytes[rest + 1] == hyphen
            if closes { rest += 2 }
            while rest < line.upperBound, Scanner.isBlank(bytes[rest]) { rest += 1 }
            if rest == line.upperBound { self = closes ? .closes : .opens }
        }
    }

    /// The line end before a delimiter is the delimiter's (§5.1.1).
    private static func end(ofPartFrom begin: Int, before delimiter: Int, _ bytes: Span<UInt8>) -> Int {
        var end = delimiter
        if end > begin, bytes[end - 1] == 10 { end -= 1 }
        if end > begin, bytes[end - 1] == 13 { end -= 1 }
        return end
    }

    /// Header lines up to an empty one, then the content. Without the empty line there is no content.
    private static func part(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Mistake) -> Part {
        var part = Part(content: range.upperBound..<range.upperBound)
        var position = range.lowerBound
        var headers = 0
        while position < range.upperBound {
            var end = bytes.firstIndex(of: 10, from: position, to: range.upperBound)
            if end == position || end == position + 1 && bytes[position] == 13 {
                part.content = min(end + 1, range.upperBound)..<range.upperBound
                break
            }
            // A line that begins with a blank goes on with the one before (RFC 5322 §2.2.3).
            while end + 1 < range.upperBound, ASCII.isWhitespace(bytes[end + 1]) {
                end = bytes.firstIndex(of: 10, from: end + 1, to: range.upperBound)
            }
            headers += 1
            guard headers <= mostHeaders, part.head.take(position..<end, in: bytes) else { throw .badHeader }
            position = end + 1
        }
        return part
    }
}
