internal import COpenSSL

/// AES-GCM over a packet (RFC 7714): the first bytes stay clear, the rest is encrypted, all of it is authenticated.
@safe struct GaloisCounterMode: ~Copyable {
    static let tagLength = 16

    private let cipher: OpaquePointer

    init(key: [UInt8]) {
        precondition(key.count == 16 || key.count == 32, "AES has keys of 16 and 32 bytes here")
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        let isSet = unsafe EVP_EncryptInit_ex(cipher, key.count == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), nil, key, nil) == 1
        precondition(isSet, "OpenSSL provides AES-GCM")
        unsafe self.cipher = cipher
    }

    deinit { unsafe EVP_CIPHER_CTX_free(cipher) }

    /// The twelve bytes that must never repeat under a key.
    struct Nonce {
        var high: UInt32
        var low: UInt64
    }

    /// Encrypts `clear..<end` and writes the tag behind it; `word` is authenticated as well, and lies elsewhere.
    func seal(_ bytes: inout MutableSpan<UInt8>, clear: Int, end: Int, nonce: Nonce, word: UInt32?) {
        precondition(clear >= 0 && clear <= end && end &+ Self.tagLength <= bytes.count, "the packet has room for its tag")
        let isSealed = unsafe bytes.withUnsafeMutableBufferPointer { memory in
            guard let start = memory.baseAddress else { return false }
            let tag = unsafe start + end
            return unsafe pass(start, clear, end, nonce, word, encrypting: 1)
                && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagLength), tag) == 1
        }
        precondition(isSealed, "AES-GCM over memory cannot fail with a key and nonce of the right length")
    }

    /// Decrypts `clear..<end` when the tag behind it is right; otherwise the bytes are left as they were.
    func open(_ bytes: inout MutableSpan<UInt8>, clear: Int, end: Int, nonce: Nonce, word: UInt32?) -> Bool {
        precondition(clear >= 0 && clear <= end && end &+ Self.tagLength <= bytes.count, "the packet has its tag")
        return unsafe bytes.withUnsafeMutableBufferPointer { memory in
            guard let start = memory.baseAddress else { return false }
            if unsafe pass(start, clear, end, nonce, word, encrypting: 0) { return true }
            // It has been decrypted before it turned out to be wrong: the same stream once more undoes that.
            _ = unsafe pass(start, clear, end, nonce, word, encrypting: 0)
            return false
        }
    }

    @inline(__always)
    private func pass(
        _ start: UnsafeMutablePointer<UInt8>, _ clear: Int, _ end: Int, _ nonce: Nonce, _ word: UInt32?, encrypting: Int32
    ) -> Bool {
        var vector = (
            nonce.high.bigEndian, UInt32(truncatingIfNeeded: nonce.low &>> 32).bigEndian, UInt32(truncatingIfNeeded: nonce.low).bigEndian
        )
        var more = (word ?? 0).bigEndian
        var written: Int32 = 0
        let isBegun = unsafe withUnsafeBytes(of: &vector) { vector in
            unsafe EVP_CipherInit_ex(cipher, nil, nil, nil, vector.baseAddress?.assumingMemoryBound(to: UInt8.self), encrypting) == 1
        }
        guard isBegun, unsafe EVP_CipherUpdate(cipher, nil, &written, start, Int32(truncatingIfNeeded: clear)) == 1 else { return false }
        if word != nil {
            let isTaken = unsafe withUnsafeBytes(of: &more) { more in
                unsafe EVP_CipherUpdate(cipher, nil, &written, more.baseAddress?.assumingMemoryBound(to: UInt8.self), 4) == 1
            }
            guard isTaken else { return false }
        }
        let text = unsafe start + clear
        if end > clear, unsafe EVP_CipherUpdate(cipher, text, &written, text, Int32(truncatingIfNeeded: end &- clear)) != 1 { return false }
        if encrypting == 0 {
            guard unsafe EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagLength), start + end) == 1 else { return false }
        }
        // Nothing is written: all of it has been.
        return unsafe EVP_CipherFinal_ex(cipher, text, &written) == 1
    }
}
