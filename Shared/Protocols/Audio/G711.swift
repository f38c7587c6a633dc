/// G.711: pulse code modulation of voice frequencies, µ-law (PCMU) and A-law (PCMA), 64 kbit/s.
///
/// Samples are 16-bit linear as in ITU-T G.191: µ-law uses the upper 14 bits and A-law the upper 13, so every value here is
/// exact.
public enum G711 {
    /// The companding law; its raw value is the static RTP payload type of RFC 3551 §6.
    public enum Law: UInt8, Sendable, CaseIterable {
        case ulaw = 0
        case alaw = 8

        /// The code of a sample of value zero (A-law has none: its smallest positive value).
        public var silence: UInt8 { self == .ulaw ? 0xff : 0xd5 }
    }

    /// The linear value of each code (G.711 tables 2a and 2b).
    public static let linearFromUlaw: [Int16] = (0...255).map { expandUlaw($0) }
    public static let linearFromAlaw: [Int16] = (0...255).map { expandAlaw($0) }

    /// The code of each linear value, indexed by the upper 14 bits of the sample read as unsigned.
    static let ulawFromLinear: [UInt8] = (0..<16384).map { compressUlaw(Int16(truncatingIfNeeded: $0 << 2)) }
    static let alawFromLinear: [UInt8] = (0..<16384).map { compressAlaw(Int16(truncatingIfNeeded: $0 << 2)) }

    /// The A-law code nearest to each µ-law code, and the other way round.
    public static let alawFromUlaw: [UInt8] = linearFromUlaw.map { compressAlaw($0) }
    public static let ulawFromAlaw: [UInt8] = linearFromAlaw.map { compressUlaw($0) }

    public static func linearTable(_ law: Law) -> [Int16] { law == .ulaw ? linearFromUlaw : linearFromAlaw }
    static func codeTable(_ law: Law) -> [UInt8] { law == .ulaw ? ulawFromLinear : alawFromLinear }

    public static func decode(_ code: UInt8, _ law: Law) -> Int16 { linearTable(law)[Int(code)] }
    public static func encode(_ sample: Int16, _ law: Law) -> UInt8 { codeTable(law)[index(Int32(sample))] }

    /// Decodes all codes, or as many as there is room for from `offset` on; returns their number.
    @discardableResult
    public static func decode(
        _ codes: Span<UInt8>, _ law: Law, into samples: inout MutableSpan<Int16>, at offset: Int = 0
    ) -> Int {
        let table = linearTable(law)
        let count = min(codes.count, samples.count - offset)
        for index in 0..<count { samples[offset + index] = table[Int(codes[index])] }
        return count
    }

    /// Encodes all samples, or as many as there is room for from `offset` on; returns their number.
    @discardableResult
    public static func encode(
        _ samples: Span<Int16>, _ law: Law, into codes: inout MutableSpan<UInt8>, at offset: Int = 0
    ) -> Int {
        let table = codeTable(law)
        let count = min(samples.count, codes.count - offset)
        for position in 0..<count { codes[offset + position] = table[index(Int32(samples[position]))] }
        return count
    }

    public static func decode(_ codes: some Sequence<UInt8>, _ law: Law) -> [Int16] {
        let table = linearTable(law)
        return codes.map { table[Int($0)] }
    }

    public static func encode(_ samples: some Sequence<Int16>, _ law: Law) -> [UInt8] {
        let table = codeTable(law)
        return samples.map { table[index(Int32($0))] }
    }

    /// Where a sample stands in a code table; `sample` must lie within 16 bits.
    @inline(__always)
    static func index(_ sample: Int32) -> Int { Int(sample >> 2) & 0x3fff }
}

// The laws themselves, used once to fill the tables.
extension G711 {
    /// µ-law: inverted sign, three bits of segment, four of step; a bias of 33 makes every segment a power of two.
    static func compressUlaw(_ sample: Int16) -> UInt8 {
        let negative = sample < 0
        let magnitude = min((negative ? ~Int(sample) : Int(sample)) >> 2 + 33, 8191)
        let segment = max(0, (Int.bitWidth - magnitude.leadingZeroBitCount) - 6)
        let step = magnitude >> (segment + 1) & 15
        return ~UInt8(truncatingIfNeeded: (negative ? 0x80 : 0) | segment << 4 | step)
    }

    static func expandUlaw(_ code: Int) -> Int16 {
        let bits = ~code & 0xff
        let magnitude = ((bits & 15) << 1 + 33) << (bits >> 4 & 7) - 33
        return Int16(truncatingIfNeeded: (bits & 0x80 != 0 ? -magnitude : magnitude) * 4)
    }

    /// A-law: positive sign bit, segment and step with every even bit inverted; the first two segments are equally fine.
    static func compressAlaw(_ sample: Int16) -> UInt8 {
        let negative = sample < 0
        let magnitude = (negative ? ~Int(sample) : Int(sample)) >> 4
        let segment = max(0, (Int.bitWidth - magnitude.leadingZeroBitCount) - 4)
        let step = segment < 2 ? magnitude & 15 : magnitude >> (segment - 1) & 15
        return UInt8(truncatingIfNeeded: (negative ? 0 : 0x80) | segment << 4 | step) ^ 0x55
    }

    static func expandAlaw(_ code: Int) -> Int16 {
        let bits = code ^ 0x55
        let segment = bits >> 4 & 7
        let step = (bits & 15) << 4 + 8
        let magnitude = segment == 0 ? step : (step + 0x100) << (segment - 1)
        return Int16(truncatingIfNeeded: bits & 0x80 != 0 ? magnitude : -magnitude)
    }
}
