import COpenSSL

/// The cryptography alone, in the ways OpenSSL has for it: 160 bytes encrypted, a code over 176.
enum Primitives {
    private static let count = 1_000
    private static let rounds = 100

    static func measure() {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        bytes.initialize(repeating: 7, count: 256)
        defer { bytes.deallocate() }
        counterMode(bytes)
        savedStates(bytes)
        mac(bytes)
        digestContexts(bytes)
    }

    private static func time(_ subject: String, _ body: () -> Void) {
        var times = Times(of: count)
        for _ in 0..<rounds { times.measure { for _ in 0..<count { body() } } }
        times.show(subject)
    }

    private static func counterMode(_ bytes: UnsafeMutablePointer<UInt8>) {
        let (key, vector) = ([UInt8](repeating: 1, count: 16), [UInt8](repeating: 2, count: 16))
        let (counter, blocks) = (EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new())
        var written: Int32 = 0
        EVP_EncryptInit_ex(counter, EVP_aes_128_ctr(), nil, key, vector)
        time("AES-128 counter mode of OpenSSL, a new start each") {
            EVP_EncryptInit_ex(counter, nil, nil, nil, vector)
            EVP_EncryptUpdate(counter, bytes, &written, bytes, 160)
        }
        EVP_EncryptInit_ex(blocks, EVP_aes_128_ecb(), nil, key, nil)
        EVP_CIPHER_CTX_set_padding(blocks, 0)
        time("AES-128, ten blocks") { EVP_EncryptUpdate(blocks, bytes, &written, bytes, 160) }
        EVP_CIPHER_CTX_free(counter)
        EVP_CIPHER_CTX_free(blocks)
    }

    private static func savedStates(_ bytes: UnsafeMutablePointer<UInt8>) {
        var hmac = tandem_hmac_sha1()
        tandem_hmac_sha1_begin(&hmac, [UInt8](repeating: 0x36, count: 64), [UInt8](repeating: 0x5c, count: 64))
        var code = [UInt8](repeating: 0, count: 20)
        time("HMAC-SHA1, two saved states") { tandem_hmac_sha1_code(&hmac, bytes, 172, bytes, 4, &code) }
    }

    private static func mac(_ bytes: UnsafeMutablePointer<UInt8>) {
        let mac = EVP_MAC_fetch(nil, "HMAC", nil)
        let context = EVP_MAC_CTX_new(mac)
        var name = Array("SHA1".utf8CString)
        var code = [UInt8](repeating: 0, count: 64)
        var length = 0
        name.withUnsafeMutableBufferPointer { name in
            let parameters = [OSSL_PARAM_construct_utf8_string("digest", name.baseAddress, 0), OSSL_PARAM_construct_end()]
            EVP_MAC_init(context, [UInt8](repeating: 1, count: 20), 20, parameters)
        }
        time("HMAC-SHA1, EVP_MAC begun again") {
            EVP_MAC_init(context, nil, 0, nil)
            EVP_MAC_update(context, bytes, 176)
            EVP_MAC_final(context, &code, &length, 64)
        }
        time("HMAC-SHA1, EVP_MAC copied") {
            EVP_MAC_init(context, nil, 0, nil)
            let copy = EVP_MAC_CTX_dup(context)
            EVP_MAC_update(copy, bytes, 176)
            EVP_MAC_final(copy, &code, &length, 64)
            EVP_MAC_CTX_free(copy)
        }
        EVP_MAC_CTX_free(context)
        EVP_MAC_free(mac)
    }

    private static func digestContexts(_ bytes: UnsafeMutablePointer<UInt8>) {
        let (inner, outer, work) = (EVP_MD_CTX_new(), EVP_MD_CTX_new(), EVP_MD_CTX_new())
        for context in [inner, outer] {
            EVP_DigestInit_ex(context, EVP_sha1(), nil)
            EVP_DigestUpdate(context, bytes, 64)
        }
        var code = [UInt8](repeating: 0, count: 64)
        var length: UInt32 = 0
        time("HMAC-SHA1, two EVP digests copied") {
            EVP_MD_CTX_copy_ex(work, inner)
            EVP_DigestUpdate(work, bytes, 176)
            EVP_DigestFinal_ex(work, &code, &length)
            EVP_MD_CTX_copy_ex(work, outer)
            EVP_DigestUpdate(work, code, 20)
            EVP_DigestFinal_ex(work, &code, &length)
        }
        for context in [inner, outer, work] { EVP_MD_CTX_free(context) }
    }
}
