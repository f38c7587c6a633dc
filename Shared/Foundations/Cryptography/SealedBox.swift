internal import COpenSSL

public enum SealError: Error { case wrongKeyLength, truncated, unauthentic }

/// AES-256-GCM with a nonce in front and the tag behind: how secrets lie at rest.
///
/// Layout: 12 bytes nonce, ciphertext, 16 bytes tag. The nonce is given by the caller and must never repeat under one key.
public enum SealedBox {
    public static let nonceLength = 12
    private static let tagLength = 16

    public static func seal(_ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], context: [UInt8] = []) throws(SealError) -> [UInt8] {
        guard key.count == 32, nonce.count == nonceLength else { throw .wrongKeyLength }
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        defer { unsafe EVP_CIPHER_CTX_free(cipher) }
        var output = [UInt8](repeating: 0, count: plaintext.count + 16)
        var tag = [UInt8](repeating: 0, count: tagLength)
        var (written, finished): (Int32, Int32) = (0, 0)
        let sealed = unsafe EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_EncryptUpdate(cipher, nil, &finished, context, Int32(context.count)) == 1
            && EVP_EncryptUpdate(cipher, &output, &written, plaintext, Int32(plaintext.count)) == 1
            && EVP_EncryptFinal_ex(cipher, &tag, &finished) == 1
            && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, Int32(tagLength), &tag) == 1
        precondition(sealed, "AES-256-GCM over memory cannot fail with a key and nonce of the right length")
        return nonce + output.prefix(Int(written)) + tag
    }

    public static func open(_ box: [UInt8], key: [UInt8], context: [UInt8] = []) throws(SealError) -> [UInt8] {
        guard key.count == 32 else { throw .wrongKeyLength }
        guard box.count >= nonceLength + tagLength else { throw .truncated }
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        defer { unsafe EVP_CIPHER_CTX_free(cipher) }
        let nonce = Array(box.prefix(nonceLength))
        var tag = Array(box.suffix(tagLength))
        let ciphertext = Array(box.dropFirst(nonceLength).dropLast(tagLength))
        var output = [UInt8](repeating: 0, count: ciphertext.count + 16)
        var (written, finished): (Int32, Int32) = (0, 0)
        var rest = [UInt8](repeating: 0, count: 16)
        let opened = unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_DecryptUpdate(cipher, nil, &finished, context, Int32(context.count)) == 1
            && EVP_DecryptUpdate(cipher, &output, &written, ciphertext, Int32(ciphertext.count)) == 1
            && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, Int32(tagLength), &tag) == 1
            && EVP_DecryptFinal_ex(cipher, &rest, &finished) == 1
        guard opened else { throw .unauthentic }
        return Array(output.prefix(Int(written)))
    }
}
