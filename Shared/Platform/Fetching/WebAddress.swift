internal import Bytes

/// The parts of an http(s) URL that a fetch decides by (RFC 3986); anything unusual is refused, as another parser further on
/// might read it differently.
public struct WebAddress: Sendable, Equatable {
    /// `http` or `https`.
    public let scheme: String
    /// Lower case; IPv6 without its brackets.
    public let host: String
    public let port: Int?
    /// Path and query; at least `/`.
    public let path: String

    public var effectivePort: Int { port ?? (scheme == "https" ? 443 : 80) }

    public var text: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")\(path)"
    }

    public static func parse(_ text: String) throws(FetchProblem) -> WebAddress {
        let refused = FetchProblem("'\(text.prefix(80))' is no http or https address")
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 92 }) else { throw refused }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { throw refused }
        let scheme = text[..<colon].lowercased()
        guard ["http", "https"].contains(scheme) else { throw refused }
        let rest = text[text.index(colon, offsetBy: 3)...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let (host, port) = try authority(rest[..<end], refused)
        let path = rest[end...].prefix { $0 != "#" }
        return WebAddress(scheme: scheme, host: host, port: port, path: path.hasPrefix("/") ? String(path) : "/" + path)
    }

    /// Where a Location header leads from here: absolute, or relative to the host.
    public func following(_ location: String) throws(FetchProblem) -> WebAddress {
        if location.contains("://") { return try Self.parse(location) }
        if location.hasPrefix("//") { return try Self.parse("\(scheme):\(location)") }
        let base = location.hasPrefix("/") ? "" : String(path.prefix { $0 != "?" }.reversed().drop { $0 != "/" }.reversed())
        let name = host.contains(":") ? "[\(host)]" : host
        return try Self.parse("\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")\(base)\(location)")
    }

    /// No user name: `http://public.example@10.0.0.1/` reads as one host and is another.
    private static func authority(_ text: Substring, _ refused: FetchProblem) throws(FetchProblem) -> (
        host: String, port: Int?
    ) {
        guard !text.contains("@") else { throw refused }
        var (host, portText) = (text, Substring())
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw refused }
            host = text[text.index(after: text.startIndex)..<close]
            portText = text[text.index(after: close)...]
            guard host.contains(":") else { throw refused }
        } else if let colon = text.firstIndex(of: ":") {
            (host, portText) = (text[..<colon], text[colon...])
        }
        let isPlain = host.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || [45, 46, 58, 95].contains($0) }
        guard !host.isEmpty, isPlain else { throw refused }
        guard !portText.isEmpty else { return (host.lowercased(), nil) }
        guard portText.first == ":", let port = ASCII.decimal(portText.dropFirst().utf8), (1...65535).contains(port) else {
            throw refused
        }
        return (host.lowercased(), Int(port))
    }
}
