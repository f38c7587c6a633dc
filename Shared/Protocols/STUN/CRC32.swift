/// The checksum of ITU V.42 that FINGERPRINT is made from (RFC 8489 §14.7).
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
    }

    static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        let table = Self.table.span
        var value = UInt32.max
        for index in bytes.indices { value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])] }
        return ~value
    }
}
