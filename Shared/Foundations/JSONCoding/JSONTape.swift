/// A text that was checked once: every value of it in the order of the text, each knowing where the next one after it begins.
final class JSONTape {
    /// How a string is written: in ASCII as it is, with bytes beyond ASCII, with escapes.
    enum Spelling: UInt8 { case plain, wide, escaped }

    struct Node {
        var kind: JSONKind
        var spelling = Spelling.plain
        /// Where the value is in the text; of a string, what is between its quotes. Of an object: the marks of its names, since most that are
        /// looked for and are not there need no search then, and the name that was found last, as types ask in the order in which they wrote.
        var start: UInt32
        var end: UInt32
        /// The node after the value with all that is in it. In an object names and values take turns.
        var next: UInt32
    }

    let bytes: [UInt8]
    private var nodes: [Node]

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        guard bytes.count < UInt32.max else { throw Self.failure("the text is too long", 0) }
        var scan = JSONScan(bytes: bytes)
        try scan.text()
        nodes = scan.nodes
    }

    static func failure(_ what: String, _ offset: Int) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "\(what) (byte \(offset))"))
    }

    // MARK: Values

    subscript(_ node: Int) -> Node { nodes[node] }

    /// Not of an object.
    private func range(_ node: Int) -> Range<Int> { Int(nodes[node].start)..<Int(nodes[node].end) }

    func text(_ node: Int) throws -> String {
        let range = range(node)
        if nodes[node].spelling == .plain {
            return unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: UnsafeBufferPointer(rebasing: $0[range]), as: UTF8.self) }
        }
        let text = nodes[node].spelling == .escaped
            ? String(validating: try unescaped(range), as: UTF8.self) : String(validating: bytes[range], as: UTF8.self)
        guard let text else { throw Self.failure("a string that is not UTF-8", range.lowerBound) }
        return text
    }

    /// Nil when the number is no such integer.
    func integer<Value: FixedWidthInteger>(_ node: Int, as type: Value.Type) -> Value? {
        guard nodes[node].kind == .integer else {
            return nodes[node].kind == .number ? number(node).flatMap { Value(exactly: $0) } : nil
        }
        let range = range(node)
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var value: Value = 0
        for index in (isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound {
            let digit = Value(truncatingIfNeeded: bytes[index] &- UInt8(ascii: "0"))
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// Nil for what is no number, or too large.
    func number(_ node: Int) -> Double? {
        guard nodes[node].kind == .integer || nodes[node].kind == .number else { return nil }
        guard let value = Double(String(decoding: bytes[range(node)], as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    // MARK: Members

    /// A bit for a name, by its length and its ends.
    static func mark(_ count: Int, first: UInt8, last: UInt8) -> UInt32 {
        1 << UInt32(truncatingIfNeeded: (count &* 11 &+ Int(first) &* 5 &+ Int(last)) & 31)
    }

    /// Begins the search for members of an object anew.
    func rewind(_ object: Int) { nodes[object].end = UInt32(object + 1) }

    /// The value of the first member of that name, from the one that was found last on and round; nil when there is none.
    func member(_ name: String, of object: Int) throws -> Int? {
        let found: Int?? = unsafe try name.utf8.withContiguousStorageIfAvailable { unsafe try member(UnsafeRawBufferPointer($0), of: object) }
        if let found { return found }
        return unsafe try Array(name.utf8).withUnsafeBytes { unsafe try member($0, of: object) }
    }

    private func member(_ name: UnsafeRawBufferPointer, of object: Int) throws -> Int? {
        let (names, cursor, end) = (nodes[object].start, Int(nodes[object].end), Int(nodes[object].next))
        let mark = unsafe name.isEmpty ? Self.mark(0, first: 0, last: 0) : Self.mark(name.count, first: name[0], last: name[name.count - 1])
        guard names & mark != 0 else { return nil }
        var place = cursor
        repeat {
            if unsafe try isText(place, name) {
                nodes[object].end = UInt32(place)
                return place + 1
            }
            place = Int(nodes[place + 1].next)
            if place == end { place = object + 1 }
        } while place != cursor
        return nil
    }

    @inline(__always)
    private func isText(_ place: Int, _ text: UnsafeRawBufferPointer) throws -> Bool {
        let node = nodes[place]
        if node.spelling == .escaped { return unsafe try self.text(place) == String(decoding: text, as: UTF8.self) }
        let (start, count) = (Int(node.start), Int(node.end) - Int(node.start))
        guard count == text.count else { return false }
        return unsafe bytes.withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= count {
                let own = unsafe bytes.loadUnaligned(fromByteOffset: start + index, as: UInt64.self)
                guard unsafe text.loadUnaligned(fromByteOffset: index, as: UInt64.self) == own else { return false }
                index += 8
            }
            while index < count {
                guard unsafe bytes[start + index] == text[index] else { return false }
                index += 1
            }
            return true
        }
    }

    // MARK: Escapes

    private func unescaped(_ range: Range<Int>) throws -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                continue
            }
            // That something of its kind follows was checked.
            let kind = bytes[index]
            index += 1
            switch kind {
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "f"): plain.append(0x0C)
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "u"): plain.append(contentsOf: String(Character(try scalar(&index, range.upperBound))).utf8)
            default: plain.append(kind)
            }
        }
        return plain
    }

    /// The four digits at `index`, and the low surrogate that must follow a high one (RFC 8259 §7).
    private func scalar(_ index: inout Int, _ end: Int) throws -> Unicode.Scalar {
        let start = index
        var code = digits(at: index)
        index += 4
        if code & 0xFC00 == 0xD800, index + 6 <= end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") {
            code = 0x10000 + (code & 0x3FF) << 10 + digits(at: index + 2) & 0x3FF
            index += 6
        }
        guard let scalar = Unicode.Scalar(code) else { throw Self.failure("half a character", start) }
        return scalar
    }

    private func digits(at index: Int) -> UInt32 {
        bytes[index..<index + 4].reduce(0) { $0 << 4 | UInt32($1 < 58 ? $1 &- 48 : ($1 | 32) &- 87) }
    }
}
