import Addresses

/// An Ethernet frame with a UDP datagram over IPv4, with right checksums (RFC 791 §3.1, RFC 768).
struct Frame {
    var source: SocketAddress
    var destination: SocketAddress
    var payload: [UInt8]
    var hops: UInt8 = 64
    var service: UInt8 = 0
    /// Flags and offset of a fragment.
    var fragment: UInt16 = 0x4000

    var bytes: [UInt8] {
        guard let from = source.address.v4, let to = destination.address.v4 else { return [] }
        let addresses = Self.octets(from) + Self.octets(to)
        let length = UInt16(clamping: 8 + payload.count)
        var datagram = Self.octets(source.port) + Self.octets(destination.port) + Self.octets(length) + [0, 0] + payload
        let sum = Self.checksum(addresses + [0, 17] + Self.octets(length) + datagram)
        datagram.replaceSubrange(6..<8, with: Self.octets(sum == 0 ? 0xffff : sum))
        var header: [UInt8] = [0x45, service] + Self.octets(UInt16(clamping: 20 + datagram.count)) + [0, 7]
        header += Self.octets(fragment) + [hops, 17, 0, 0] + addresses
        header.replaceSubrange(10..<12, with: Self.octets(Self.checksum(header)))
        return [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0] + header + datagram
    }

    private static func octets<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (T.bitWidth - 8 - 8 * $0)) }
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
        }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
