internal import COpenSSL

/// HMAC-SHA1 (RFC 3711 §4.2.1), begun once: what the key makes of both hashes is kept and copied for each packet.
@safe struct KeyedSHA1 {
    private var saved = tandem_hmac_sha1()

    private static let blockLength = 64

    init(key: [UInt8]) {
        precondition(key.count <= Self.blockLength, "a longer key would be hashed first")
        let padded = key + [UInt8](repeating: 0, count: Self.blockLength - key.count)
        unsafe tandem_hmac_sha1_begin(&saved, padded.map { $0 ^ 0x36 }, padded.map { $0 ^ 0x5c })
    }

    /// The code over the first `count` bytes and, for RTP, the rollover counter behind them.
    @inline(__always)
    private func code(_ bytes: Span<UInt8>, _ count: Int, _ rollover: UInt32?) -> InlineArray<20, UInt8> {
        precondition(count >= 0 && count <= bytes.count, "the bytes lie within the packet")
        var code = InlineArray<20, UInt8>(repeating: 0)
        var more = (rollover ?? 0).bigEndian
        var span = code.mutableSpan
        unsafe withUnsafePointer(to: saved) { saved in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe span.withUnsafeMutableBufferPointer { target in
                    unsafe withUnsafeBytes(of: &more) { more in
                        unsafe tandem_hmac_sha1_code(
                            saved, source.baseAddress, count, more.baseAddress?.assumingMemoryBound(to: UInt8.self),
                            rollover == nil ? 0 : 4, target.baseAddress)
                    }
                }
            }
        }
        return code
    }

    /// Writes the first `length` bytes of the code behind the `count` bytes it is over.
    func sign(_ bytes: inout MutableSpan<UInt8>, count: Int, rollover: UInt32?, length: Int) {
        let code = code(bytes.span, count, rollover)
        for index in 0..<length { bytes[count &+ index] = code[index] }
    }

    /// Whether the first `length` bytes of the code stand there; in a time that tells nothing.
    func verifies(_ bytes: Span<UInt8>, count: Int, rollover: UInt32?, length: Int) -> Bool {
        let code = code(bytes, count, rollover)
        var difference: UInt8 = 0
        for index in 0..<length { difference |= code[index] ^ bytes[count &+ index] }
        return difference == 0
    }
}
