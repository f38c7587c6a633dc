/// A text that was checked once: every value of it in the order of the text, each knowing where the next one after it begins.
final class JSONTape {
    /// How a string is written: in ASCII as it is, with bytes beyond ASCII, with escapes.
    enum Spelling: UInt8 { case plain, wide, escaped }

    struct Node {
        var kind: JSONKind
        var spelling = Spelling.plain
        /// Where the value is in the text; of a string, what is between its quotes.
        var start: UInt32
        var end: UInt32
        /// The node after the value with all that is in it. In an object names and values take turns.
        var next: UInt32
    }

    let bytes: [UInt8]
    private(set) var nodes: [Node] = []

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        guard bytes.count < UInt32.max else { throw Self.failure("the text is too long", 0) }
        nodes.reserveCapacity(bytes.count / 12 + 4)
        var scan = JSONScan(bytes: bytes)
        try scan.text(into: &nodes)
    }

    static func failure(_ what: String, _ offset: Int) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "\(what) (byte \(offset))"))
    }

    // MARK: Values

    subscript(_ node: Int) -> Node { nodes[node] }

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

    func isText(_ node: Int, _ text: String) throws -> Bool {
        if nodes[node].spelling == .escaped { return try self.text(node) == text }
        let range = range(node)
        guard text.utf8.count == range.count else { return false }
        var index = range.lowerBound
        for byte in text.utf8 {
            guard bytes[index] == byte else { return false }
            index += 1
        }
        return true
    }

    /// Nil when the number is no such integer.
    func integer<Value: FixedWidthInteger>(_ node: Int, as type: Value.Type) -> Value? {
        let range = range(node)
        guard nodes[node].kind == .integer else {
            return nodes[node].kind == .number ? number(node).flatMap { Value(exactly: $0) } : nil
        }
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
