public import Addresses
import Foundation
public import SIP

/// Stands where an edge stands: speaks SIP with a server over the inside network and hears what that sends.
///
/// One test owns it; what it waits for comes within the given time or the test fails.
public final class InsideAgent {
    public enum Trouble: Error { case socket, silence(String) }

    private let descriptor: Int32
    public let port: UInt16
    private var unread: [Message] = []

    /// At an address of this machine.
    public init(at host: IPAddress = .loopbackIPv4) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = LocalAddress.of(0, host)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
        }
        guard descriptor >= 0, isBound else { throw Trouble.socket }
        (self.descriptor, port) = (descriptor, UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    public func send(_ lines: [String], to port: UInt16) throws {
        let bytes = Array((lines + ["Content-Length: 0", "", ""]).joined(separator: "\r\n").utf8)
        try send(bytes, to: port)
    }

    public func send(_ bytes: [UInt8], to port: UInt16) throws {
        var address = LocalAddress.of(port)
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == bytes.count else { throw Trouble.socket }
    }

    /// The next message, waited for in the thread that asks; nil when none came for a moment, or what came is none.
    func next() -> Message? { nextDatagram().flatMap { try? Message.parse($0) } }

    /// The next datagram, whatever it is; nil when none came for a moment.
    public func nextDatagram(within milliseconds: Int32 = 20) -> [UInt8]? {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        guard poll(&wanted, 1, milliseconds) > 0 else { return nil }
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    /// The next message that is wanted; others stay for later.
    public func receive(_ what: String, within limit: Duration = .seconds(8), where isWanted: (Message) -> Bool) async throws -> Message {
        let end = ContinuousClock.now + limit
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let position = unread.firstIndex(where: isWanted) { return unread.remove(at: position) }
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                // Sound for who had this port before is no message of ours.
                guard buffer[0] < 0x80 else { continue }
                unread.append(try Message.parse(Array(buffer.prefix(count))))
                continue
            }
            guard ContinuousClock.now < end else { throw Trouble.silence(what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Answers a request to where it came from, as its Via says.
    public func answer(_ request: Message, _ status: Int) throws {
        guard let port = request.topmostVia?.port else { throw Trouble.socket }
        try send(ResponseBuilder(request, status, toTag: "agent").serialised(), to: port)
    }
}

extension RunningSuite {
    /// The inside SIP port of an instance.
    public func insidePort(of service: String, _ instance: Int = 1) throws -> UInt16 {
        let settings = try String(contentsOfFile: "\(folder)/settings/\(service)-\(instance)", encoding: .utf8)
        let value = settings.split(separator: "\n").first { $0.hasPrefix("TANDEM_SIP_PORT=") }?.split(separator: "=").last
        guard let port = value.flatMap({ UInt16($0) }) else { throw Missing.refused("\(service) has no fixed SIP port") }
        return port
    }
}
