import Contracts
import Logging
import ServiceKit
import Synchronization
import Telemetry

/// What happened in conferences, on its way from the mixers to the event log: gathered, and written a few times a second.
///
/// The mixers never wait. What cannot be written stays and is tried again; when too much waits, who talks is told no more.
final class Minutes: Sendable {
    private static let dropped = Counter("tandem_room_news_dropped_total", "Events of conferences that were never told.")
    private static let pause = Duration.milliseconds(50)
    private static let batch = 500
    private static let limit = 20_000
    private static let talkLimit = 2_000

    private struct State {
        var news: [ConferenceNews] = []
        var rooms: Set<String> = []
        var isFailing = false
    }

    private let store: ConferenceStore
    private let outbox: Outbox
    private let logger: Logger
    private let state = Mutex(State())
    private let snapshots = Mutex<RoomSnapshots?>(nil)
    /// Rung when there is something to write.
    private let (bell, ringer) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(store: ConferenceStore, outbox: Outbox, logger: Logger) {
        (self.store, self.outbox, self.logger) = (store, outbox, logger)
    }

    /// The snapshots of the rooms something happens in; given while the service is wired.
    func write(changesTo snapshots: RoomSnapshots) { self.snapshots.withLock { $0 = snapshots } }

    /// Any thread.
    func note(_ news: ConferenceNews) {
        state.withLock { state in
            guard state.news.count < (news.kind == .talking ? Self.talkLimit : Self.limit) else {
                Self.dropped.add()
                return
            }
            state.news.append(news)
            state.rooms.insert(news.room.id)
        }
        ringer.yield()
    }

    /// Whose the rooms are is asked before anything more is said of them. Any thread.
    func noteStandstill() {
        guard let snapshots = snapshots.withLock({ $0 }) else { return }
        Task { await snapshots.renew() }
    }

    /// Any thread.
    func noteChange(of room: String) {
        state.withLock { _ = $0.rooms.insert(room) }
        ringer.yield()
    }

    /// Writes until its task is cancelled.
    func run() async {
        for await _ in bell {
            await flush()
            if state.withLock({ !$0.news.isEmpty }) { ringer.yield() }
            try? await Task.sleep(for: Self.pause)
        }
    }

    func flush() async {
        let (news, rooms) = state.withLock { state in
            let batch = Array(state.news.prefix(Self.batch))
            state.news.removeFirst(batch.count)
            return (batch, exchange(&state.rooms, with: []))
        }
        if let snapshots = snapshots.withLock({ $0 }) { for room in rooms { snapshots.note(room) } }
        guard !news.isEmpty else { return }
        do {
            try await store.record(news)
            state.withLock { $0.isFailing = false }
            outbox.wake()
        } catch {
            let isFirst = state.withLock { state in
                state.news.insert(contentsOf: news, at: 0)
                return !exchange(&state.isFailing, with: true)
            }
            if isFirst { logger.error("events of conferences cannot be recorded for now: \(error)") }
        }
    }
}
