import Flow
import Foundation
import FoundationNetworking
import Suite

/// A subscriber of `/v1/events/stream`: speaks just enough WebSocket (RFC 6455) over a plain socket to read text messages.
actor EventStream {
    private let descriptor: Int32
    private var buffer: [UInt8]

    enum Failure: Error, CustomStringConvertible {
        case cannotConnect(String)
        case refused(String)
        case missing(type: String, got: [String])

        var description: String {
            switch self {
            case .cannotConnect(let why): "no connection to the event stream: \(why)"
            case .refused(let answer): "the event stream was refused: \(answer)"
            case .missing(let type, let got): "\(type) did not come, only \(got)"
            }
        }
    }

    init(_ suite: RunningSuite, query: String) throws { (descriptor, buffer) = try Self.upgrade(suite, query) }

    /// Connects and shakes hands; what came after the handshake is returned with the descriptor.
    private static func upgrade(_ suite: RunningSuite, _ query: String) throws -> (Int32, [UInt8]) {
        guard let url = URL(string: suite.api), let host = url.host, let port = url.port else { throw Failure.cannotConnect(suite.api) }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Failure.cannotConnect(String(cString: strerror(errno))) }
        var patience = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let request = "GET /v1/events/stream?\(query) HTTP/1.1\r\nHost: \(host):\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Authorization: Bearer \(suite.key)\r\nSec-WebSocket-Key: dGVzdCBvZiBhIHN0cmVhbQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        let bytes = Array(request.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw Failure.cannotConnect("cannot send") }
        var head: [UInt8] = []
        let end = Date().addingTimeInterval(5)
        while Date() < end, head.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
            var chunk = [UInt8](repeating: 0, count: 4_096)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 { break }
            if count > 0 { head += chunk.prefix(count) }
        }
        guard let border = head.firstRange(of: Array("\r\n\r\n".utf8)), head.starts(with: Array("HTTP/1.1 101".utf8)) else {
            throw Failure.refused(String(decoding: head.prefix(300), as: UTF8.self))
        }
        return (descriptor, Array(head[border.upperBound...]))
    }

    func close() { Foundation.close(descriptor) }

    /// The events of one resource, in the order they came, up to and with `type`.
    func events(of resource: String, until type: String, within limit: Duration) async throws -> [JSONValue] {
        var events: [JSONValue] = []
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            while let text = nextText() {
                guard let event = try? JSONDecoder().decode(JSONValue.self, from: Data(text)), event["resource_id"]?.string == resource else {
                    continue
                }
                events.append(event)
                if event["type"]?.string == type { return events }
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 { buffer += chunk.prefix(count) } else { try await Task.sleep(for: .milliseconds(20)) }
        }
        throw Failure.missing(type: type, got: events.compactMap { $0["type"]?.string })
    }

    /// The payload of the next whole text frame; others are passed over. A server's frames are not masked (§5.1).
    private func nextText() -> [UInt8]? {
        while buffer.count >= 2 {
            let opcode = buffer[0] & 15
            var length = Int(buffer[1] & 127)
            var start = 2
            if length == 126 {
                guard buffer.count >= 4 else { return nil }
                length = Int(buffer[2]) << 8 | Int(buffer[3])
                start = 4
            } else if length == 127 {
                guard buffer.count >= 10 else { return nil }
                length = buffer[2..<10].reduce(0) { $0 << 8 | Int($1) }
                start = 10
            }
            guard buffer.count >= start + length else { return nil }
            let payload = Array(buffer[start..<(start + length)])
            buffer.removeFirst(start + length)
            if opcode == 1 { return payload }
        }
        return nil
    }
}
