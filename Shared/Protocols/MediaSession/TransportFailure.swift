internal import DTLS

/// Why a leg has no media: it is told to the owner of its call, whose record shows it (RELIABILITY V5).
public enum TransportFailure: String, Hashable, Sendable, Codable, CaseIterable {
    /// No check of connectivity led anywhere (RFC 8863 §4).
    case noPath = "no_path"
    /// The certificate is not the one of the description (RFC 8122 §5).
    case wrongFingerprint = "wrong_fingerprint"
    case noCommonSuite = "no_common_suite"
    case handshakeTimedOut = "handshake_timed_out"

    init(_ failure: Handshake.Failure) {
        self =
            switch failure {
            case .wrongFingerprint: .wrongFingerprint
            case .noProfile: .noCommonSuite
            case .timedOut: .handshakeTimedOut
            }
    }
}
