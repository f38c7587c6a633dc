import Testing
import WebSocket

@Suite("RFC 6455: the client's end of a connection")
struct ClientConnectionTests {
    private static let mask: UInt32 = 0x0102_0304

    private func client(subprotocol: String? = "sip", messageLength: Int = 1000) -> ClientConnection {
        ClientConnection(
            .init(
                host: "example.com", target: "/chat?x=1", subprotocol: subprotocol, fields: [("Authorization", "Bearer abc")],
                nonce: Array("the sample nonce".utf8)), messageLength: messageLength)
    }

    private static let acceptance = [
        "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ]

    private func response(_ lines: [String]) -> [UInt8] { Array((lines + ["", ""]).joined(separator: "\r\n").utf8) }

    private func events(_ bytes: [UInt8], size: Int? = nil, _ client: ClientConnection? = nil) -> [ClientConnection.Event] {
        var client = client ?? self.client()
        var outbox = ClientConnection.Outbox()
        for start in stride(from: 0, to: bytes.count, by: size ?? max(1, bytes.count)) {
            client.receive(Array(bytes[start..<min(start + (size ?? bytes.count), bytes.count)]), mask: Self.mask, into: &outbox)
        }
        return outbox.events
    }

    @Test("§4.1, §1.3: the request with the RFC's own nonce, and the answer to it, in one piece or byte by byte")
    func opening() {
        let request = String(decoding: client().opening, as: UTF8.self)
        #expect(request.hasPrefix("GET /chat?x=1 HTTP/1.1\r\nHost: example.com\r\n"))
        #expect(request.contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
        #expect(request.contains("\r\nAuthorization: Bearer abc\r\n") && request.hasSuffix("\r\n\r\n"))
        let bytes = response(Self.acceptance) + Frame(.text, Array("hello".utf8)).serialised()
        #expect(events(bytes) == [.opened, .text(Array("hello".utf8))])
        #expect(events(bytes, size: 1) == events(bytes))
    }

    @Test("With our own server it opens, and messages go both ways")
    func both() {
        var client = client()
        var server = ServerConnection(.init(subprotocol: "sip", messageLength: 1000))
        var (there, back) = (ServerConnection.Outbox(), ClientConnection.Outbox())
        server.receive(client.opening, into: &there)
        client.receive(there.bytes, mask: Self.mask, into: &back)
        #expect(there.events == [.opened] && back.events == [.opened])
        (there, back) = (.init(), .init())
        server.receive(Frame(.text, Array("up".utf8)).serialised(mask: 7), into: &there)
        client.receive(ServerConnection.frame(Array("down".utf8)) + ServerConnection.ping, mask: Self.mask, into: &back)
        server.receive(back.bytes, into: &there)
        #expect(there.events == [.message(Array("up".utf8)), .pong])
        #expect(back.events == [.text(Array("down".utf8))])
        server.receive(client.close(.normal, mask: 9), into: &there)
        #expect(there.events.last == .ended(.closed))
    }

    @Test("§4.1: an answer that opens nothing", arguments: [
        (["HTTP/1.1 403 Forbidden"], ClientConnection.End.refused(status: 403)), (["HTTP/1.1 301 Moved", "Location: http://10.0.0.1/"], .refused(status: 301)),
        (["SIP/2.0 200 OK"], .notWebSocket), (Array(acceptance.dropLast()), .notWebSocket),
        (Array(acceptance.dropLast()) + ["Sec-WebSocket-Accept: AAAA"], .notWebSocket),
        (acceptance + ["Sec-WebSocket-Extensions: permessage-deflate"], .notWebSocket), (acceptance + ["Sec-WebSocket-Protocol: other"], .notWebSocket),
        (acceptance + ["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="], .notWebSocket),
    ])
    func refused(lines: [String], end: ClientConnection.End) {
        #expect(events(response(lines)) == [.ended(end)])
    }

    @Test("A head without an end, and messages beyond the bound, end the connection")
    func bounds() {
        #expect(events([UInt8](repeating: 65, count: 9000)) == [.ended(.notWebSocket)])
        let long = response(Self.acceptance) + Frame(.binary, [UInt8](repeating: 0, count: 1001)).serialised()
        #expect(events(long) == [.opened, .ended(.failed(.tooLong))])
        let pieces =
            Frame(.text, [UInt8](repeating: 65, count: 600), isFinal: false).serialised()
            + Frame(.continuation, [UInt8](repeating: 65, count: 600)).serialised()
        #expect(events(response(Self.acceptance) + pieces) == [.opened, .ended(.failed(.tooLong))])
    }

    @Test("§5.1, §5.4, §5.5, §8.1: what a server must not send; fragments are put together; a close is answered")
    func frames() {
        let open = response(Self.acceptance)
        func after(_ frames: [UInt8]) -> [ClientConnection.Event] { Array(events(open + frames).dropFirst()) }
        #expect(after(Frame(.text, [65]).serialised(mask: 5)) == [.ended(.failed(.wrongMasking))])
        #expect(after(Frame(.continuation, [65]).serialised()) == [.ended(.failed(.strayContinuation))])
        #expect(after(Frame(.text, [0xff]).serialised()) == [.ended(.failed(.notUTF8))])
        #expect(after(Frame(.close, [3]).serialised()) == [.ended(.failed(.badClose))])
        #expect(after(Frame(.close, [3, 232]).serialised() + Frame(.text, [65]).serialised()) == [.ended(.closed(1000))])
        #expect(after(Frame(.close, []).serialised()) == [.ended(.closed(nil))])
        let pieces = Frame(.binary, [1], isFinal: false).serialised() + Frame(.ping, []).serialised() + Frame(.continuation, [2]).serialised()
        #expect(after(pieces) == [.binary([1, 2])])
        var (client, outbox) = (client(), ClientConnection.Outbox())
        client.receive(open + Frame(.ping, [7]).serialised(), mask: Self.mask, into: &outbox)
        #expect(outbox.bytes == Frame(.pong, [7]).serialised(mask: Self.mask))
    }
}
