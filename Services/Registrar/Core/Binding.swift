/// A place where an extension can be reached for a while: the binding of RFC 3261 §10, with the route to it (RFC 3327).
struct Binding: Sendable, Equatable, Codable {
    /// The Contact URI as the phone wrote it.
    var contact: String
    /// The Path URIs, topmost first: the Route of a request to this contact.
    var path: [String]
    /// Higher is tried first.
    var q: QualityValue
    /// In milliseconds of Unix time, since it outlives the process.
    var expiresAt: Int64
    /// Of the REGISTER that made or refreshed it (§10.3 step 7).
    var callID: String
    var cseq: UInt32
    /// `+sip.instance` and `reg-id` of RFC 5626 §4.
    var instanceID: String?
    var regID: Int?
    var userAgent: String?
    /// When it was made and when a REGISTER last renewed it, in milliseconds of Unix time.
    var registeredAt: Int64
    var refreshedAt: Int64
    /// Since when its instance has been registered with this Call-ID: names the temporary GRUUs that hold (RFC 5627 §5.1). Only
    /// with an instance.
    var generation: Int64?
    /// It did not answer the last OPTIONS.
    var isUnreachable = false

    /// What a REGISTER finds it by: instance and reg-id where both are used (RFC 5626 §6), else the Contact URI.
    var key: String {
        guard let instanceID, let regID else { return contact }
        return "\(regID);\(instanceID)"
    }

    /// False for a telephone number or an e-mail address: it is told, and nobody is called there (§10.2.1, RFC 3665 §2.2).
    var isSIP: Bool { contact.hasPrefix("sip:") || contact.hasPrefix("sips:") }

    /// Seconds until it ends, at least 1 while it lasts.
    func remaining(now: Int64) -> Int { max(1, Int((expiresAt - now + 999) / 1_000)) }
}
