/// Takes XML apart, the part of it that speech is marked up with: elements, attributes, text, comments and CDATA. A document
/// type or an entity of its own is refused, so nothing can refer to anything.
struct XMLReader {
    enum Token: Equatable {
        case text(String)
        case start(String, [String: String], isEmpty: Bool)
        case end(String)
    }

    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Nil at the end.
    mutating func next() throws(SpeechError) -> Token? {
        while place < bytes.count {
            if starts(with: "<!--") {
                try skip(past: "-->", from: 4)
            } else if starts(with: "<?") {
                try skip(past: "?>", from: 2)
            } else if starts(with: "<![CDATA[") {
                let start = place + 9
                try skip(past: "]]>", from: 9)
                return .text(text(start..<(place - 3)))
            } else if starts(with: "<!") {
                throw .invalid("a document type")
            } else if starts(with: "</") {
                place += 2
                let name = try self.name()
                skipSpace()
                try expect(UInt8(ascii: ">"))
                return .end(name)
            } else if bytes[place] == UInt8(ascii: "<") {
                return try startTag()
            } else {
                let start = place
                while place < bytes.count, bytes[place] != UInt8(ascii: "<") { place += 1 }
                return .text(try unescaped(start..<place))
            }
        }
        return nil
    }

    private mutating func startTag() throws(SpeechError) -> Token {
        place += 1
        let name = try self.name()
        var attributes: [String: String] = [:]
        while true {
            skipSpace()
            if starts(with: "/>") {
                place += 2
                return .start(name, attributes, isEmpty: true)
            }
            if starts(with: ">") {
                place += 1
                return .start(name, attributes, isEmpty: false)
            }
            let attribute = try self.name()
            skipSpace()
            try expect(UInt8(ascii: "="))
            skipSpace()
            guard place < bytes.count, [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[place]) else {
                throw .invalid("a value without quotes")
            }
            let quote = bytes[place]
            let start = place + 1
            guard start <= bytes.count, let end = bytes[start...].firstIndex(of: quote), !bytes[start..<end].contains(UInt8(ascii: "<")),
                attributes.count < 16, attributes[attribute] == nil
            else { throw .invalid("an attribute that does not end, or comes twice") }
            attributes[attribute] = try unescaped(start..<end)
            place = end + 1
        }
    }

    private mutating func name() throws(SpeechError) -> String {
        let start = place
        while place < bytes.count, Self.isName(bytes[place]) { place += 1 }
        guard (1...40).contains(place - start) else { throw .invalid("a name that is none") }
        return text(start..<place)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 58, 95: true
        default: false
        }
    }

    private static let entities = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

    private func unescaped(_ range: Range<Int>) throws(SpeechError) -> String {
        var result: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "&") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard let end = bytes[index..<min(index + 12, range.upperBound)].firstIndex(of: UInt8(ascii: ";")) else {
                throw .invalid("an & that is none")
            }
            let name = text((index + 1)..<end)
            if let known = Self.entities[name] {
                result += known.utf8
            } else if name.hasPrefix("#"), let scalar = Self.scalar(name.dropFirst()) {
                result += String(Character(scalar)).utf8
            } else {
                throw .invalid("the entity \(name.prefix(12))")
            }
            index = end + 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func scalar(_ digits: Substring) -> Unicode.Scalar? {
        let value = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
        return value.flatMap { $0 > 0 ? Unicode.Scalar($0) : nil }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func starts(with prefix: String) -> Bool {
        guard place <= bytes.count else { return false }
        return bytes[place...].starts(with: prefix.utf8)
    }

    private mutating func skip(past end: String, from offset: Int) throws(SpeechError) {
        let wanted = Array(end.utf8)
        place += offset
        while place + wanted.count <= bytes.count {
            if bytes[place..<(place + wanted.count)].elementsEqual(wanted) {
                place += wanted.count
                return
            }
            place += 1
        }
        throw .invalid("\(end) is missing")
    }

    private mutating func skipSpace() {
        while place < bytes.count, [9, 10, 13, 32].contains(bytes[place]) { place += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(SpeechError) {
        guard place < bytes.count, bytes[place] == byte else { throw .invalid("'\(Character(Unicode.Scalar(byte)))' is missing") }
        place += 1
    }
}
