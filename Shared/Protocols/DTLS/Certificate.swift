internal import COpenSSL

/// A certificate and its key as PEM texts, so that a successor shows the same one: it is known by its fingerprint, which stands in the
/// SDP of calls that go on.
public struct Certificate: Hashable, Sendable {
    public enum Unusable: Error, Hashable, Sendable {
        /// A text is not PEM, or locked by a password.
        case unreadable
        /// The key is that of another certificate.
        case keyMismatch
    }

    public let certificate: String
    public let key: String
    /// By SHA-256 (RFC 8122 §5).
    public let fingerprint: Fingerprint

    /// A new ECDSA P-256 key and a certificate that vouches for itself (RFC 8827 §6.5), valid from a day before `now`, in seconds
    /// since 1970, for `days`.
    public static func make(name: String = "tandem", now: Int64, days: Int = 365) -> Certificate {
        let day: Int64 = 86_400
        guard let key = unsafe tandem_p256_key() else { preconditionFailure("OpenSSL provides P-256") }
        defer { unsafe EVP_PKEY_free(key) }
        guard let made = unsafe tandem_x509_self_signed(key, name, now - day, now + day * Int64(clamping: max(1, days))) else {
            preconditionFailure("a short name and two instants make a certificate")
        }
        defer { unsafe X509_free(made) }
        guard let texts = unsafe texts(made, key), let certificate = try? Certificate(certificate: texts.certificate, key: texts.key) else {
            preconditionFailure("what was just made can be written and read")
        }
        return certificate
    }

    /// What was written earlier.
    public init(certificate: String, key: String) throws(Unusable) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let read = unsafe Self.read(certificate) else { throw .unreadable }
        defer { unsafe X509_free(read) }
        guard let secret = unsafe Self.readKey(key) else { throw .unreadable }
        defer { unsafe EVP_PKEY_free(secret) }
        guard unsafe X509_check_private_key(read, secret) == 1 else { throw .keyMismatch }
        guard let fingerprint = unsafe Fingerprint(.sha256, hash: Fingerprint.Algorithm.sha256.hash(read)) else { throw .unreadable }
        (self.certificate, self.key, self.fingerprint) = (certificate, key, fingerprint)
    }

    static func read(_ text: String) -> OpaquePointer? { unsafe tandem_x509_read(text, Int32(clamping: text.utf8.count)) }

    static func readKey(_ text: String) -> OpaquePointer? { unsafe tandem_key_read(text, Int32(clamping: text.utf8.count)) }

    private static func texts(_ certificate: OpaquePointer, _ key: OpaquePointer) -> (certificate: String, key: String)? {
        var buffer = [CChar](repeating: 0, count: 8_192)
        func text(_ length: Int32) -> String {
            String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let length = unsafe tandem_pem_certificate(certificate, &buffer, Int32(buffer.count))
        guard length > 0 else { return nil }
        let first = text(length)
        let keyLength = unsafe tandem_pem_key(key, &buffer, Int32(buffer.count))
        return keyLength > 0 ? (first, text(keyLength)) : nil
    }
}

extension Certificate: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the key: it must not get into a log.
    public var description: String { "certificate \(fingerprint)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
