public import Addresses
internal import Bytes

/// One hop a request has taken, and the way its response goes back (RFC 3261 §20.42, RFC 3581).
public struct Via: Hashable, Sendable, Codable {
    public static let magicCookie = "z9hG4bK"

    /// In upper case: `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
    public var transport: String
    public var host: String
    public var port: UInt16?
    public var parameters: Parameters

    public init(transport: Transport, sentBy: SocketAddress, branch: String) {
        self.transport = transport.name
        host = sentBy.address.isIPv4 ? sentBy.address.description : "[\(sentBy.address)]"
        port = sentBy.port
        parameters = Parameters([.init("branch", branch)])
    }

    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        var scanner = Scanner(bytes.span)
        self.init(parsing: &scanner)
    }

    public var branch: String? {
        get { parameters["branch"] }
        set { parameters["branch"] = newValue }
    }

    public var received: String? { parameters["received"] }
    public var wantsSourcePort: Bool { parameters.contains("rport") }
    /// Whether one of our edges wrote it, with a signed way back.
    var isOfEdge: Bool { parameters.contains("tandem") }
    public var sentBy: String { port.map { "\(host):\($0)" } ?? host }
    /// Whether the branch is unique in space and time, as RFC 3261 clients promise with the magic cookie (§8.1.1.7).
    public var hasUniqueBranch: Bool { branch.map { $0.hasPrefix(Self.magicCookie) && $0 != Self.magicCookie } ?? false }

    /// Where a response goes over an unreliable transport (§18.2.2, RFC 3581 §4); nil when the host is a name.
    public var responseAddress: SocketAddress? {
        guard let address = IPAddress(parameters["maddr"] ?? received ?? host) else { return nil }
        let fallback = port ?? (transport == "TLS" || transport == "WSS" ? 5061 : 5060)
        let sourcePort = parameters["rport"].flatMap { UInt16($0) }
        return SocketAddress(address, port: sourcePort ?? fallback)
    }

    init?(parsing scanner: inout Scanner) {
        guard let layout = Layout(parsing: &scanner) else { return nil }
        self.init(layout, in: scanner.bytes)
    }
}

extension Via: CustomStringConvertible {
    public var description: String { "SIP/2.0/\(transport) \(sentBy)\(parameters)" }
}
