import Glibc
import Synchronization

/// Ports of this machine for the programs of a test: each is given out once, and only while nothing holds it.
public enum LocalPort {
    // Below the ephemeral range of Linux (32768), so that nobody gets one by chance between the look and the use.
    private static let next = Mutex(29_000 + Int.random(in: 0..<300) * 10)

    /// The first of ten free ports in a row, for UDP and TCP.
    public static func ten() -> Int {
        while true {
            let first = next.withLock { next in
                next = next >= 32_700 ? 29_000 : next + 10
                return next
            }
            if (first..<first + 10).allSatisfy({ isFree($0, SOCK_DGRAM) && isFree($0, SOCK_STREAM) }) { return first }
        }
    }

    private static func isFree(_ port: Int, _ type: __socket_type) -> Bool {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafeBytes(of: &address) { bytes in
            bind(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
        }
    }

    /// Whether a program has opened the UDP port.
    public static func isOpen(_ port: Int) -> Bool { !isFree(port, SOCK_DGRAM) }
}
