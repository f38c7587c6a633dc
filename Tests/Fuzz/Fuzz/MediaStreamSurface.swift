import Audio
import Deadlines
import MediaStream
import WebSocket

enum MediaStreamSurface {
    /// What a server answers and sends behind it, cut anywhere, has the same messages; and behind a good answer likewise.
    static func connection(_ bytes: [UInt8]) {
        let good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        for stream in [bytes, Array(good.utf8) + bytes] {
            precondition(events(stream, size: max(stream.count, 1)) == events(stream, size: 3), "messages depend on how the bytes arrived")
        }
    }

    private static func events(_ bytes: [UInt8], size: Int) -> [ClientConnection.Event] {
        var connection = ClientConnection(
            .init(host: "x", target: "/", subprotocol: "p", nonce: Array("the sample nonce".utf8)), messageLength: 65_536)
        var outbox = ClientConnection.Outbox()
        for start in stride(from: 0, to: bytes.count, by: size) {
            connection.receive(Array(bytes[start..<min(start + size, bytes.count)]), mask: 1, into: &outbox)
        }
        return outbox.events
    }

    /// Lines are messages; a room takes a frame after each. The first byte chooses the format.
    static func messages(_ bytes: [UInt8]) {
        let format = Format.all[Int(bytes.first ?? 0) % Format.all.count]
        guard var coder = try? Coder(format) else { preconditionFailure("a known format has no coder") }
        var playout = Playout(limit: 500)
        var (fed, taken, now): (Int, Int, Instant) = (0, 0, Instant(nanoseconds: 0))
        var (asked, told): ([String], [String]) = ([], [])
        for line in bytes.dropFirst().split(separator: 10, maxSplits: 200) {
            switch try? Message(parsing: Array(line)) {
            case .media(let sound):
                if let codes = try? coder.decode(sound) { playout.append(codes, taken: taken, now: now) }
            case .mark(let name):
                if playout.dropped == 0 { asked.append(name) }
                playout.mark(name)
            case .clear: told += playout.clear()
            case .stop, .other, nil: if let codes = try? coder.decode(Array(line)) { playout.append(codes, taken: taken, now: now) }
            }
            precondition(playout.backlog <= 500, "more is kept than may be")
            while let frame = playout.next(taken: taken, now: now) {
                precondition(frame.count == Samples.frame, "a frame of \(frame.count)")
                fed += 1
            }
            precondition(fed - taken <= Playout.ahead, "the room is given too much")
            if taken < fed { taken += 1 }
            now = now + .milliseconds(20)
            told += playout.reached(taken: taken)
        }
        precondition(told.count <= asked.count || playout.dropped > 0, "marks that nobody asked for")
        precondition(zip(told, asked).allSatisfy { $0 == $1 } || playout.dropped > 0, "marks out of order")
    }
}
