import Addresses
import Glibc

/// Finds the addresses of servers given as `host:port` with the system's resolver. Blocks: for the start only.
enum ServerNames {
    static func addresses(of text: String, setting: String) throws(EdgeSettings.Mistake) -> [SocketAddress] {
        if let literal = SocketAddress(text), literal.port != 0 { return [literal] }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port != 0 else {
            throw EdgeSettings.Mistake(description: "\(setting) has '\(text)': give HOST:PORT")
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        unsafe hints.ai_family = AF_INET
        var list: UnsafeMutablePointer<addrinfo>? = nil
        let failure = unsafe getaddrinfo(String(text[..<colon]), nil, &hints, &list)
        guard failure == 0 else {
            throw EdgeSettings.Mistake(description: "\(setting) has '\(text)', a host without an IPv4 address")
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let pointer = unsafe current.pointee.ai_addr {
                let v4 = unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt32(bigEndian: unsafe $0.pointee.sin_addr.s_addr)
                }
                let address = SocketAddress(IPAddress(v4: v4), port: port)
                if !found.contains(address) { found.append(address) }
            }
            unsafe entry = current.pointee.ai_next
        }
        return found
    }
}
