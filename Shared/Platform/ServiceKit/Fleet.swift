public import Contracts
public import Deadlines
internal import Bytes
internal import Synchronization
public import Threads

/// The instances of all services that are alive, as their announcements tell: a second of silence is death (DESIGN §4).
///
/// When nobody is heard, not even the process itself, the bus is away: then those who lived go on living, as calls that are up do.
/// Whoever places work reads it, from any thread.
public final class Fleet: Sendable {
    public static let silenceLimit = Interval.seconds(1)
    /// All announce themselves every 250 ms: when so long nobody has, we are deaf.
    public static let deafAfter = Interval.milliseconds(500)
    /// When we hear again, the others have so long to reconnect too.
    public static let reunion = Interval.seconds(5)

    private struct Entry {
        var announcement: Announcement
        var heardAt: Instant
    }

    private struct Heard {
        var entries: [ServiceName: [String: Entry]] = [:]
        var last = Instant(nanoseconds: 0)

        mutating func hear(_ announcement: Announcement, now: Instant) {
            if now - last > Fleet.deafAfter { extendLives(until: now + Fleet.reunion) }
            last = max(last, now)
            entries[announcement.service, default: [:]][announcement.instance] = Entry(announcement: announcement, heardAt: now)
        }

        private mutating func extendLives(until end: Instant) {
            let lastWords = last
            for service in entries.keys {
                entries[service] = entries[service]?.filter { isAlive($0.value, now: lastWords) }.mapValues { entry in
                    Entry(announcement: entry.announcement, heardAt: end + Interval(nanoseconds: -Fleet.silenceLimit.nanoseconds))
                }
            }
        }

        func isAlive(_ entry: Entry, now: Instant) -> Bool { min(now, last + Fleet.deafAfter) - entry.heardAt <= Fleet.silenceLimit }
    }

    private let heard = Mutex(Heard())

    public init() {}

    public func hear(_ announcement: Announcement, now: Instant) {
        heard.withLock { $0.hear(announcement, now: now) }
    }

    /// An instance that says it is gone is gone at once.
    public func forget(_ service: ServiceName, instance: String) {
        heard.withLock { _ = $0.entries[service]?.removeValue(forKey: instance) }
    }

    /// The living, sorted by name; the draining ones among them.
    public func living(_ service: ServiceName, now: Instant = MonotonicClock.now()) -> [Announcement] {
        heard.withLock { heard in
            (heard.entries[service] ?? [:]).values.filter { heard.isAlive($0, now: now) }.map(\.announcement)
        }.sorted { $0.instance < $1.instance }
    }

    /// Waits until an instance of each of these is heard of: who begins its work before that would refuse the first of it. They
    /// announce themselves every 250 ms; when nobody does, there is nobody, and the wait ends as well.
    public func hear(of services: [ServiceName]) async throws {
        for _ in 0..<20 {
            if services.allSatisfy({ !living($0).isEmpty }) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Whether this very instance is alive.
    public func isAlive(_ service: ServiceName, instance: String, now: Instant = MonotonicClock.now()) -> Bool {
        heard.withLock { heard in
            guard let entry = heard.entries[service]?[instance] else { return false }
            return heard.isAlive(entry, now: now)
        }
    }

    /// Whether another instance than that takes new work: then what that one leaves behind has somebody to go on with it.
    public func hasOther(_ service: ServiceName, than instance: String, now: Instant = MonotonicClock.now()) -> Bool {
        living(service, now: now).contains { $0.instance != instance && !$0.draining }
    }

    /// That instance when it takes new work and is not nearly full.
    public func roomy(_ service: ServiceName, instance: String, now: Instant = MonotonicClock.now()) -> Announcement? {
        living(service, now: now).first { $0.instance == instance && !$0.draining && $0.load < 0.9 }
    }

    /// The least loaded instance that takes new work of this pool; nil when there is none.
    ///
    /// Of instances within a twentieth of the lowest load one is taken by `spread`, so a burst between two announcements
    /// does not all land on one. `besides`: an instance that has refused.
    public func place(
        _ service: ServiceName, pool: String = "all", besides: String? = nil, spread: UInt64, now: Instant = MonotonicClock.now()
    ) -> Announcement? {
        let candidates = living(service, now: now).filter {
            !$0.draining && $0.instance != besides && ($0.pool == "all" || pool == "all" || $0.pool == pool)
        }
        guard let lowest = candidates.map(\.load).min(), lowest < 1 else { return nil }
        let light = candidates.filter { $0.load <= lowest + 0.05 }
        return light[Int(StableHash.avalanche(spread) % UInt64(light.count))]
    }
}
