import Deadlines

/// A token bucket per name: `rate` requests a second with bursts up to `burst`.
struct TokenBuckets: Sendable {
    enum Verdict: Sendable, Equatable {
        case allowed(remaining: Int)
        /// Whole seconds until one more request passes.
        case limited(retryAfter: Int)
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
        let passes = bucket.tokens >= 1
        if passes { bucket.tokens -= 1 }
        if buckets[name] == nil, buckets.count >= mostNames { forgetFull(now: now) }
        buckets[name] = bucket
        return passes
            ? .allowed(remaining: Int(bucket.tokens)) : .limited(retryAfter: max(1, Int(((1 - bucket.tokens) / rate).rounded(.up))))
    }

    /// A bucket that has filled up again says nothing more than no bucket; if all are in use the oldest knowledge goes.
    private mutating func forgetFull(now: Instant) {
        buckets = buckets.filter { $0.value.tokens + (now - $0.value.filledAt).seconds * rate < burst }
        if buckets.count >= mostNames { buckets.removeAll(keepingCapacity: true) }
    }
}
