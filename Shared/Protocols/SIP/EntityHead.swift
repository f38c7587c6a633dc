internal import Bytes

/// What a body, or a part of one, says of itself (RFC 3261 §20.11-§20.15, RFC 2045 §6): where the values lie.
struct EntityHead: Sendable {
    var type: Range<Int>?
    var disposition: Range<Int>?
    var encoding: Range<Int>?
    var transferEncoding: Range<Int>?

    /// Takes a header line of a part; false where it is none, or one that stands already: two readers could go by one of the two each.
    mutating func take(_ line: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: line.lowerBound, to: line.upperBound)
        guard colon < line.upperBound else { return false }
        var nameEnd = colon
        while nameEnd > line.lowerBound, ASCII.isWhitespace(bytes[nameEnd - 1]) { nameEnd -= 1 }
        let name = line.lowerBound..<nameEnd
        guard !name.isEmpty else { return false }
        for index in name where !Scanner.isToken(bytes[index]) { return false }
        var (start, end) = (colon + 1, line.upperBound)
        while start < end, Scanner.isBlank(bytes[start]) { start += 1 }
        while end > start, Scanner.isBlank(bytes[end - 1]) { end -= 1 }
        let value = start..<end
        switch HeaderName.recognise(bytes, name) {
        case .contentType: return Self.set(&type, value)
        case .contentDisposition: return Self.set(&disposition, value)
        case .contentEncoding: return Self.set(&encoding, value)
        default: return !bytes.isEqual(name, "Content-Transfer-Encoding") || Self.set(&transferEncoding, value)
        }
    }

    private static func set(_ field: inout Range<Int>?, _ value: Range<Int>) -> Bool {
        guard field == nil else { return false }
        field = value
        return true
    }

    /// `type/subtype` in lower case; nil where none is named.
    func typeName(in bytes: Span<UInt8>) -> String? {
        guard let type else { return nil }
        var name: [UInt8] = []
        for index in type.lowerBound..<parameters(of: type, in: bytes) where !Scanner.isBlank(bytes[index]) {
            name.append(ASCII.lowercased(bytes[index]))
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// The boundary of a multipart; nil where none can be read.
    func boundary(in bytes: Span<UInt8>) -> String? {
        guard let type else { return nil }
        var scanner = Scanner(bytes, parameters(of: type, in: bytes)..<type.upperBound)
        return Parameters(parsingHeader: &scanner)?["boundary"]
    }

    /// What it is for, in lower case (nil: what its type is usually for), and whether whoever does not understand it may leave it out.
    func purpose(in bytes: Span<UInt8>) -> (type: String?, isOptional: Bool) {
        guard let disposition else { return (nil, false) }
        var scanner = Scanner(bytes, disposition)
        guard let type = scanner.token() else { return (nil, false) }
        let handling = Parameters(parsingHeader: &scanner)?["handling"] ?? ""
        return (bytes.text(type).lowercased(), ASCII.equalsIgnoringCase(handling, "optional"))
    }

    /// Whether its bytes are its content: nothing here takes another encoding off (RFC 3261 §20.12, RFC 5621 §3.2).
    func isPlain(in bytes: Span<UInt8>) -> Bool {
        if let encoding, !bytes.isEqual(encoding, "identity") { return false }
        guard let transferEncoding else { return true }
        return bytes.isEqual(transferEncoding, "binary") || bytes.isEqual(transferEncoding, "8bit") || bytes.isEqual(transferEncoding, "7bit")
    }

    /// Where the parameters begin, or the end of the value.
    private func parameters(of value: Range<Int>, in bytes: Span<UInt8>) -> Int {
        bytes.firstIndex(of: UInt8(ascii: ";"), from: value.lowerBound, to: value.upperBound)
    }
}
