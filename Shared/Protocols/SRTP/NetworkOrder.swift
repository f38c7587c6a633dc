internal import Bytes

/// Numbers in packets, the highest byte first. The caller has checked the length; these check it again.
extension Span where Element == UInt8 {
    @inline(__always)
    func bigEndian16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset &+ 1]) }

    @inline(__always)
    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(bigEndian16(at: offset)) << 16 | UInt32(bigEndian16(at: offset &+ 2))
    }

    @inline(__always)
    func bigEndian64(at offset: Int) -> UInt64 { word(at: offset).byteSwapped }
}

extension MutableSpan where Element == UInt8 {
    @inline(__always)
    mutating func write(bigEndian value: UInt32, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 24)
        self[offset &+ 1] = UInt8(truncatingIfNeeded: value >> 16)
        self[offset &+ 2] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset &+ 3] = UInt8(truncatingIfNeeded: value)
    }
}
