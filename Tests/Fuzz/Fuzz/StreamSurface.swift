import Addresses
import Bytes
import STUN
import WebSocket

enum StreamSurface {
    /// Frames behind a good handshake, cut anywhere, have the same messages and the same answers.
    static func frames(_ bytes: [UInt8]) {
        let request = """
            GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n
            """
        let stream = Array(request.utf8) + bytes
        precondition(served(stream, size: stream.count) == served(stream, size: 5), "frames depend on how the bytes arrived")
    }

    static func upgrade(_ bytes: [UInt8]) {
        precondition(served(bytes, size: max(bytes.count, 1)) == served(bytes, size: 3), "a handshake depends on how its bytes arrived")
    }

    private static func served(_ bytes: [UInt8], size: Int) -> [ServerConnection.Event] {
        var connection = ServerConnection(ServerConnection.Policy(subprotocol: "sip", messageLength: 65_536))
        var outbox = ServerConnection.Outbox()
        for start in stride(from: 0, to: bytes.count, by: size) {
            connection.receive(Array(bytes[start..<min(start + size, bytes.count)]), into: &outbox)
        }
        return outbox.events
    }

    /// An answer is as long as it may be at most, and STUN.
    static func stun(_ bytes: [UInt8]) {
        let source = SocketAddress(IPAddress(v4: 0xc633_6401), port: 40_000)
        _ = STUN.Message.isMessage(bytes.span)
        let answer = [UInt8](unsafeUninitializedCapacity: BindingServer.answerLength) { buffer, count in
            var output = OutputSpan(buffer: buffer, initializedCount: 0)
            _ = try? BindingServer.answer(bytes.span, from: source, into: &output)
            count = output.finalize(for: buffer)
        }
        precondition(answer.isEmpty || STUN.Message.isMessage(answer.span), "an answer that is no STUN")
    }
}
