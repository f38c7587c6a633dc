/// `name-addr` or `addr-spec` with header parameters: From, To, Contact, Route, Record-Route, Path, P-Asserted-Identity
/// (RFC 3261 §20.10).
public struct NameAddress: Hashable, Sendable, Codable {
    /// Without quotes; nil when there is none.
    public var display: String?
    public var uri: URI
    public var parameters: Parameters

    public init(_ uri: URI, display: String? = nil, parameters: Parameters = Parameters()) {
        (self.uri, self.display, self.parameters) = (uri, display, parameters)
    }

    public init?(_ text: some StringProtocol) {
        var scanner = Scanner(text)
        self.init(parsing: &scanner)
    }

    public var tag: String? {
        get { parameters["tag"] }
        set { parameters["tag"] = newValue }
    }

    /// Reads one address and its parameters; nil unless the value ends with them.
    init?(parsing scanner: inout Scanner) {
        scanner.skipBlanks()
        display = nil
        if scanner.next == UInt8(ascii: "\"") {
            guard let text = scanner.quotedString() else { return nil }
            display = text
        } else if scanner.next != UInt8(ascii: "<") {
            var lookahead = scanner
            let words = lookahead.run { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ",") }
            if lookahead.next == UInt8(ascii: "<") {
                guard lookahead.bytes[words].allSatisfy({ Scanner.isToken($0) || Scanner.isBlank($0) || $0 >= 128 }) else {
                    return nil
                }
                let trimmed = lookahead.text(words).split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline })
                display = trimmed.joined(separator: " ")
                scanner = lookahead
            }
        }
        scanner.skipBlanks()
        let range: Range<Int>
        if scanner.skip(UInt8(ascii: "<")) {
            range = scanner.run { $0 == UInt8(ascii: ">") }
            guard scanner.skip(UInt8(ascii: ">")) else { return nil }
        } else {
            guard display == nil else { return nil }
            // §20: outside brackets semicolon and question mark belong to the header, and a question mark has no place there.
            range = scanner.run { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ",") || Scanner.isBlank($0) }
            guard !scanner.bytes[range].contains(UInt8(ascii: "?")) else { return nil }
        }
        guard let uri = URI(parsing: scanner.bytes[range]), let parameters = Parameters(parsingHeader: &scanner) else {
            return nil
        }
        (self.uri, self.parameters) = (uri, parameters)
        scanner.skipBlanks()
        guard scanner.isAtEnd else { return nil }
    }
}

extension NameAddress: CustomStringConvertible {
    public var description: String {
        let name = display.map { $0.isEmpty ? "" : quoted($0) + " " } ?? ""
        return "\(name)<\(uri)>\(parameters)"
    }
}

/// The value of Contact in a REGISTER or a response to one: a list, or the star that means all bindings (RFC 3261 §10.2.2).
public enum Contacts: Hashable, Sendable {
    case list([NameAddress])
    case star
}
