/// A place where an extension can be reached for a while: the binding of RFC 3261 §10, with the route to it (RFC 3327).
struct Binding: Sendable, Equatable, Codable {
    /// The Contact URI as the phone wrote it.
    var contact: String
    /// The Path URIs, topmost first: the Route of a request to this contact.
    var path: [String]
    /// 0 to 1; higher is tried first.
    var q: Double
    /// In milliseconds of Unix time, since it outlives the process.
    var expiresAt: Int64
    /// Of the REGISTER that made or refreshed it (§10.3 step 7).
    var callID: String
    var cseq: UInt32
    /// `+sip.instance` and `reg-id` of RFC 5626 §4.
    var instanceID: String?
    var regID: Int?
    var userAgent: String?

    /// Seconds until it ends, at least 1 while it lasts.
    func remaining(now: Int64) -> Int { max(1, Int((expiresAt - now + 999) / 1_000)) }
}
