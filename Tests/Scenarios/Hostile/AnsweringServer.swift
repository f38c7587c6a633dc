import Addresses
import Foundation
import SIP
import Synchronization

/// A SIP server over UDP on a thread of its own: 200 for every request, which it keeps as it came.
final class AnsweringServer: Sendable {
    let address: SocketAddress
    private let descriptor: Int32
    private let received = Mutex<[[UInt8]]>([])

    init() throws {
        descriptor = try Loopback.open(SOCK_DGRAM, at: SocketAddress(.loopbackIPv4, port: 0))
        address = SocketAddress(.loopbackIPv4, port: Loopback.port(of: descriptor))
        var patience = timeval(tv_sec: 0, tv_usec: 100_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var room: Int32 = 4 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        let descriptor = descriptor
        Thread.detachNewThread { [weak self] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard let self else { break }
                if count > 0 { self.take(Array(buffer.prefix(count))) }
            }
            close(descriptor)
        }
    }

    /// All that came since the last time, without the edge's own questions.
    func takeAll() -> [[UInt8]] {
        received.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }

    /// As many as are wanted, or what there is when the time is over.
    func take(_ count: Int, within limit: Duration = .seconds(8)) async throws -> [[UInt8]] {
        let end = ContinuousClock.now + limit
        while received.withLock({ $0.count }) < count, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(2)) }
        return takeAll()
    }

    func send(_ bytes: [UInt8], to destination: SocketAddress) throws { try Loopback.send(bytes, over: descriptor, to: destination) }

    private func take(_ bytes: [UInt8]) {
        let request = try? Message.parse(bytes)
        if request?.from?.tag != "watch" { received.withLock { $0.append(bytes) } }
        guard let request, request.isRequest, request.method != .ack, let via = request.topmostVia, let host = IPAddress(via.host) else { return }
        let answer = ResponseBuilder(request, 200, toTag: "server").serialised()
        try? Loopback.send(answer, over: descriptor, to: SocketAddress(host, port: via.port ?? 5060))
    }
}
