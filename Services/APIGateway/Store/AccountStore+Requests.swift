import Cryptography
import Database

/// What POSTs with an idempotency key came to.
extension AccountStore {
    /// Enters the request under its key, or says what the key stands for already.
    func begin(
        _ key: String, of owner: String, fingerprint: [UInt8], seed: IdentifierSeed
    ) async throws -> Idempotency.Decision {
        let sealingKey = sealingKey
        // Durable: the seed must outlive whatever is done with it.
        return try await database.transaction(.durable) { connection in
            let entered = try connection.change(
                """
                insert into accounts.requests (owner, key, fingerprint, seed, locked_until)
                values ($1, $2, $3, $4, now() + make_interval(secs => $5)) on conflict do nothing
                """, [.text(owner), .text(key), .bytes(fingerprint), .bytes(seed.bytes), .int(Idempotency.lockSeconds)])
            if entered > 0 { return .perform(seed) }
            let rows = try connection.query(
                """
                select fingerprint, seed, status, location, body, locked_until > now() as is_locked
                from accounts.requests where owner = $1 and key = $2 for update
                """, [.text(owner), .text(key)])
            // It was forgotten between the two statements.
            guard let row = rows.first else { return .perform(seed) }
            let record = try Self.record(row, owner: owner, key: key, sealingKey: sealingKey)
            let decision = Idempotency.decide(record, fingerprint: fingerprint)
            if case .perform = decision {
                try connection.change(
                    "update accounts.requests set locked_until = now() + make_interval(secs => $3) where owner = $1 and key = $2",
                    [.text(owner), .text(key), .int(Idempotency.lockSeconds)])
            }
            return decision
        }
    }

    private static func record(_ row: Row, owner: String, key: String, sealingKey: [UInt8]) throws -> Idempotency.Record {
        guard let seed = IdentifierSeed(try row.bytes("seed")) else { throw DatabaseError.unexpectedResult("a seed has 24 bytes") }
        var response: Idempotency.StoredResponse?
        if let status = try row.optionalInt("status") {
            let body = try SealedBox.open(try row.bytes("body"), key: sealingKey, context: Array("\(owner)/\(key)".utf8))
            response = .init(status: Int(status), location: try row.optionalText("location"), body: body)
        }
        return Idempotency.Record(
            fingerprint: try row.bytes("fingerprint"), seed: seed, response: response, isLocked: try row.bool("is_locked"))
    }

    func settle(_ key: String, of owner: String, as settlement: Idempotency.Settlement, with response: APIResponse) async throws {
        switch settlement {
        case .keep:
            let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0...255) }
            let body = try SealedBox.seal(response.body, key: sealingKey, nonce: nonce, context: Array("\(owner)/\(key)".utf8))
            _ = try await database.transaction(.relaxed) { connection in
                try connection.change(
                    "update accounts.requests set status = $3, location = $4, body = $5 where owner = $1 and key = $2",
                    [.text(owner), .text(key), .int(response.status), .optional(response.location), .bytes(body)])
            }
        case .release:
            _ = try await database.transaction(.relaxed) { connection in
                try connection.change(
                    "update accounts.requests set locked_until = now() where owner = $1 and key = $2", [.text(owner), .text(key)])
            }
        case .forget:
            _ = try await database.transaction(.relaxed) { connection in
                try connection.change("delete from accounts.requests where owner = $1 and key = $2", [.text(owner), .text(key)])
            }
        }
    }

    func sweepRequests(olderThanHours hours: Int) async throws {
        _ = try await database.transaction(.relaxed) { connection in
            try connection.change(
                """
                delete from accounts.requests where (owner, key) in (select owner, key from accounts.requests
                where created_at < now() - make_interval(hours => $1) limit 5000)
                """, [.int(hours)])
        }
    }
}
