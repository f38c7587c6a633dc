internal import Bytes
internal import COpenSSL

/// Message digests and keyed digests, computed by OpenSSL.
public enum DigestAlgorithm: Sendable {
    case md5, sha1, sha256, sha512_256

    private var evp: OpaquePointer? {
        switch self {
        case .md5: unsafe EVP_md5()
        case .sha1: unsafe EVP_sha1()
        case .sha256: unsafe EVP_sha256()
        case .sha512_256: unsafe EVP_sha512_256()
        }
    }

    public func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, evp, nil)
        precondition(done == 1, "OpenSSL provides this digest")
        return Array(digest.prefix(Int(length)))
    }

    public func hash(_ text: some StringProtocol) -> [UInt8] { hash(Array(text.utf8)) }

    /// HMAC of RFC 2104.
    public func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let done = unsafe HMAC(evp, key, Int32(key.count), bytes, bytes.count, &code, &length)
        precondition(unsafe done != nil, "OpenSSL provides this digest")
        return Array(code.prefix(Int(length)))
    }
}

/// Compares in time that depends on the lengths only, so an attacker learns nothing from how long a refusal took.
public func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
