import Contracts

/// What this instance has written of runs lately, and a crash of PostgreSQL would take back: commits that wait for no disk (DESIGN §5)
/// reach it within three times `wal_writer_delay`, 0.6 s. Pure.
struct RecentWrites: Sendable {
    struct Write: Sendable {
        let version: Int
        let events: [Event]
        let sent: [Webhook]
        let at: ContinuousClock.Instant
    }

    /// A run as it was last written, and what went with each write.
    struct Entry: Sendable {
        var stored: StoredRun
        var writes: [Write]

        /// What was told by writes that a row of this version knows nothing of.
        func told(after version: Int) -> (events: [Event], sent: [Webhook]) {
            let lost = writes.filter { $0.version > version }
            return (lost.flatMap(\.events), lost.flatMap(\.sent))
        }
    }

    /// By then the disk has it, also a slow one.
    static let keptFor = Duration.seconds(5)

    private(set) var entries: [String: Entry] = [:]

    mutating func wrote(_ stored: StoredRun, _ events: [Event], _ sent: [Webhook], at now: ContinuousClock.Instant) {
        let write = Write(version: stored.version, events: events, sent: sent, at: now)
        let id = stored.record.id
        guard let known = entries[id] else {
            entries[id] = Entry(stored: stored, writes: [write])
            return
        }
        // Two that were written at once may be told of in the other order.
        if known.stored.version < stored.version { entries[id]?.stored = stored }
        entries[id]?.writes.append(write)
        entries[id]?.writes.sort { $0.version < $1.version }
    }

    /// PostgreSQL has lived from before that moment until now.
    mutating func forget(writtenBefore moment: ContinuousClock.Instant) {
        for (id, entry) in entries {
            let kept = entry.writes.filter { $0.at >= moment }
            if kept.isEmpty { entries[id] = nil } else { entries[id]?.writes = kept }
        }
    }
}
