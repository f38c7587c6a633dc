import SIP

/// Whatever sends a request and hears how it ended: the registrar's SIP side, or a test's.
protocol RequestSending: Sendable {
    /// Where it listens.
    var contact: URI { get }
    /// The final status, 408 when nobody answers, 503 when it cannot be sent; nil when this instance stops before that is known.
    func send(_ request: RequestBuilder) async -> Int?
}
