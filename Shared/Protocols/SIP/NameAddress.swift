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
        let bytes = Array(text.utf8)
        var scanner = Scanner(bytes.span)
        self.init(parsing: &scanner)
    }

    public var tag: String? {
        get { parameters["tag"] }
        set { parameters["tag"] = newValue }
    }

    /// Reads one address and its parameters; nil unless the value ends with them.
    init?(parsing scanner: inout Scanner) {
        guard let layout = Layout(parsing: &scanner) else { return nil }
        self.init(layout, in: scanner.bytes)
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
