import Bus
import Contracts
import Telemetry

/// A crash of PostgreSQL takes back the last 0.6 s of steps (DESIGN §5): whoever wrote them writes them again, with what they told.
///
/// That is safe whoever else does the same, and for one that was thought dead: a row is only ever brought to a version that had been
/// written before, and only from an older one; and a step proves by the row's version, and by the life that PostgreSQL lived when the
/// row was read, that nothing was taken back in between. Who knows nothing of a run himself leaves it alone until the others are through (`Settling`).
extension Runs {
    private static let again = Counter(
        "tandem_flow_runs_written_again_total", "Runs that PostgreSQL had taken back in a crash of its own, and that were written again.")
    private static let look = Duration.milliseconds(200)
    /// While PostgreSQL is away, or others are not through.
    private static let shortLook = Duration.milliseconds(50)
    /// How long a step waits here for the others: less than the bus waits for us.
    private static let patience = Duration.seconds(1)
    private static let attemptsToWriteAgain = 3

    /// The run as it was last written by anybody; nil when there is none.
    func stored(_ id: String, customerID: String) async throws -> StoredRun? {
        // Known before the row is read: no row is older than that by right.
        let ours = recollection.entry(of: id, customerID: customerID)
        let row = try await read(id, customerID: customerID)
        if let ours, ours.stored.version > row?.version ?? 0 { return try await writeAgain(ours) }
        guard ours == nil, othersMayKnowMore else { return row }
        try await settled()
        return try await read(id, customerID: customerID)
    }

    /// Waits until nobody may know more than PostgreSQL does.
    func settled() async throws {
        let end = ContinuousClock.now + Self.patience
        while othersMayKnowMore {
            guard ContinuousClock.now < end else { throw Self.settling }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Whether PostgreSQL has just crashed, and there are others who may have written what it has lost.
    var othersMayKnowMore: Bool { recollection.isSettling && !others.isEmpty }

    private var others: [String] { runtime.fleet.living(.flowManager).filter { $0.instance != runtime.instance }.map(\.incarnation) }

    static let settling = RPCError(.unavailable, "what PostgreSQL has lost is being written again; try again")

    /// Every instance alone, after each life of PostgreSQL; until cancelled.
    func recollect() async {
        var finished: String?
        while !Task.isCancelled {
            let asked = ContinuousClock.now
            var pause = Self.look
            do {
                let life = try await store.lives.current()
                recollection.saw(life)
                if life != finished {
                    for entry in recollection.all { _ = try await writeAgain(entry) }
                    try await store.isThrough(runtime.instance, runtime.incarnation, in: life)
                    finished = life
                }
                recollection.forget(writtenBefore: asked - RecentWrites.keptFor)
                if othersMayKnowMore {
                    recollection.heard(try await store.through(in: life), in: life, others: others)
                    pause = Self.shortLook
                }
            } catch {
                runtime.logger.debug("what runs PostgreSQL remembers cannot be asked: \(error)")
                pause = Self.shortLook
            }
            do { try await Task.sleep(for: pause) } catch { return }
        }
    }

    private func read(_ id: String, customerID: String) async throws -> StoredRun? {
        let found = try await store.storedRun(id, customerID: customerID)
        if let life = found.life {
            recollection.saw(life)
            return found.run
        }
        // Nobody has written since it died, or ever.
        recollection.saw(try await store.lives.current())
        return try await store.storedRun(id, customerID: customerID).run
    }

    /// The row that is there in the end.
    private func writeAgain(_ entry: RecentWrites.Entry) async throws -> StoredRun? {
        let record = entry.stored.record
        for _ in 0..<Self.attemptsToWriteAgain {
            let row = try await read(record.id, customerID: record.customerID)
            let version = row?.version ?? 0
            guard version < entry.stored.version else { return row }
            let (events, sent) = entry.told(after: version)
            let webhooks = Store.NewWebhooks(list: sent, claimedBy: nil)
            if let row {
                var stored = entry.stored
                stored.life = row.life
                let change = Store.Change(stored: stored, over: version, withLists: true, events: events, sent: webhooks)
                guard try await store.update(change) else { continue }
            } else {
                guard try await store.insert(entry.stored, events, webhooks).isNew else { continue }
            }
            known[record.id] = nil
            Self.again.add()
            runtime.logger.notice(
                "a run was written again that PostgreSQL had lost",
                metadata: ["run": "\(record.id)", "from": "\(version)", "to": "\(entry.stored.version)"])
            outbox.wake()
        }
        throw RPCError(.unavailable, "the run is being moved by others")
    }
}
