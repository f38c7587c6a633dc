/// Who chooses the pair to use (RFC 8445 §6.1.1).
public enum Role: String, Hashable, Sendable, Codable {
    case controlling, controlled

    public var other: Role { self == .controlling ? .controlled : .controlling }
}

/// Whether the agent makes checks itself, or only answers those of others (RFC 8445 §2.5).
public enum Mode: String, Hashable, Sendable, Codable {
    case full, lite
}
