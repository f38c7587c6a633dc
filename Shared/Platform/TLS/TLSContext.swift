internal import COpenSSL

/// What sessions are made from: the certificates and keys of a server, or what a client trusts. TLS 1.2 or newer.
///
/// A server changes certificates by using another context for new sessions; those that are open keep theirs.
@safe public final class TLSContext: @unchecked Sendable {
    // Sendable: nothing is changed after init, and OpenSSL counts references to a context atomically.

    /// Two PEM files: a certificate with its chain, leaf first, and its key.
    public struct Identity: Hashable, Sendable {
        public let certificate: String
        public let key: String

        public init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }
    }

    /// Whether a client has to say who it is, and who vouches for it.
    public enum ClientCertificates: Hashable, Sendable {
        case notAsked
        /// By this PEM file; one that nobody there vouches for ends the handshake, none at all is fine.
        case optional(authorities: String)
        case required(authorities: String)
    }

    let handle: OpaquePointer
    let isServer: Bool
    /// For further certificates, by the name that a client asks for.
    private var others: [TLSContext] = []
    private var choice: UnsafeMutablePointer<tandem_tls_contexts>?

    /// With forward secrecy and authenticated encryption only; what TLS 1.3 brings is so anyway (RFC 9325 §4.2).
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

    private init(isServer: Bool) {
        unsafe handle = Self.makeHandle(isServer: isServer)
        self.isServer = isServer
    }

    private static func makeHandle(isServer: Bool) -> OpaquePointer {
        guard let context = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            preconditionFailure("out of memory")
        }
        let isSet = unsafe tandem_tls_require_1_2(context) == 1 && SSL_CTX_set_cipher_list(context, ciphers) == 1
        precondition(isSet, "OpenSSL knows this version and these ciphers")
        unsafe tandem_tls_harden(context)
        unsafe SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }  // a locked key is an error, no question at the terminal
        return unsafe context
    }

    deinit {
        unsafe SSL_CTX_free(handle)
        unsafe tandem_tls_contexts_free(choice)
    }

    /// A server's side. Of several identities the client gets the one that is for the name it asks for (RFC 6066 §3), and the
    /// first when it asks for none of them.
    public static func server(
        _ identities: [Identity], clients: ClientCertificates = .notAsked
    ) throws(TLSError) -> TLSContext {
        precondition(!identities.isEmpty, "a server has a certificate")
        let context = TLSContext(isServer: true)
        for (index, identity) in identities.enumerated() {
            if index > 0 { context.others.append(TLSContext(isServer: true)) }
            try (context.others.last ?? context).use(identity)
        }
        context.chooseByName()
        // A session that changes to another context looks for authorities there.
        for chosen in [context] + context.others { try chosen.ask(clients) }
        return context
    }

    public static func server(certificate: String, key: String) throws(TLSError) -> TLSContext {
        try server([Identity(certificate: certificate, key: key)])
    }

    /// A client's side, which trusts the certificates of this PEM file and no others, and says who it is when it is asked.
    public static func client(trusting certificates: String, as identity: Identity? = nil) throws(TLSError) -> TLSContext {
        let context = TLSContext(isServer: false)
        ERR_clear_error()
        guard unsafe SSL_CTX_load_verify_locations(context.handle, certificates, nil) == 1 else {
            throw .unusableFile(path: certificates, reason: TLSError.takeReason())
        }
        unsafe SSL_CTX_set_verify(context.handle, SSL_VERIFY_PEER, nil)
        if let identity { try context.use(identity) }
        return context
    }

    private func use(_ identity: Identity) throws(TLSError) {
        ERR_clear_error()
        guard unsafe SSL_CTX_use_certificate_chain_file(handle, identity.certificate) == 1 else {
            throw .unusableFile(path: identity.certificate, reason: TLSError.takeReason())
        }
        // Against a certificate that is already there, OpenSSL compares the key at once.
        guard unsafe SSL_CTX_use_PrivateKey_file(handle, identity.key, SSL_FILETYPE_PEM) == 1 else {
            let isMismatch = ERR_peek_last_error() & 0x7f_ffff == UInt(X509_R_KEY_VALUES_MISMATCH)
            let reason = TLSError.takeReason()
            throw isMismatch ? .keyMismatch : .unusableFile(path: identity.key, reason: reason)
        }
    }

    private func chooseByName() {
        guard !others.isEmpty else { return }
        guard let table = unsafe tandem_tls_contexts_create(Int32(others.count + 1)) else { preconditionFailure("out of memory") }
        unsafe tandem_tls_contexts_set(table, 0, handle)
        for (index, other) in others.enumerated() { unsafe tandem_tls_contexts_set(table, Int32(index + 1), other.handle) }
        unsafe tandem_tls_choose_by_name(handle, table)
        unsafe choice = table
    }

    private func ask(_ clients: ClientCertificates) throws(TLSError) {
        let (authorities, mode): (String, Int32)
        switch clients {
        case .notAsked: return
        case .optional(let file): (authorities, mode) = (file, SSL_VERIFY_PEER)
        case .required(let file): (authorities, mode) = (file, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        }
        ERR_clear_error()
        // The names tell a client which of its certificates would do.
        guard unsafe SSL_CTX_load_verify_locations(handle, authorities, nil) == 1,
            let names = unsafe SSL_load_client_CA_file(authorities)
        else { throw .unusableFile(path: authorities, reason: TLSError.takeReason()) }
        unsafe SSL_CTX_set_client_CA_list(handle, names)
        unsafe SSL_CTX_set_verify(handle, mode, nil)
        // A session that is resumed brings its verified certificate along, but only to where it was made (SSL_CTX_set_verify(3)).
        let isSet = unsafe SSL_CTX_set_session_id_context(handle, Array("tandem".utf8), 6) == 1
        precondition(isSet, "six bytes are short enough")
    }
}
