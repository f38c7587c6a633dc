import Testing
import WebSocket

@Suite("WebSocket connections of a server")
struct ServerConnectionTests {
    /// The request of RFC 6455 §1.2, with the subprotocol of RFC 7118 §4.1.
    static let request = [
        "GET / HTTP/1.1", "Host: server.example.com", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: http://example.com", "Sec-WebSocket-Protocol: chat, sip",
        "Sec-WebSocket-Version: 13",
    ]

    private func bytes(_ lines: [String]) -> [UInt8] { Array((lines + ["", ""]).joined(separator: "\r\n").utf8) }

    private func connection(origins: Set<String> = []) -> ServerConnection {
        ServerConnection(.init(subprotocol: "sip", origins: origins, messageLength: 1_000))
    }

    private func opened() -> ServerConnection {
        var connection = connection()
        var outbox = ServerConnection.Outbox()
        connection.receive(bytes(Self.request), into: &outbox)
        return connection
    }

    private func masked(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        Frame(opcode, payload, isFinal: isFinal).serialised(mask: 0x0a0b_0c0d)
    }

    /// What one piece of input brings about after the opening.
    private func outcome(_ input: [UInt8]) -> ServerConnection.Outbox {
        var connection = opened()
        var outbox = ServerConnection.Outbox()
        connection.receive(input, into: &outbox)
        return outbox
    }

    @Test("RFC 6455 §1.3, RFC 7118 §4.1: the sample key is answered with the sample accept, and sip is chosen")
    func accepted() {
        var connection = connection()
        var outbox = ServerConnection.Outbox()
        connection.receive(bytes(Self.request), into: &outbox)
        let response = String(decoding: outbox.bytes, as: UTF8.self)
        #expect(response.hasPrefix("HTTP/1.1 101 "))
        #expect(response.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(response.contains("Sec-WebSocket-Protocol: sip\r\n"))
        #expect(outbox.events == [.opened])
    }

    @Test("§4.2.1: a request and a message that are cut at any byte do the same as whole ones")
    func cutAnywhere() {
        let ping = Array("\r\n\r\n".utf8)
        let input = bytes(Self.request) + masked(.text, ping)
        for cut in 0...input.count {
            var connection = connection()
            var outbox = ServerConnection.Outbox()
            connection.receive(Array(input[..<cut]), into: &outbox)
            connection.receive(Array(input[cut...]), into: &outbox)
            #expect(outbox.events == [.opened, .message(ping)])
        }
    }

    /// What is done to the good request, and how it is refused then.
    static let refused: [(UpgradeRequest.Refusal, String, String?)] = [
        (.malformed, "GET / HTTP/1.1", "POST / HTTP/1.1"), (.malformed, "GET / HTTP/1.1", "GET / HTTP/1.0"),
        (.malformed, "Host: server.example.com", nil), (.malformed, "Host: server.example.com", "Host : a"),
        (.malformed, "Host: server.example.com", "Host: a\r\n folded"), (.malformed, "Host: server.example.com", "Host: a\nB: c"),
        (.malformed, "Host: server.example.com", "Host: a\r\nContent-Length: 5"),
        (.malformed, "Host: server.example.com", "Host: a\r\nTransfer-Encoding: chunked"),
        (.malformed, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: dGhl"),
        (.notUpgrade, "Upgrade: websocket", nil), (.notUpgrade, "Connection: keep-alive, Upgrade", "Connection: close"),
        (.wrongVersion, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"),
        (.noCommonProtocol, "Sec-WebSocket-Protocol: chat, sip", nil),
        (.noCommonProtocol, "Sec-WebSocket-Protocol: chat, sip", "Sec-WebSocket-Protocol: SIPX"),
        (.foreignOrigin, "Origin: http://example.com", "Origin: http://evil.example"),
        (.tooLong, "Host: server.example.com", "Host: " + String(repeating: "a", count: 9_000)),
    ]

    @Test("§4.2.2: what is no proper opening is answered with an HTTP error and ends", arguments: refused)
    func refusal(_ refusal: UpgradeRequest.Refusal, _ line: String, _ replacement: String?) {
        var connection = connection(origins: ["http://example.com"])
        var outbox = ServerConnection.Outbox()
        connection.receive(bytes(Self.request.compactMap { $0 == line ? replacement : $0 }), into: &outbox)
        #expect(outbox.events == [.ended(.refused(refusal))])
        #expect(outbox.bytes == refusal.response)
        #expect(!connection.isOpen)
    }

    @Test("§10.2: a program that is no browser has no origin, and is let in")
    func noOrigin() {
        var connection = connection(origins: ["http://example.com"])
        var outbox = ServerConnection.Outbox()
        connection.receive(bytes(Self.request.filter { !$0.hasPrefix("Origin") }), into: &outbox)
        #expect(outbox.events == [.opened])
    }

    @Test("§5.4, §5.5: fragments become one message, a ping between them is answered at once")
    func fragments() {
        let input = masked(.text, [65], isFinal: false) + masked(.ping, [1, 2]) + masked(.continuation, [66], isFinal: false)
            + masked(.continuation, []) + masked(.pong, [])
        let outbox = outcome(input)
        #expect(outbox.events == [.message([65, 66]), .pong])
        #expect(outbox.bytes == Frame(.pong, [1, 2]).serialised())
    }

    @Test("§5.4: a message in many fragments stays whole")
    func manyFragments() {
        let input = masked(.text, [65], isFinal: false)
            + (0..<300).flatMap { _ in masked(.continuation, [66], isFinal: false) } + masked(.continuation, [67])
        let outbox = outcome(input)
        #expect(outbox.events == [.message([65] + [UInt8](repeating: 66, count: 300) + [67])])
    }

    static let failures: [(FrameError, [(Opcode, [UInt8], Bool)])] = [
        (.strayContinuation, [(.continuation, [1], true)]), (.interruptedMessage, [(.text, [], false), (.text, [], true)]),
        (.notUTF8, [(.text, [0xff], true)]), (.badClose, [(.close, [3], true)]), (.badClose, [(.close, [0x03, 0xed], true)]),
        (.notUTF8, [(.close, [0x03, 0xe8, 0xff], true)]),
        (.tooLong, [(.binary, [UInt8](repeating: 0, count: 600), false), (.continuation, [UInt8](repeating: 0, count: 600), true)]),
    ]

    @Test("§7.1.7: a broken rule ends the connection with the code for it", arguments: failures)
    func failure(_ error: FrameError, _ frames: [(Opcode, [UInt8], Bool)]) {
        let outbox = outcome(frames.flatMap { masked($0.0, $0.1, isFinal: $0.2) } + masked(.text, [65]))
        #expect(outbox.events == [.ended(.failed(error))])
        #expect(outbox.bytes == Frame(.close, [UInt8(error.code.rawValue >> 8), UInt8(error.code.rawValue & 255)]).serialised())
    }

    @Test("§5.5.1: a close is answered with its code, and nothing is read behind it")
    func close() {
        let outbox = outcome(masked(.close, [0x03, 0xe8] + Array("bye".utf8)) + masked(.text, [65]))
        #expect(outbox.events == [.ended(.closed)])
        #expect(outbox.bytes == Frame(.close, [0x03, 0xe8]).serialised())
    }

    @Test("RFC 7118 §5: UTF-8 goes as text, anything else as binary")
    func outgoing() {
        #expect(ServerConnection.frame(Array("é".utf8)) == Frame(.text, Array("é".utf8)).serialised())
        #expect(ServerConnection.frame([0xe9]) == Frame(.binary, [0xe9]).serialised())
    }

    @Test("No input traps: every byte of a good session changed to every kind of other")
    func mutations() {
        let input = bytes(Self.request) + masked(.text, [65], isFinal: false) + masked(.continuation, [66]) + masked(.close, [3, 232])
        for index in input.indices {
            for byte in [0, 10, 13, 0x7e, 0x7f, 0xfe, 0xff] as [UInt8] {
                var changed = input
                changed[index] = byte
                var connection = connection()
                var outbox = ServerConnection.Outbox()
                connection.receive(changed, into: &outbox)
                connection.receive([], into: &outbox)
                #expect(outbox.events.count <= 4)
            }
        }
    }
}
