internal import COpenSSL

/// One TLS connection without a socket: bytes from the peer in, plaintext and bytes for the peer out (RFC 5246, RFC 8446).
///
/// Owned by one thread. How long a handshake may take is for the owner of the stream to bound. While nothing is under way it
/// holds no memory but what OpenSSL keeps of a session.
@safe public final class TLSSession {
    /// What bytes from the peer have brought about.
    public struct Output: Sendable {
        public var plaintext: [UInt8] = []
        /// To be sent to the peer, also when `failure` is set: it carries the alert.
        public var ciphertext: [UInt8] = []
        /// The peer has said that it sends no more.
        public var isClosed = false
        public var failure: TLSError?

        public init() {}
    }

    private enum State { case handshaking, open, ended }

    private let handle: OpaquePointer
    /// Between OpenSSL and us; the handle owns it.
    private let wire: UnsafeMutablePointer<tandem_wire>
    private var state = State.handshaking
    /// Chooses certificates during the handshake.
    private var context: TLSContext?
    /// Whose certificate the peer has shown, when we asked for one and somebody we trust vouches for it.
    public private(set) var verifiedNames: [String] = []

    /// A TLS record holds so much plaintext at most.
    private static let recordLength = 16 * 1024
    private static let wireMethod = Method()

    @safe private struct Method: @unchecked Sendable {
        // Sendable: made once, never changed.
        let handle: OpaquePointer

        init() {
            guard let method = unsafe tandem_wire_method() else { preconditionFailure("out of memory") }
            unsafe handle = method
        }
    }

    /// `address` or `serverName` is what the certificate of a server must be for; without both a client checks only who signed.
    /// The name is also told to the server (RFC 6066 §3).
    public init(_ context: TLSContext, address: String? = nil, serverName: String? = nil) {
        guard let session = unsafe SSL_new(context.handle),
            let wire = unsafe tandem_wire_attach(session, Self.wireMethod.handle)
        else { preconditionFailure("out of memory") }
        if context.isServer {
            unsafe SSL_set_accept_state(session)
        } else {
            unsafe SSL_set_connect_state(session)
            if let address {
                let isSet = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), address) == 1
                precondition(isSet, "the address of a peer is an IP address")
            }
            if let serverName {
                let isSet = unsafe tandem_tls_name_server(session, serverName) == 1
                precondition(isSet, "the name of a server is a host name")
            }
        }
        unsafe (handle, self.wire, self.context) = (session, wire, context)
    }

    deinit { unsafe SSL_free(handle) }

    public var isOpen: Bool { state == .open }

    /// Whether the handshake went on from an earlier session, without certificates and the work they take.
    public var isResumed: Bool { unsafe SSL_session_reused(handle) == 1 }

    /// The first bytes of a client; a server begins with `receive`.
    public func start() -> Output { receive([]) }

    /// Any number of bytes, cut anywhere.
    public func receive(_ bytes: [UInt8]) -> Output {
        var output = Output()
        guard state != .ended else {
            output.failure = .ended
            return output
        }
        ERR_clear_error()
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe (wire.pointee.incoming, wire.pointee.incoming_length) = (buffer.baseAddress, buffer.count)
            if state == .handshaking { shakeHands(&output) }
            if state == .open { read(&output) }
            // OpenSSL takes all it is given, unless the session is over.
            unsafe (wire.pointee.incoming, wire.pointee.incoming_length) = (nil, 0)
        }
        output.ciphertext = takeCiphertext()
        return output
    }

    /// The bytes that carry `plaintext` to the peer; only after the handshake.
    public func send(_ plaintext: [UInt8]) throws(TLSError) -> [UInt8] {
        guard state == .open else { throw .ended }
        guard !plaintext.isEmpty else { return [] }
        ERR_clear_error()
        guard unsafe SSL_write(handle, plaintext, Int32(plaintext.count)) == Int32(plaintext.count) else {
            state = .ended
            throw .failed(reason: TLSError.takeReason())
        }
        return takeCiphertext()
    }

    /// Says that no more is sent.
    public func close() -> [UInt8] {
        guard state == .open else { return [] }
        state = .ended
        ERR_clear_error()
        _ = unsafe SSL_shutdown(handle)
        return takeCiphertext()
    }

    private func shakeHands(_ output: inout Output) {
        let result = unsafe SSL_do_handshake(handle)
        guard result == 1 else { return judge(result, &output) }
        (state, context) = (.open, nil)
        verifiedNames = findVerifiedNames()
    }

    private func read(_ output: inout Output) {
        var record: [UInt8] = []
        while true {
            if record.isEmpty { record = [UInt8](repeating: 0, count: Self.recordLength) }
            let count = unsafe SSL_read(handle, &record, Int32(record.count))
            guard count > 0 else { return judge(count, &output) }
            output.plaintext += record[..<Int(count)]
        }
    }

    /// Wanting more bytes is no failure.
    private func judge(_ result: Int32, _ output: inout Output) {
        switch unsafe SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break
        case SSL_ERROR_ZERO_RETURN: output.isClosed = true
        default:
            let isUntrusted =
                unsafe SSL_get_verify_result(handle) != X509_V_OK
                || ERR_peek_last_error() & 0x7f_ffff == UInt(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
            let reason = TLSError.takeReason()
            output.failure = state == .handshaking && isUntrusted ? .untrusted(reason: reason) : .failed(reason: reason)
            (state, context) = (.ended, nil)
        }
    }

    private func takeCiphertext() -> [UInt8] {
        guard let outgoing = unsafe wire.pointee.outgoing else { return [] }
        let bytes = unsafe Array(UnsafeBufferPointer(start: outgoing, count: wire.pointee.outgoing_length))
        unsafe tandem_wire_emptied(wire)
        return bytes
    }

    /// RFC 5922 §7.1: the domains of `sip:` URIs; without any, the DNS names; without those, the common name.
    private func findVerifiedNames() -> [String] {
        guard unsafe SSL_get_verify_result(handle) == X509_V_OK, let certificate = unsafe SSL_get0_peer_certificate(handle) else {
            return []
        }
        let uris = unsafe names(of: certificate, GEN_URI).compactMap(Self.domain(ofURI:))
        guard uris.isEmpty else { return uris }
        let domains = unsafe names(of: certificate, GEN_DNS)
        return unsafe domains.isEmpty ? names(of: certificate, nil) : domains
    }

    /// Of a kind of alternative names, or (nil) the common name; in lower case.
    private func names(of certificate: OpaquePointer, _ kind: Int32?) -> [String] {
        var names: [String] = []
        var buffer = [CChar](repeating: 0, count: 256)
        var (place, more) = (Int32(0), Int32(1))
        while more != 0 {
            let length = unsafe tandem_x509_name(
                certificate, kind ?? -1, place, &buffer, Int32(buffer.count), &more)
            if length > 0, let name = String(validating: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
                names.append(name.lowercased())
            }
            place += 1
        }
        return names
    }

    /// A URI with a user names somebody, not a domain.
    private static func domain(ofURI text: String) -> String? {
        guard text.hasPrefix("sip:"), !text.contains("@") else { return nil }
        let domain = text.dropFirst(4).prefix { $0 != ";" && $0 != "?" && $0 != ":" }
        return domain.isEmpty ? nil : String(domain)
    }
}
