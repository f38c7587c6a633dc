/// Writes RIFF WAVE files: 8 kHz, linear 16-bit or G.711; mono, or with several channels sample by sample.
public enum WAVWriter {
    public enum Encoding: Sendable { case linear, g711(G711.Law) }

    public static func encode(_ samples: Samples, _ encoding: Encoding = .linear) -> [UInt8] {
        let data: [UInt8] =
            switch encoding {
            case .linear: samples.values.flatMap { littleEndian(UInt16(bitPattern: $0)) }
            case .g711(let law): G711.encode(samples.values, law)
            }
        return header(dataBytes: UInt32(clamping: data.count), encoding) + data + (data.count % 2 == 0 ? [] : [0])
    }

    /// The 44 bytes before the samples; a recorder writes them again with the final length.
    public static func header(dataBytes: UInt32, _ encoding: Encoding = .linear, channels: UInt16 = 1) -> [UInt8] {
        let (format, width): (UInt16, UInt16) =
            switch encoding {
            case .linear: (1, 2)
            case .g711(.alaw): (6, 1)
            case .g711(.ulaw): (7, 1)
            }
        let rate = UInt32(Samples.rate)
        let padded = UInt32(clamping: UInt64(dataBytes) + UInt64(dataBytes % 2) + 36)
        var bytes = Array("RIFF".utf8) + littleEndian(padded) + Array("WAVEfmt ".utf8) + littleEndian(UInt32(16))
        bytes += littleEndian(format) + littleEndian(channels) + littleEndian(rate) + littleEndian(rate * UInt32(width * channels))
        bytes += littleEndian(width * channels) + littleEndian(width * 8) + Array("data".utf8) + littleEndian(dataBytes)
        return bytes
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<(type(of: value).bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
