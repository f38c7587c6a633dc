/// The RTP profiles of an `m=` line (RFC 3551, 3711, 4585, 5124, 5764).
public enum Profile: String, Hashable, Sendable, Codable, CaseIterable {
    case audioVideo = "RTP/AVP"
    case feedback = "RTP/AVPF"
    case secure = "RTP/SAVP"
    case secureFeedback = "RTP/SAVPF"
    case handshake = "UDP/TLS/RTP/SAVP"
    case handshakeFeedback = "UDP/TLS/RTP/SAVPF"

    public var hasFeedback: Bool { self == .feedback || self == .secureFeedback || self == .handshakeFeedback }
    public var isPlain: Bool { self == .audioVideo || self == .feedback }

    /// The profile an offer names for this kind of protection.
    public init(_ kind: SecurityKind, feedback: Bool) {
        self =
            switch kind {
            case .none: feedback ? .feedback : .audioVideo
            case .sdes: feedback ? .secureFeedback : .secure
            case .dtls: feedback ? .handshakeFeedback : .handshake
            }
    }
}
