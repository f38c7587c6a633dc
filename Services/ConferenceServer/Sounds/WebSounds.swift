import Deadlines
import Telemetry

/// What web servers have, fetched when it is not here or no longer good (RFC 9111 §4).
struct WebSounds: Sendable {
    typealias Fetch = @Sendable (String, Validators) async throws(SoundProblem) -> WebAnswer

    private static let hits = Counter("tandem_room_sound_copies_used_total", "Fetched sounds that were there already.")
    private static let fetched = Counter("tandem_room_sounds_fetched_total", "Sounds that web servers sent.")
    private static let confirmed = Counter("tandem_room_sounds_confirmed_total", "Copies that a web server said are still good.")
    private static let stale = Counter("tandem_room_sounds_stale_total", "Old copies used because their server was away.")

    let fetch: Fetch
    /// Nil: nothing is kept on disk.
    let cache: DiskCache?
    let threads: BlockingThreads
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    /// The bytes, and for how many seconds they are good.
    func bytes(of url: String) async throws(SoundProblem) -> (bytes: [UInt8], lifetime: Int) {
        let copy = try await find(url)
        if let copy, copy.freshUntil > now() {
            Self.hits.add()
            return (copy.bytes, copy.freshUntil - now())
        }
        let answer: WebAnswer
        do throws(SoundProblem) {
            answer = try await fetch(url, copy?.validators ?? Validators())
        } catch {
            guard let copy, copy.staleUntil > now() else { throw error }
            Self.stale.add()
            return (copy.bytes, 0)
        }
        switch answer {
        case .body(let bytes, let headers):
            Self.fetched.add()
            return try await keep(bytes, headers, Validators(), url)
        case .unchanged(let headers):
            guard let copy else { throw SoundProblem("the server says that nothing has changed, and there was nothing") }
            Self.confirmed.add()
            return try await keep(copy.bytes, headers, copy.validators, url)
        }
    }

    private func find(_ url: String) async throws(SoundProblem) -> DiskCache.Copy? {
        guard let cache else { return nil }
        return try await threads.run { () throws(SoundProblem) in cache.find(url) }
    }

    /// A 304 may leave out what has not changed (RFC 9111 §3.2).
    private func keep(
        _ bytes: [UInt8], _ headers: WebHeaders, _ earlier: Validators, _ url: String
    ) async throws(SoundProblem) -> (bytes: [UInt8], lifetime: Int) {
        let freshness = Freshness(headers)
        guard freshness.isStorable else { return (bytes, 0) }
        guard let cache else { return (bytes, freshness.lifetime) }
        let freshUntil = now() + freshness.lifetime
        let copy = DiskCache.Copy(
            key: url,
            validators: Validators(
                etag: headers["etag"] ?? earlier.etag, lastModified: headers["last-modified"] ?? earlier.lastModified),
            freshUntil: freshUntil, staleUntil: freshUntil + (freshness.mayServeStale ? Freshness.whenUnreachable : 0),
            bytes: bytes)
        try await threads.run { () throws(SoundProblem) in _ = cache.keep(copy) }
        return (bytes, freshness.lifetime)
    }
}
