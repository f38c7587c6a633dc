import Bytes
import Cryptography
import NIOHTTP1

/// The opening handshake of a WebSocket as the server sees it (RFC 6455 §4.2).
struct Handshake: Sendable, Equatable {
    /// `Sec-WebSocket-Accept`, which proves that the request was read as a handshake (§4.2.2).
    let accept: String

    /// Nil when the request is no handshake, or not one of version 13: then it is an ordinary request.
    init?(_ head: HTTPRequestHead) {
        guard head.method == .GET, head.version == .http1_1,
            head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
            head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }),
            head.headers["sec-websocket-version"] == ["13"], let key = head.headers.first(name: "sec-websocket-key"),
            Base64.decode(key.utf8)?.count == 16
        else { return nil }
        accept = Self.accept(for: key)
    }

    static func accept(for key: String) -> String {
        Base64.encode(DigestAlgorithm.sha1.hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
    }

    var response: HTTPResponseHead {
        HTTPResponseHead(
            version: .http1_1, status: .switchingProtocols,
            headers: ["upgrade": "websocket", "connection": "upgrade", "sec-websocket-accept": accept])
    }
}
