import Addresses
import Foundation
import SIP

/// One TCP connection to an edge on which any bytes are sent. One test owns it.
final class HostileStream {
    enum Event: Sendable {
        case message(Message)
        case closed
    }

    private let edge: SocketAddress
    private let descriptor: Int32
    private var framer = MessageFramer()
    private(set) var isClosed = false

    init(to edge: SocketAddress) throws {
        self.edge = edge
        descriptor = try Loopback.open(SOCK_STREAM, at: SocketAddress(Loopback.address(), port: 0))
        // What is written in two pieces is to leave in two.
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        do {
            try Loopback.connect(descriptor, to: edge)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Loopback.Trouble.socket("the connection takes no bytes")
        }
    }

    /// The next message or the end; nil when neither comes in time.
    func next(within limit: Duration = .seconds(8)) async throws -> Event? {
        let end = ContinuousClock.now + limit
        while true {
            while let output = try framer.next() { if case .message(let message) = output { return .message(message) } }
            if isClosed { return .closed }
            if let bytes = Loopback.receive(descriptor) {
                if bytes.isEmpty { isClosed = true } else { framer.append(bytes) }
                continue
            }
            if errno != EAGAIN { isClosed = true }
            guard !isClosed, ContinuousClock.now < end else { return isClosed ? .closed : nil }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// What has come is of no interest.
    func discard() { while let bytes = Loopback.receive(descriptor), !bytes.isEmpty {} }

    /// Whether the edge still reads this connection, and answers.
    func isAlive() async throws -> Bool {
        try send(HostileSender.question(to: edge, over: "TCP", callID: "alive"))
        while case .message(let answer) = try await next() {
            // Answers to what was sent before may come first.
            if answer.callID == "alive" { return answer.status == 200 }
        }
        return false
    }
}
