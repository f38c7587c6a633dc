import Addresses
import Foundation

/// Plain sockets on addresses of 127.0.0.0/8 that nobody else has, so that a Via without a port, which means 5060, can be answered.
enum Loopback {
    enum Trouble: Error { case socket(String), silence(String) }

    static func address() -> IPAddress { IPAddress(v4: 0x7f00_0000 | UInt32.random(in: 0x01_0000...0xfe_ffff)) }

    static func open(_ type: __socket_type, at address: SocketAddress) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        guard descriptor >= 0 else { throw Trouble.socket("no socket") }
        guard bind(descriptor, address) else {
            close(descriptor)
            throw Trouble.socket("\(address) is taken")
        }
        return descriptor
    }

    private static func bind(_ descriptor: Int32, _ address: SocketAddress) -> Bool {
        with(address) { Glibc.bind(descriptor, $0, $1) == 0 }
    }

    static func port(of descriptor: Int32) -> UInt16 {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: name.sin_port)
    }

    static func connect(_ descriptor: Int32, to address: SocketAddress) throws {
        guard with(address, { Glibc.connect(descriptor, $0, $1) == 0 }) else { throw Trouble.socket("no way to \(address)") }
    }

    static func send(_ bytes: [UInt8], over descriptor: Int32, to address: SocketAddress) throws {
        guard with(address, { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }) == bytes.count else {
            throw Trouble.socket("\(bytes.count) bytes cannot be sent to \(address)")
        }
    }

    /// What has come; nil when nothing has.
    static func receive(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    private static func with<Result>(_ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        name.sin_addr.s_addr = (address.address.v4 ?? 0).bigEndian
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
