public import Addresses

/// Writes datagrams as a classic pcap file whose packets begin with an IP header (LINKTYPE_RAW): IP and UDP headers are made for the
/// addresses (RFC 791, RFC 8200, RFC 768).
public enum PacketCapture {
    /// Microseconds, little endian, version 2.4.
    public static let header: [UInt8] =
        little(UInt32(0xa1b2_c3d4)) + little(UInt16(2)) + little(UInt16(4)) + little(UInt64(0)) + little(UInt32(65_535)) + little(UInt32(101))

    /// What a datagram is longer by in the file, at most.
    public static let overhead = 16 + 40 + 8

    /// Appends one datagram; one whose addresses are of two families is shown between IPv6 addresses.
    public static func append(
        _ datagram: Span<UInt8>, from source: SocketAddress, to destination: SocketAddress, microseconds: Int64, to bytes: inout [UInt8]
    ) {
        let isIPv4 = source.address.isIPv4 && destination.address.isIPv4
        let length = min(datagram.count, 65_535 - 48) + 8
        let whole = (isIPv4 ? 20 : 40) + length
        bytes += little(UInt32(truncatingIfNeeded: microseconds / 1_000_000)) + little(UInt32(truncatingIfNeeded: microseconds % 1_000_000))
        bytes += little(UInt32(clamping: whole)) + little(UInt32(clamping: whole))
        if isIPv4 {
            var header = big(UInt16(0x4500)) + big(UInt16(whole)) + big(UInt16(0)) + big(UInt16(0x4000)) + [64, 17, 0, 0]
            header += big(UInt32(truncatingIfNeeded: source.address.low)) + big(UInt32(truncatingIfNeeded: destination.address.low))
            let sum = big(~fold(add(header)))
            (header[10], header[11]) = (sum[0], sum[1])
            bytes += header
        } else {
            bytes += big(UInt32(0x6000_0000)) + big(UInt16(length)) + [17, 64]
            bytes += big(source.address.high) + big(source.address.low) + big(destination.address.high) + big(destination.address.low)
        }
        let ports = big(source.port) + big(destination.port) + big(UInt16(length))
        // The pseudo header: addresses, protocol and length. IPv4's mapped form adds 0xffff twice, which is nothing.
        var sum = add(ports) + 17 + UInt64(length)
        for word in [source.address.high, source.address.low, destination.address.high, destination.address.low] { sum += add(big(word)) }
        for index in 0..<(length - 8) { sum += UInt64(datagram[index]) << (index % 2 == 0 ? 8 : 0) }
        let checksum = ~fold(sum)
        // Zero would mean that there is none (RFC 768).
        bytes += ports + big(checksum == 0 ? 0xffff : checksum)
        for index in 0..<(length - 8) { bytes.append(datagram[index]) }
    }

    private static func add(_ bytes: [UInt8]) -> UInt64 {
        var sum: UInt64 = 0
        for index in bytes.indices { sum += UInt64(bytes[index]) << (index % 2 == 0 ? 8 : 0) }
        return sum
    }

    private static func fold(_ sum: UInt64) -> UInt16 {
        var sum = sum
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return UInt16(sum)
    }

    private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<(type(of: value).bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func big(_ value: some FixedWidthInteger) -> [UInt8] { little(value).reversed() }
}
