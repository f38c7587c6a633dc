internal import COpenSSL

/// What sessions are made from: the certificate and key of a server, or what a client trusts. TLS 1.2 or newer.
///
/// A session holds what it needs of its context, so a server changes certificates by using another context for new sessions.
@safe public final class TLSContext: @unchecked Sendable {
    // Sendable: nothing is changed after init, and OpenSSL counts references to a context atomically.
    let handle: OpaquePointer
    let isServer: Bool

    /// With forward secrecy and authenticated encryption only; what TLS 1.3 brings is so anyway (RFC 9325 §4.2).
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

    private init(isServer: Bool) {
        guard let context = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            preconditionFailure("out of memory")
        }
        let isSet = unsafe tandem_tls_require_1_2(context) == 1 && SSL_CTX_set_cipher_list(context, Self.ciphers) == 1
        precondition(isSet, "OpenSSL knows this version and these ciphers")
        unsafe tandem_tls_harden(context)
        unsafe SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }  // a locked key is an error, no question at the terminal
        unsafe handle = context
        self.isServer = isServer
    }

    deinit { unsafe SSL_CTX_free(handle) }

    /// A server's side: the certificate with its chain, leaf first, and its key, both in PEM files.
    public static func server(certificate: String, key: String) throws(TLSError) -> TLSContext {
        let context = TLSContext(isServer: true)
        ERR_clear_error()
        guard unsafe SSL_CTX_use_certificate_chain_file(context.handle, certificate) == 1 else {
            throw .unusableFile(path: certificate, reason: TLSError.takeReason())
        }
        // Against a certificate that is already there, OpenSSL compares the key at once.
        guard unsafe SSL_CTX_use_PrivateKey_file(context.handle, key, SSL_FILETYPE_PEM) == 1 else {
            let isMismatch = ERR_peek_last_error() & 0x7f_ffff == UInt(X509_R_KEY_VALUES_MISMATCH)
            let reason = TLSError.takeReason()
            throw isMismatch ? .keyMismatch : .unusableFile(path: key, reason: reason)
        }
        return context
    }

    /// A client's side, which trusts the certificates of this PEM file and no others.
    public static func client(trusting certificates: String) throws(TLSError) -> TLSContext {
        let context = TLSContext(isServer: false)
        ERR_clear_error()
        guard unsafe SSL_CTX_load_verify_locations(context.handle, certificates, nil) == 1 else {
            throw .unusableFile(path: certificates, reason: TLSError.takeReason())
        }
        unsafe SSL_CTX_set_verify(context.handle, SSL_VERIFY_PEER, nil)
        return context
    }
}
