import Addresses
import Glibc

/// Finds the addresses of servers given as `host:port` with the system's resolver. Blocks: for the start only.
enum ServerNames {
    /// `inside`: only addresses of its family can be reached.
    static func addresses(
        of text: String, setting: String, reachedFrom inside: IPAddress? = nil
    ) throws(EdgeSettings.Mistake) -> [SocketAddress] {
        let family = inside.map { $0.isIPv4 ? "IPv4" : "IPv6" } ?? "IP"
        if let literal = SocketAddress(text), literal.port != 0 {
            guard inside.map({ $0.isIPv4 == literal.address.isIPv4 }) != false else {
                throw EdgeSettings.Mistake(description: "\(setting) has '\(text)', but TANDEM_INSIDE_ADDRESS is \(family)")
            }
            return [literal]
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port != 0 else {
            throw EdgeSettings.Mistake(description: "\(setting) has '\(text)': give HOST:PORT")
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        unsafe hints.ai_family = inside.map { $0.isIPv4 ? AF_INET : AF_INET6 } ?? AF_UNSPEC
        var list: UnsafeMutablePointer<addrinfo>? = nil
        let failure = unsafe getaddrinfo(String(text[..<colon]), nil, &hints, &list)
        guard failure == 0 else {
            throw EdgeSettings.Mistake(description: "\(setting) has '\(text)', a host without an \(family) address")
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let pointer = unsafe current.pointee.ai_addr {
                let address = SocketAddress(unsafe host(pointer, isIPv4: current.pointee.ai_family == AF_INET), port: port)
                if !found.contains(address) { found.append(address) }
            }
            unsafe entry = current.pointee.ai_next
        }
        return found
    }

    private static func host(_ pointer: UnsafeMutablePointer<sockaddr>, isIPv4: Bool) -> IPAddress {
        guard isIPv4 else {
            return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                unsafe withUnsafeBytes(of: $0.pointee.sin6_addr) { bytes in
                    func half(_ offset: Int) -> UInt64 {
                        UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    }
                    return IPAddress(v6High: half(0), v6Low: half(8))
                }
            }
        }
        return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            IPAddress(v4: UInt32(bigEndian: unsafe $0.pointee.sin_addr.s_addr))
        }
    }
}
