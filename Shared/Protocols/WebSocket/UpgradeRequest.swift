internal import Bytes
internal import Cryptography

/// The client's half of the opening handshake: an HTTP/1.1 request that asks for an upgrade (RFC 6455 §4.2.1).
public struct UpgradeRequest: Sendable, Hashable {
    public let target: String
    public let key: String
    public let protocols: [String]
    /// Sent by browsers: the page that wants the connection.
    public let origin: String?

    /// Why a request is refused, and with which HTTP status.
    public enum Refusal: Error, Hashable, Sendable {
        case malformed, tooLong, notUpgrade, wrongVersion, noCommonProtocol, foreignOrigin

        public var status: Int {
            switch self {
            case .malformed, .noCommonProtocol: 400
            case .tooLong: 431
            case .notUpgrade, .wrongVersion: 426
            case .foreignOrigin: 403
            }
        }

        /// The HTTP response; the connection is closed behind it.
        public var response: [UInt8] {
            let reasons = [400: "Bad Request", 403: "Forbidden", 426: "Upgrade Required", 431: "Request Header Fields Too Large"]
            var lines = ["HTTP/1.1 \(status) \(reasons[status] ?? "")", "Connection: close", "Content-Length: 0"]
            if status == 426 { lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"] }
            return Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
        }
    }

    private static let headerCount = 64

    /// `head` is everything up to and with the empty line.
    public init(parsing head: [UInt8]) throws(Refusal) {
        guard head.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 13 || $0 == 10 || $0 == 9 }) else { throw .malformed }
        var lines = try Self.lines(head)
        let start = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
        guard start.count == 3, start[0] == "GET", start[2] == "HTTP/1.1", start[1].hasPrefix("/") else { throw .malformed }
        guard lines.count <= Self.headerCount else { throw .tooLong }
        var values: [String: [String]] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
                line[..<colon].utf8.allSatisfy({ $0 > 32 && $0 < 127 })
            else { throw .malformed }
            values[line[..<colon].lowercased(), default: []].append(Self.trimmed(line[line.index(after: colon)...]))
        }
        func list(_ name: String) -> [String] {
            (values[name] ?? []).flatMap { $0.split(separator: ",").map(Self.trimmed) }.filter { !$0.isEmpty }
        }
        // A body would be read as frames by us and as something else by whoever stands in between.
        guard values["transfer-encoding"] == nil, values["content-length"].map({ $0 == ["0"] }) ?? true else { throw .malformed }
        guard values["host"]?.count == 1 else { throw .malformed }
        guard list("upgrade").contains(where: { $0.lowercased() == "websocket" }),
            list("connection").contains(where: { $0.lowercased() == "upgrade" })
        else { throw .notUpgrade }
        guard values["sec-websocket-version"] == ["13"] else { throw .wrongVersion }
        guard let keys = values["sec-websocket-key"], keys.count == 1, let key = keys.first,
            Base64.decode(key.utf8)?.count == 16
        else { throw .malformed }
        let origins = values["origin"] ?? []
        guard origins.count <= 1 else { throw .malformed }
        (target, self.key, origin) = (String(start[1]), key, origins.first)
        protocols = list("sec-websocket-protocol")
    }

    /// The 101 response that picks `subprotocol` (§4.2.2).
    public func acceptance(_ subprotocol: String) -> [UInt8] {
        let lines = [
            "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: \(Self.accept(key))", "Sec-WebSocket-Protocol: \(subprotocol)", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// What proves that a server has understood the key (§4.2.2 step 5.4).
    public static func accept(_ key: String) -> String {
        Base64.encode(DigestAlgorithm.sha1.hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
    }

    private static func lines(_ head: [UInt8]) throws(Refusal) -> [Substring] {
        guard let text = String(validating: head, as: UTF8.self), text.utf8.count >= 4 else { throw .malformed }
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        // A line end of one character alone is not one here, and none continues the line before (RFC 9112 §2.2, §5.2).
        guard lines.count >= 3, lines.suffix(2).allSatisfy(\.isEmpty),
            !lines.contains(where: { $0.utf8.contains { $0 == 13 || $0 == 10 } })
        else { throw .malformed }
        return Array(lines.dropLast(2))
    }

    private static func trimmed(_ text: Substring) -> String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
