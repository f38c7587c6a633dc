extension SessionDescription: CustomStringConvertible {
    /// The text with CRLF line ends, in the order of RFC 8866 §5.
    public var description: String {
        var lines = [Line("v", "0"), Line("o", origin.description), Line("s", name.isEmpty ? "-" : name)]
        lines += Self.ordered(connection, attributes, otherLines)
        for description in media {
            let ports = description.portCount == 1 ? "\(description.port)" : "\(description.port)/\(description.portCount)"
            let fields = [description.kind, ports, description.transport] + description.formats
            lines.append(Line("m", fields.joined(separator: " ")))
            lines += Self.ordered(description.connection, description.attributes, description.otherLines)
        }
        return lines.map { "\($0.type)=\($0.value)\r\n" }.joined()
    }

    public var bytes: [UInt8] { Array(description.utf8) }

    /// `t=` and its `r=` lines repeat as a group, so they share a rank; within a rank lines keep the order they came in.
    private static func ordered(_ connection: Connection?, _ attributes: [Attribute], _ others: [Line]) -> [Line] {
        let ranks: [[Character]] = [["i"], ["u"], ["e"], ["p"], ["c"], ["b"], ["t", "r"], ["z"], ["k"]]
        let lines = others + (connection.map { [Line("c", $0.description)] } ?? [])
        let known = ranks.flatMap { types in lines.filter { types.contains($0.type) } }
        let unknown = lines.filter { line in !ranks.contains { $0.contains(line.type) } }
        return known + unknown + attributes.map { Line("a", $0.description) }
    }
}

extension SessionDescription: Codable {
    /// A snapshot holds the text itself.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            self = try Self.parse(try container.decode(String.self))
        } catch let error as ParseError {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no session description: \(error)")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
