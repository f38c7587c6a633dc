public import Addresses
import Datagrams
public import SIP

/// A SIP client or server on a UDP port of either family that says exactly what a test wants it to say.
///
/// One test owns it; what it waits for comes within the given time or the test fails.
public final class DatagramAgent {
    public enum Trouble: Error { case unsent, silence(String) }

    private let socket: DatagramSocket
    private var batch = ReceiveBatch(capacity: 1, size: 65_536)
    private var unread: [[UInt8]] = []

    public init(at host: IPAddress) throws { socket = try DatagramSocket(bind: SocketAddress(host, port: 0)) }

    public var address: SocketAddress { socket.localAddress }

    public func send(_ bytes: [UInt8], to peer: SocketAddress) throws {
        guard socket.send(bytes, to: peer) == .sent else { throw Trouble.unsent }
    }

    public func send(_ lines: [String], to peer: SocketAddress) throws {
        try send(Array((lines + ["Content-Length: 0", "", ""]).joined(separator: "\r\n").utf8), to: peer)
    }

    /// The next datagram that is wanted, as it came; others stay for later.
    public func receiveBytes(_ what: String, within limit: Duration = .seconds(8), where isWanted: ([UInt8]) -> Bool) async throws -> [UInt8] {
        let end = ContinuousClock.now + limit
        while true {
            while socket.receive(into: &batch) > 0 { unread.append(Self.copy(batch[0].bytes)) }
            if let position = unread.firstIndex(where: isWanted) { return unread.remove(at: position) }
            guard ContinuousClock.now < end else { throw Trouble.silence(what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    public func receive(_ what: String, where isWanted: (Message) -> Bool) async throws -> Message {
        try Message.parse(try await receiveBytes(what) { bytes in (try? Message.parse(bytes)).map(isWanted) ?? false })
    }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] { bytes.indices.map { bytes[$0] } }
}
