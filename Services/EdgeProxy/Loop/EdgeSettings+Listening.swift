import Addresses
import SIP
import ServiceKit

/// Where an edge listens for phones. One address of each family: a response has to leave from where its request came in
/// (RFC 3581 §4), and the family of the phone's address is what tells this.
extension EdgeSettings {
    /// A port for connections from outside.
    struct StreamPort: Sendable {
        let transport: Transport
        let address: SocketAddress
        /// The setting that says where it is.
        let setting: String
    }

    static func addresses(_ name: String, _ settings: Settings) throws -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        for text in settings.list(name) {
            guard let address = SocketAddress(text), address.port != 0 else {
                throw Mistake(description: "\(name) has '\(text)': give ADDRESS:PORT, for example 127.0.0.1:5060 or [::1]:5060")
            }
            guard !addresses.contains(where: { $0.address.isIPv4 == address.address.isIPv4 }) else {
                throw Mistake(description: "\(name) has two addresses of one family: give one IPv4 and one IPv6 address at most")
            }
            addresses.append(address)
        }
        return addresses
    }

    static func streams(_ settings: Settings, plain: [SocketAddress]) throws -> [StreamPort] {
        var ports = plain.map { StreamPort(transport: .tcp, address: $0, setting: "TANDEM_SIP_LISTEN") }
        for (transport, name) in [(Transport.tls, "TANDEM_TLS_LISTEN"), (.ws, "TANDEM_WS_LISTEN"), (.wss, "TANDEM_WSS_LISTEN")] {
            for address in try addresses(name, settings) {
                if let other = ports.first(where: { $0.address == address }) {
                    throw Mistake(description: "\(name) and \(other.setting) are the same port: choose another for one of them")
                }
                ports.append(StreamPort(transport: transport, address: address, setting: name))
            }
        }
        return ports
    }

    /// What phones are told: the address listened on, or the public one of the same family.
    static func outside(
        _ settings: Settings, listen: [SocketAddress], streams: [StreamPort], inside: IPAddress
    ) throws -> OutsideAddresses {
        let given = try addresses("TANDEM_SIP_PUBLIC", settings)
        func reachable(_ address: SocketAddress, _ setting: String) throws -> SocketAddress {
            if let named = given.first(where: { $0.address.isIPv4 == address.address.isIPv4 }) {
                return listen.contains(address) ? named : SocketAddress(named.address, port: address.port)
            }
            guard isWildcard(address.address) else { return address }
            // An address that means «all of them» cannot be called back.
            guard inside.isIPv4 == address.address.isIPv4, !isWildcard(inside) else {
                throw Mistake(description: "\(setting) listens on every address: set TANDEM_SIP_PUBLIC to the one that phones reach")
            }
            return SocketAddress(inside, port: address.port)
        }
        guard let first = listen.first else {
            throw Mistake(description: "TANDEM_SIP_LISTEN must be ADDRESS:PORT, for example 127.0.0.1:5060")
        }
        let others =
            try listen.dropFirst().map { OutsideAddresses.Place(.udp, try reachable($0, "TANDEM_SIP_LISTEN")) }
            + streams.map { OutsideAddresses.Place($0.transport, try reachable($0.address, $0.setting)) }
        return OutsideAddresses(try reachable(first, "TANDEM_SIP_LISTEN"), others)
    }

    private static func isWildcard(_ address: IPAddress) -> Bool { address == .anyIPv4 || address == .anyIPv6 }

    /// The address of a family that datagrams come to.
    func listenAddress(isIPv4: Bool) -> SocketAddress? { listen.first { $0.address.isIPv4 == isIPv4 } }
}
