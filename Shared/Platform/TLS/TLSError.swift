internal import COpenSSL

/// Why a certificate cannot be used, or a session cannot go on.
public enum TLSError: Error, Hashable, Sendable {
    /// The PEM file cannot be read, or does not hold what is expected in it.
    case unusableFile(path: String, reason: String)
    /// The private key is not that of the certificate.
    case keyMismatch
    /// The peer broke the protocol, or shares no version or cipher with us.
    case failed(reason: String)
    /// The peer's certificate is missing or nobody we trust vouches for it.
    case untrusted(reason: String)
    /// The session has ended: nothing can be sent or received any more.
    case ended

    /// What OpenSSL noted last on this thread; its queue is empty afterwards.
    static func takeReason() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "unknown reason" }
        return unsafe String(cString: text)
    }
}

extension TLSError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unusableFile(let path, let reason): "\(path) cannot be used: \(reason)"
        case .keyMismatch: "the private key does not belong to the certificate"
        case .failed(let reason): "TLS failed: \(reason)"
        case .untrusted(let reason): "the peer is not trusted: \(reason)"
        case .ended: "the TLS session has ended"
        }
    }
}
