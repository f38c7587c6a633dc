import Addresses
import SIP

/// What phones reach an edge at: an address for each transport and each family. A phone can only come back to one of its own
/// family, so what it is told in Via, Record-Route and Path depends on where it is (RFC 6157 §4).
struct OutsideAddresses: Sendable, Equatable {
    struct Place: Sendable, Equatable {
        let transport: Transport
        let address: SocketAddress

        init(_ transport: Transport, _ address: SocketAddress) { (self.transport, self.address) = (transport, address) }
    }

    private let places: [Place]
    /// The answer for every transport and family, so that asking is one look into an array.
    private let table: [SocketAddress]

    /// `plain` is for UDP, and for all that has no port of its own; so is the one for UDP of the other family, if there is one.
    init(_ plain: SocketAddress, _ others: [Place] = []) {
        let places = [Place(.udp, plain)] + others
        func first(_ transport: Transport, _ isIPv4: Bool) -> SocketAddress? {
            places.first { $0.transport == transport && $0.address.address.isIPv4 == isIPv4 }?.address
        }
        table = Transport.allCases.flatMap { transport in
            [true, false].map { isIPv4 in
                first(transport, isIPv4) ?? first(.udp, isIPv4) ?? first(transport, !isIPv4) ?? plain
            }
        }
        self.places = places
    }

    /// What a peer over this transport reaches us at.
    func address(over transport: Transport, for peer: SocketAddress) -> SocketAddress {
        table[Int(transport.rawValue) * 2 + (peer.address.isIPv4 ? 0 : 1)]
    }

    /// Those for UDP.
    var plain: [SocketAddress] { places.filter { $0.transport == .udp }.map(\.address) }

    func includes(_ address: SocketAddress) -> Bool { places.contains { $0.address == address } }

    /// Whether datagrams can be sent to this peer.
    func hasFamily(of peer: SocketAddress) -> Bool {
        places.contains { $0.transport == .udp && $0.address.address.isIPv4 == peer.address.isIPv4 }
    }
}
