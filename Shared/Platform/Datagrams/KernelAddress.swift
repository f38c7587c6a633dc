package import Addresses
package import CLinux

// The form in which addresses cross into C: the same two halves, in host order.
extension SocketAddress {
    package init(_ address: tandem_address) {
        let host = address.is_ipv4 != 0
            ? IPAddress(v4: UInt32(truncatingIfNeeded: address.low))
            : IPAddress(v6High: address.high, v6Low: address.low)
        self.init(host, port: address.port)
    }

    package var kernelAddress: tandem_address {
        // An IPv4 address keeps its mapped form here; the low 32 bits are the address.
        tandem_address(high: address.high, low: address.low, port: port, is_ipv4: address.isIPv4 ? 1 : 0)
    }
}
