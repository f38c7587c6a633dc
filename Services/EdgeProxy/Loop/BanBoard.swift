import Addresses
import Deadlines
import Logging
import Synchronization
import Telemetry
import Threads

/// What one loop or one edge finds out about a source, all are told.
final class BanBoard: Sendable {
    enum News: Sendable {
        case banned(Ban)
        /// Somebody has authenticated from there; the loops of one edge tell each other, since the phones of an office come to all.
        case vouched(for: IPAddress)
    }

    private struct Entry {
        let until: Instant
        let count: Int
        /// Whether it began here: only then is it ours to tell the others.
        let isOwn: Bool
    }

    private struct State {
        var entries: [IPAddress: Entry] = [:]
        var listeners: [@Sendable (News) -> Void] = []
    }

    static let inForce = Gauge("tandem_edge_bans", "sources that are banned now")
    /// A ban that finds the board full holds in the loops, and is told, but not told again.
    private static let capacity = 16_384

    private let state = Mutex(State())
    private let logger: Logger
    /// Nil: there are no other edges.
    private let stream: BanStream?

    init(stream: BanStream?, logger: Logger) {
        (self.stream, self.logger) = (stream, logger)
        stream?.onReturn { [weak self] in self?.publishOwn() }
    }

    /// `body` is called with each piece of news, on any thread.
    func listen(_ body: @escaping @Sendable (News) -> Void) { state.withLock { $0.listeners.append(body) } }

    /// A loop has banned somebody.
    func began(_ ban: Ban, for offence: Offence) {
        logger.info(
            "a source is banned",
            metadata: [
                "source": "\(ban.block)", "for": "\(offence)", "seconds": "\(Int(ban.length.seconds))", "count": "\(ban.count)",
            ])
        note(ban, isOwn: true)
        stream?.publish(ban)
    }

    func vouched(for block: IPAddress) {
        for listener in state.withLock({ $0.listeners }) { listener(.vouched(for: block)) }
    }

    /// Until cancelled: hears of the others' bans, those before this edge began included, and forgets what is over.
    func run() async {
        while !Task.isCancelled {
            for ban in await stream?.read() ?? [] { note(ban, isOwn: false) }
            forgetEnded()
            // Throws only when the task is cancelled, which ends the loop.
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    private func note(_ ban: Ban, isOwn: Bool) {
        let until = MonotonicClock.now() + ban.length
        let listeners = state.withLock { state in
            let known = state.entries[ban.block]
            if state.entries.count < Self.capacity || known != nil, known.map({ $0.until < until }) ?? true {
                // Our own come back to us from the stream.
                state.entries[ban.block] = Entry(until: until, count: ban.count, isOwn: isOwn || known?.isOwn == true)
            }
            Self.inForce.set(state.entries.count)
            return state.listeners
        }
        for listener in listeners { listener(.banned(ban)) }
    }

    private func forgetEnded() {
        let now = MonotonicClock.now()
        state.withLock { state in
            guard state.entries.contains(where: { $0.value.until <= now }) else { return }
            state.entries = state.entries.filter { $0.value.until > now }
            Self.inForce.set(state.entries.count)
        }
    }

    /// Redis may have come back empty.
    private func publishOwn() {
        let now = MonotonicClock.now()
        let own = state.withLock { state in
            state.entries.compactMap { block, entry in
                entry.isOwn && entry.until > now ? Ban(block: block, length: entry.until - now, count: entry.count) : nil
            }
        }
        for ban in own { stream?.publish(ban) }
    }
}
