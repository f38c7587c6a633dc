internal import COpenSSL
public import SRTP

/// What the handshakes of a process have in common: its certificate, and which protection it offers and takes.
@safe public final class Endpoint: @unchecked Sendable {
    // Sendable: nothing is changed after init, and OpenSSL counts references to a context atomically.

    public let certificate: Certificate
    let handle: OpaquePointer

    /// With forward secrecy; those of RFC 8827 §6.5 and, for older devices, CBC.
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES"
    private static let groups = "X25519:P-256:P-384"

    /// AEADs first: they cost least.
    public static let suites: [Suite] = [.aeadAES128GCM, .aeadAES256GCM, .aes128CounterModeSHA1_80, .aes128CounterModeSHA1_32]

    /// The suites come in order of preference; those without a profile for DTLS are left out.
    public init(_ certificate: Certificate, suites: [Suite] = Endpoint.suites) {
        let profiles = suites.compactMap(Self.name).joined(separator: ":")
        precondition(!profiles.isEmpty, "without a profile there is nothing to agree on")
        guard let context = unsafe SSL_CTX_new(DTLS_method()) else { preconditionFailure("out of memory") }
        let isPrepared = unsafe tandem_dtls_prepare(context, Self.ciphers, Self.groups, profiles) == 1
        precondition(isPrepared, "OpenSSL knows this version, these ciphers, groups and profiles")
        let (leaf, key) = unsafe (Certificate.read(certificate.certificate), Certificate.readKey(certificate.key))
        let isTaken = unsafe SSL_CTX_use_certificate(context, leaf) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1
        precondition(isTaken, "a certificate that was read once is read again")
        unsafe X509_free(leaf)
        unsafe EVP_PKEY_free(key)
        unsafe handle = context
        self.certificate = certificate
    }

    deinit { unsafe SSL_CTX_free(handle) }

    /// OpenSSL's names of the profiles.
    private static func name(_ suite: Suite) -> String? {
        switch suite {
        case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
        case .aeadAES256GCM: "SRTP_AEAD_AES_256_GCM"
        case .aes128CounterModeSHA1_80: "SRTP_AES128_CM_SHA1_80"
        case .aes128CounterModeSHA1_32: "SRTP_AES128_CM_SHA1_32"
        case .aes256CounterModeSHA1_80, .aes256CounterModeSHA1_32: nil
        }
    }
}
