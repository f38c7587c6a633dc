/// Why bytes are no STUN message that can be read (RFC 8489 §6.3).
public enum ParseError: Error, Hashable, Sendable, CaseIterable {
    /// The first bits, the magic cookie or the length say that this is something else.
    case notSTUN
    /// An attribute is longer than the message.
    case truncated
    /// A known attribute has a length or content it cannot have.
    case badAttribute
    case tooManyAttributes
    /// The checksum does not fit, or something stands behind it.
    case badFingerprint
}
