import Contracts
import Logging

/// The end of the event log, read once for all streams of this instance.
///
/// A stream asks for what lies behind its cursor; what is no longer in memory is read from the log. So a slow stream costs no
/// memory, and one that resumes misses nothing.
actor EventFeed {
    struct Batch: Sendable {
        var events: [LoggedEvent]
        /// Up to here everything is known.
        var upTo: Int64
    }

    private static let largestRead = 500
    private static let mostInMemory = 2_000

    private let store: AccountStore
    private let logger: Logger
    nonisolated let streams: StreamCount
    /// The newest events, with every one behind `floor` among them.
    private var recent: [LoggedEvent] = []
    private var floor: Int64?
    private var position: Int64 = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var isReading = false
    private var isClosed = false

    init(store: AccountStore, mostStreams: Int, logger: Logger) {
        (self.store, self.logger, streams) = (store, logger, StreamCount(limit: mostStreams))
    }

    nonisolated var hasRoom: Bool { streams.hasRoom }

    /// Looks for new events; called when one was stored, and every second in case that call was lost. Nobody reads what no stream wants.
    func poke() async {
        guard !isReading, !isClosed else { return }
        guard !streams.isZero else {
            (floor, recent) = (nil, [])
            return
        }
        isReading = true
        defer { isReading = false }
        do {
            if floor == nil {
                position = try await store.lastEvent()
                floor = position
            }
            while !isClosed {
                let new = try await store.events(EventFilter(customerID: nil), after: position, limit: Self.largestRead)
                recent += new
                if let last = new.last { position = last.cursor }
                if recent.count > Self.mostInMemory {
                    let excess = recent.count - Self.mostInMemory
                    floor = recent[excess - 1].cursor
                    recent.removeFirst(excess)
                }
                if new.count < Self.largestRead { break }
            }
        } catch {
            logger.debug("the event log cannot be read: \(error)")
        }
        // Also without news: whoever waits looks whether it is still wanted.
        wake()
    }

    /// What a stream has not seen yet, perhaps nothing; nil when it is to end.
    func next(_ subscription: EventSubscription) async throws -> Batch? {
        if floor == nil { await poke() }
        if let batch = try await unseen(subscription) { return batch }
        if isClosed { return nil }
        await withCheckedContinuation { waiters.append($0) }
        if isClosed { return nil }
        return Batch(events: [], upTo: subscription.after)
    }

    func close() {
        isClosed = true
        wake()
    }

    private func unseen(_ subscription: EventSubscription) async throws -> Batch? {
        guard !isClosed, let floor else { return nil }
        if subscription.after >= floor {
            guard subscription.after < position else { return nil }
            let start = recent.firstIndex { $0.cursor > subscription.after } ?? recent.endIndex
            return Batch(events: recent[start...].filter { subscription.filter.matches($0.event) }, upTo: position)
        }
        // Everything up to here is in the log already, so a page that is not full has been read to here.
        let known = position
        let events = try await store.events(subscription.filter, after: subscription.after, limit: Self.largestRead)
        let last = events.last?.cursor ?? subscription.after
        return Batch(events: events, upTo: events.count < Self.largestRead ? max(known, last) : last)
    }

    private func wake() {
        let woken = waiters
        waiters = []
        for waiter in woken { waiter.resume() }
    }
}
