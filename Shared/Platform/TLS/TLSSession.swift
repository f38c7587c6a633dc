internal import COpenSSL

/// One TLS connection without a socket: bytes from the peer in, plaintext and bytes for the peer out (RFC 5246, RFC 8446).
///
/// Owned by one thread. How long a handshake may take is for the owner of the stream to bound.
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
    /// Memory that OpenSSL reads from and writes to; the handle owns both.
    private let fromPeer: OpaquePointer
    private let toPeer: OpaquePointer
    private var state = State.handshaking

    /// A TLS record holds so much plaintext at most.
    private static let recordLength = 16 * 1024

    /// `address` is what the certificate of a server must be for; without it a client checks only who signed.
    public init(_ context: TLSContext, address: String? = nil) {
        guard let session = unsafe SSL_new(context.handle), let incoming = unsafe BIO_new(BIO_s_mem()),
            let outgoing = unsafe BIO_new(BIO_s_mem())
        else { preconditionFailure("out of memory") }
        unsafe SSL_set_bio(session, incoming, outgoing)
        if context.isServer {
            unsafe SSL_set_accept_state(session)
        } else {
            unsafe SSL_set_connect_state(session)
            if let address {
                let isSet = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), address) == 1
                precondition(isSet, "the address of a peer is an IP address")
            }
        }
        unsafe (handle, fromPeer, toPeer) = (session, incoming, outgoing)
    }

    deinit { unsafe SSL_free(handle) }

    public var isOpen: Bool { state == .open }

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
        if !bytes.isEmpty {
            let written = unsafe BIO_write(fromPeer, bytes, Int32(bytes.count))
            precondition(Int(written) == bytes.count, "memory takes all")
        }
        if state == .handshaking { shakeHands(&output) }
        if state == .open { read(&output) }
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
        if result == 1 { state = .open } else { judge(result, &output) }
    }

    private func read(_ output: inout Output) {
        var record = [UInt8](repeating: 0, count: Self.recordLength)
        while true {
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
            state = .ended
            output.failure = .failed(reason: TLSError.takeReason())
        }
    }

    private func takeCiphertext() -> [UInt8] {
        let waiting = unsafe BIO_ctrl_pending(toPeer)
        guard waiting > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: waiting)
        let read = unsafe BIO_read(toPeer, &bytes, Int32(waiting))
        precondition(Int(read) == waiting, "memory gives all it has")
        return bytes
    }
}
