/// L16: sixteen bits a sample, the higher byte first (RFC 3551 §4.5.11).
enum Linear {
    static func decode(_ payload: Span<UInt8>, into sound: inout MutableSpan<Int16>) -> Int {
        let count = payload.count / 2
        guard payload.count % 2 == 0, count <= sound.count else { return 0 }
        for index in 0..<count {
            sound[index] = Int16(bitPattern: UInt16(payload[2 * index]) << 8 | UInt16(payload[2 * index + 1]))
        }
        return count
    }

    static func encode(_ sound: Span<Int16>, into payload: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        guard 2 * sound.count <= payload.count - offset else { return 0 }
        for index in sound.indices {
            let bits = UInt16(bitPattern: sound[index])
            payload[offset + 2 * index] = UInt8(bits >> 8)
            payload[offset + 2 * index + 1] = UInt8(truncatingIfNeeded: bits)
        }
        return 2 * sound.count
    }
}
