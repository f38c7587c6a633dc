import Deadlines

/// A token bucket per name: `rate` requests a second with bursts up to `burst`.
struct TokenBuckets: Sendable {
    /// Whether a request passes, and what is left for those that follow.
    struct Verdict: Sendable, Equatable {
        let isAllowed: Bool
        /// Requests at once.
        let limit: Int
        let remaining: Int
        /// Whole seconds until all of the limit is there again; where the request does not pass, until one does.
        let reset: Int

        /// As clients know them (draft-ietf-httpapi-ratelimit-headers-03).
        var fields: [String: String] {
            ["ratelimit-limit": String(limit), "ratelimit-remaining": String(remaining), "ratelimit-reset": String(reset)]
        }
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: Instant
    }

    let rate: Double
    let burst: Double
    private let mostNames: Int
    private var buckets: [String: Bucket] = [:]

    init(rate: Int, burst: Int, mostNames: Int = 100_000) {
        (self.rate, self.burst, self.mostNames) = (Double(max(rate, 1)), Double(max(burst, 1)), mostNames)
    }

    mutating func take(_ name: String, now: Instant) -> Verdict {
        var bucket = buckets[name] ?? Bucket(tokens: burst, filledAt: now)
        bucket.tokens = min(burst, bucket.tokens + max(0, (now - bucket.filledAt).seconds) * rate)
        bucket.filledAt = now
        let isAllowed = bucket.tokens >= 1
        if isAllowed { bucket.tokens -= 1 }
        if buckets[name] == nil, buckets.count >= mostNames { forgetFull(now: now) }
        buckets[name] = bucket
        let lacking = (isAllowed ? burst : 1) - bucket.tokens
        return Verdict(
            isAllowed: isAllowed, limit: Int(burst), remaining: isAllowed ? Int(bucket.tokens) : 0,
            reset: max(1, Int((lacking / rate).rounded(.up))))
    }

    /// A bucket that has filled up again says nothing more than no bucket; if all are in use the oldest knowledge goes.
    private mutating func forgetFull(now: Instant) {
        buckets = buckets.filter { $0.value.tokens + (now - $0.value.filledAt).seconds * rate < burst }
        if buckets.count >= mostNames { buckets.removeAll(keepingCapacity: true) }
    }
}
