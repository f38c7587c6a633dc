import CSpanDSP
import Foundation
import Testing

/// The library that codes G.722 here, against the Recommendation itself: its coders alone, as appendix II.4.3 has it.
@Suite("ITU-T G.722 appendix II: the digital test sequence that overflows")
struct G722VectorTests {
    private enum Trouble: Error { case noCodec, checksum(String) }

    /// The words of a file that do not reset.
    private static func words(_ name: String) throws -> [UInt16] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/g722/\(name)")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").flatMap { line in
            let sum = line.utf8.dropLast(2).reduce(UInt8(0)) { $0 &- $1 }
            guard line.count == 66, UInt8(line.suffix(2), radix: 16) == sum else { throw Trouble.checksum(name) }
            let digits = Array(line.dropLast(2))
            return stride(from: 0, to: 64, by: 4).compactMap { UInt16(String(digits[$0..<$0 + 4]), radix: 16) }
        }.filter { $0 & 1 == 0 }
    }

    /// T1C2.XMT: from one end to the other and back, and then so that differences are largest, too.
    private static var samples: [Int16] {
        var samples: [Int] = []
        for _ in 0..<320 { samples += [-32768, 32766] }
        samples[639] = 0
        return (samples + [-20_000, -16_384] + (0..<126).map { $0 % 3 == 1 ? 32766 : -32768 }).map { Int16($0) }
    }

    @Test("II.4.3, configuration 1: the encoder's codes are those of T2R2.COD")
    func encoder() throws {
        guard let state = g722_encode_init(nil, 64000, 0) else { throw Trouble.noCodec }
        defer { g722_encode_free(state) }
        // The first thing in its state: whether the filters are left out.
        UnsafeMutableRawPointer(state).storeBytes(of: 1, as: Int32.self)
        let expected = try Self.words("T2R2.COD").map { UInt8($0 >> 8) }
        let samples = Self.samples
        var codes = [UInt8](repeating: 0, count: samples.count)
        let count = g722_encode(state, &codes, samples, Int32(samples.count))
        #expect(count == 768 && expected.count == 768)
        #expect(codes == expected)
    }

    @Test("II.4.3, configuration 2: both decoders say what T3L2.RC1 and T3H2.RC0 say")
    func decoders() throws {
        guard let state = g722_decode_init(nil, 64000, 0) else { throw Trouble.noCodec }
        defer { g722_decode_free(state) }
        UnsafeMutableRawPointer(state).storeBytes(of: 1, as: Int32.self)
        let codes = try Self.words("T2R2.COD").map { UInt8($0 >> 8) }
        var sound = [Int16](repeating: 0, count: 2 * codes.count)
        let count = g722_decode(state, &sound, codes, Int32(codes.count))
        #expect(count == 1536)
        let (lower, higher) = (stride(from: 0, to: 1536, by: 2).map { sound[$0] }, stride(from: 1, to: 1536, by: 2).map { sound[$0] })
        #expect(lower == (try Self.words("T3L2.RC1").map { Int16(bitPattern: $0) }))
        #expect(higher == (try Self.words("T3H2.RC0").map { Int16(bitPattern: $0) }))
    }
}
