extension SessionDescription {
    /// Parses a description with CRLF or LF line ends. Lenient where phones are careless (no `s=` or `t=`), strict where
    /// a mistake would change the meaning. Octets that are no UTF-8 are replaced: only free text may hold them.
    public static func parse(_ bytes: [UInt8]) throws(ParseError) -> SessionDescription {
        guard bytes.count <= Limits.bytes else { throw .tooLarge }
        var reader = LineReader(bytes: bytes)
        guard let version = try reader.next() else { throw .missing(type: "v") }
        guard version == Line("v", "0") else { throw .malformed(line: 1) }
        guard let second = try reader.next() else { throw .missing(type: "o") }
        guard second.type == "o", let origin = Origin(parsing: second.value) else { throw .malformed(line: 2) }

        var session = SessionDescription(origin: origin, otherLines: [])
        var section = Section()
        while let line = try reader.next() {
            switch line.type {
            case "m":
                guard let media = MediaDescription(parsing: line.value) else { throw .malformed(line: reader.number) }
                guard session.media.count < Limits.media else { throw .tooLarge }
                session.close(&section)
                session.media.append(media)
            case "s" where session.media.isEmpty:
                session.name = line.value
            case "v", "o", "s":
                throw .malformed(line: reader.number)
            default:
                guard section.append(line) else { throw .malformed(line: reader.number) }
            }
        }
        session.close(&section)
        return session
    }

    public static func parse(_ text: String) throws(ParseError) -> SessionDescription { try parse(Array(text.utf8)) }

    /// What was read since the last `m=` line belongs to that media, or to the session before the first.
    private mutating func close(_ section: inout Section) {
        if media.isEmpty {
            (connection, attributes, otherLines) = (section.connection, section.attributes, section.otherLines)
        } else {
            let last = media.count - 1
            media[last].connection = section.connection
            media[last].attributes = section.attributes
            media[last].otherLines = section.otherLines
        }
        section = Section()
    }
}

/// The lines both levels may have.
private struct Section {
    var connection: Connection?
    var attributes: [Attribute] = []
    var otherLines: [Line] = []

    /// False when the line breaks its grammar.
    mutating func append(_ line: Line) -> Bool {
        switch line.type {
        case "c":
            guard let parsed = Connection(parsing: line.value) else { return false }
            // Only multicast may repeat the line, and nothing here receives multicast.
            connection = connection ?? parsed
        case "a":
            guard !line.value.isEmpty, line.value.first != ":" else { return false }
            let parts = line.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            attributes.append(Attribute(String(parts[0]), parts.count == 2 ? String(parts[1]) : nil))
        default:
            otherLines.append(line)
        }
        return true
    }
}

/// Cuts the description into `type=value` lines and counts them.
private struct LineReader {
    let bytes: [UInt8]
    private(set) var number = 0
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The next line, or nil at the end; empty lines may only follow the last one.
    mutating func next() throws(ParseError) -> Line? {
        guard position < bytes.count else { return nil }
        number += 1
        guard number <= Limits.lines else { throw .tooLarge }
        let start = position
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        position = end + 1
        var text = bytes[start..<end]
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        if text.isEmpty {
            let onlyLineEndsFollow = bytes[end...].allSatisfy { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            guard onlyLineEndsFollow else { throw .malformed(line: number) }
            position = bytes.count
            return nil
        }
        // A control octet in a value would let it grow lines when it is printed again.
        guard text.count >= 2, text[start + 1] == UInt8(ascii: "="), (97...122).contains(text[start]),
            text.allSatisfy({ $0 >= 32 || $0 == UInt8(ascii: "\t") })
        else { throw .malformed(line: number) }
        while text.last == UInt8(ascii: " ") { text.removeLast() }
        return Line(Character(Unicode.Scalar(text[start])), String(decoding: text.dropFirst(2), as: UTF8.self))
    }
}
