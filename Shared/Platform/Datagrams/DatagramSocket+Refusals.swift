public import Addresses
internal import CLinux

/// Datagrams that came back because nobody listens where they went: ICMP "port unreachable" (RFC 1122 §3.2.2.1), which a socket
/// without a peer is told of only when it asks.
extension DatagramSocket {
    /// From now on an event loop calls the descriptor `failed` when there are refusals; they must be read, or it stays so.
    public func reportRefusals() {
        let done = tandem_udp_report_refusals(descriptor, localAddress.address.isIPv4 ? 1 : 0)
        precondition(done == 0, "every UDP socket of Linux has an error queue")
    }

    /// Where the next of them went; nil when there is none. Anything else the network reports is passed over.
    public func nextRefusal() -> SocketAddress? {
        var kernel = tandem_address()
        return unsafe tandem_udp_next_refusal(descriptor, &kernel) == 1 ? SocketAddress(kernel) : nil
    }
}
