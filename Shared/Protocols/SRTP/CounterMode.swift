internal import COpenSSL

/// AES in counter mode (RFC 3711 §4.1.1, RFC 6188 §2): encrypts and decrypts.
///
/// The counters are encrypted block by block and the stream is laid over the bytes here: giving OpenSSL's own counter mode a new start
/// takes three times as long as the blocks of a packet.
@safe struct CounterMode: ~Copyable {
    private let cipher: OpaquePointer

    private static let blocksAtOnce = 16

    init(key: [UInt8]) {
        precondition(key.count == 16 || key.count == 32, "AES has keys of 16 and 32 bytes here")
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        let isSet = unsafe EVP_EncryptInit_ex(cipher, key.count == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(), nil, key, nil) == 1
            && EVP_CIPHER_CTX_set_padding(cipher, 0) == 1
        precondition(isSet, "OpenSSL provides AES")
        unsafe self.cipher = cipher
    }

    deinit { unsafe EVP_CIPHER_CTX_free(cipher) }

    /// Lays the key stream over `begin..<end`; the two words are its first counter block.
    func apply(to bytes: inout MutableSpan<UInt8>, from begin: Int, to end: Int, high: UInt64, low: UInt64) {
        precondition(begin >= 0 && begin <= end && end <= bytes.count, "the bytes lie within the packet")
        unsafe bytes.withUnsafeMutableBytes { memory in
            unsafe withUnsafeTemporaryAllocation(byteCount: 16 &* Self.blocksAtOnce, alignment: 16) { stream in
                var (at, counter) = (begin, low)
                while at < end {
                    let length = min(end &- at, 16 &* Self.blocksAtOnce)
                    let whole = (length &+ 15) & ~15
                    for offset in stride(from: 0, to: whole, by: 16) {
                        unsafe stream.storeBytes(of: SIMD2(high.bigEndian, counter.bigEndian), toByteOffset: offset, as: SIMD2<UInt64>.self)
                        counter &+= 1
                    }
                    unsafe encrypt(stream, count: whole)
                    unsafe Self.lay(stream, over: memory, from: at, length: length)
                    at &+= length
                }
            }
        }
    }

    @inline(__always)
    private func encrypt(_ blocks: UnsafeMutableRawBufferPointer, count: Int) {
        let start = unsafe blocks.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var written: Int32 = 0
        let isDone = unsafe EVP_EncryptUpdate(cipher, start, &written, start, Int32(truncatingIfNeeded: count)) == 1
        precondition(isDone, "AES over whole blocks cannot fail")
    }

    @inline(__always)
    private static func lay(
        _ stream: UnsafeMutableRawBufferPointer, over memory: UnsafeMutableRawBufferPointer, from begin: Int, length: Int
    ) {
        let whole = length & ~15
        for offset in stride(from: 0, to: whole, by: 16) {
            let block = unsafe memory.loadUnaligned(fromByteOffset: begin &+ offset, as: SIMD2<UInt64>.self)
            let key = unsafe stream.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self)
            unsafe memory.storeBytes(of: block ^ key, toByteOffset: begin &+ offset, as: SIMD2<UInt64>.self)
        }
        for offset in whole..<length { unsafe memory[begin &+ offset] ^= stream[offset] }
    }
}
