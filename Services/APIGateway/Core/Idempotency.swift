import Bytes
import Cryptography
import Deadlines

/// What becomes of a POST with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
///
/// A success is kept and given again. A refusal changed nothing, so its key is free again; after a failure of ours the key stays
/// bound to its request and to the ids that request makes, so that trying again completes what may be half done.
enum Idempotency {
    /// How long a success is given again.
    static let retentionHours = 24
    /// A request that has not finished by then died with its process.
    static let lockSeconds = 30

    /// What is stored under a key.
    struct Record: Sendable, Equatable {
        var fingerprint: [UInt8]
        var seed: IdentifierSeed
        /// Nil while it is performed or after it failed.
        var response: StoredResponse?
        /// Whether somebody performs it right now.
        var isLocked: Bool
    }

    struct StoredResponse: Sendable, Equatable {
        var status: Int
        var location: String?
        var body: [UInt8]
    }

    enum Decision: Sendable, Equatable {
        case perform(IdentifierSeed)
        case repeatResponse(StoredResponse)
        case refuse(ProblemDocument)
    }

    static func decide(_ record: Record, fingerprint: [UInt8]) -> Decision {
        guard equalInConstantTime(record.fingerprint, fingerprint) else {
            return .refuse(ProblemDocument(
                422, "idempotency_key_reused", "The idempotency key was used for another request",
                "Use a new `Idempotency-Key` for a new request."))
        }
        if let response = record.response { return .repeatResponse(response) }
        if record.isLocked {
            return .refuse(ProblemDocument(
                409, "idempotency_in_progress", "The request is being performed",
                "The first request with this key has not finished; try again.", retryAfter: 1))
        }
        return .perform(record.seed)
    }

    enum Settlement: Sendable, Equatable { case keep, release, forget }

    /// What to do with the record once the request has been answered with this status.
    static func settle(status: Int) -> Settlement {
        switch status {
        case 200..<300: .keep
        case 500...: .release
        default: .forget
        }
    }

    /// What makes two requests the same one: method, path and body.
    static func fingerprint(method: String, path: String, body: [UInt8]) -> [UInt8] {
        DigestAlgorithm.sha256.hash(Array("\(method) \(path)\n".utf8) + body)
    }

    /// 1 to 255 visible ASCII characters.
    static func isKey(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
