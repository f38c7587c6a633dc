import Foundation
public import SIP

/// A SIP server's TCP port on 127.0.0.1 that says what a test wants it to say: it takes one connection.
public final class StreamServerAgent {
    public enum Trouble: Error { case socket, closed, silence(String) }

    private let listener: Int32
    private var connection: Int32 = -1
    private var framer = MessageFramer()

    /// On the port that an agent for datagrams has already.
    public init(port: UInt16) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = LocalAddress.of(port)
        let isListening = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(listener, 8) == 0
            }
        }
        guard listener >= 0, isListening, fcntl(listener, F_SETFL, O_NONBLOCK) == 0 else { throw Trouble.socket }
    }

    deinit {
        if connection >= 0 { close(connection) }
        close(listener)
    }

    /// Waits for the connection.
    public func accept(within limit: Duration = .seconds(35)) async throws {
        try await poll("a connection", limit) {
            connection = Foundation.accept(listener, nil, nil)
            return connection >= 0 ? true : nil
        }
    }

    public func send(_ bytes: [UInt8]) throws {
        guard Foundation.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw Trouble.closed }
    }

    public func receive(_ what: String, where isWanted: (Message) -> Bool) async throws -> Message {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        return try await poll(what, .seconds(8)) {
            let count = recv(connection, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count != 0 else { throw Trouble.closed }
            if count > 0 { framer.append(Array(buffer.prefix(count))) }
            while let output = try framer.next() {
                if case .message(let message) = output, isWanted(message) { return message }
            }
            return nil
        }
    }

    @discardableResult
    private func poll<T>(_ what: String, _ limit: Duration, _ attempt: () throws -> T?) async throws -> T {
        let end = ContinuousClock.now + limit
        while true {
            if let result = try attempt() { return result }
            guard ContinuousClock.now < end else { throw Trouble.silence(what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
