import Cache
import Cryptography
import Deadlines
import FoundationEssentials
import JSONCoding
import Logging
import MediaSession
import Telemetry
import Threads

/// The sessions' snapshots in Redis and their lines in the log, written on a thread of its own: neither may hold up a packet.
///
/// Redis away is survivable: the snapshots are written again when it is back, and at the latest after fifteen seconds. Only observers read them,
/// so that what changes several times at a call's beginning is written once, and a session that is over at once is never written.
actor Archive {
    private static let failures = Counter("tandem_relay_snapshot_failures_total", "Snapshots that Redis did not take.")

    nonisolated let loop = EventLoop(name: "archive")
    private let snapshots: Snapshots
    private let instance: String
    private let logger: Logger
    private static let lookPause = Duration.seconds(30)
    /// Ended sessions whose snapshots wait for Redis; beyond these they go by themselves.
    private static let endedLimit = 16_384

    /// The living sessions: what the leases are held for.
    private var living: [String: Living] = [:]
    private var ownerless = Ownerless()
    /// What has changed and is not written yet, the latest of each session, and when it is to be.
    private var changed: [String: (record: SessionRecord, due: Instant)] = [:]
    /// So long a change waits for others of its session.
    private static let pause = Interval.seconds(1)
    private static let look = Interval.milliseconds(250)
    private var isLookDue = false
    /// Sessions that have ended and whose snapshots are still to be removed.
    private var ended: [(id: String, epoch: UInt64)] = []
    /// Seals what is secret in the snapshots.
    private let key: [UInt8]

    private struct Living {
        let epoch: UInt64
        let callID: String
        /// Redis has heard of it.
        var isWritten = false
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(cache: Cache, instance: String, key: [UInt8], logger: Logger) {
        // A session that is not written for so long has no process any more.
        snapshots = Snapshots(cache: cache, stateLength: .seconds(3600))
        (self.instance, self.key, self.logger) = (instance, key, logger)
    }

    // MARK: From the media threads

    nonisolated func sessionBegan(_ record: SessionRecord) {
        post { archive in
            archive.logger.info(
                "media session began", metadata: ["session": "\(record.id)", "call": "\(record.callID)", "port": "\(record.port)"])
            archive.write(record, isNew: true)
        }
    }

    nonisolated func save(_ record: SessionRecord) { post { $0.write(record) } }

    nonisolated func sessionEnded(_ record: SessionRecord, _ statistics: SessionStatistics) {
        post { archive in
            QualityMetrics.observe(statistics)
            var metadata: Logger.Metadata = [
                "session": "\(record.id)", "call": "\(record.callID)", "in": "\(statistics.outsideIn)", "out": "\(statistics.outsideOut)",
                "room_in": "\(statistics.insideIn)", "room_out": "\(statistics.insideOut)", "strangers": "\(statistics.strangers)",
                "malformed": "\(statistics.malformed)", "late": "\(statistics.late)",
            ]
            Self.describe(statistics.received, "received", into: &metadata)
            if let sent = statistics.sent { Self.describe(sent, "sent", into: &metadata) }
            if let roundTrip = statistics.roundTripMilliseconds { metadata["round_trip_ms"] = "\(Self.tenths(roundTrip))" }
            archive.logger.info("media session ended", metadata: metadata)
            archive.changed[record.id] = nil
            // Of one that began before us it is not known.
            guard archive.living.removeValue(forKey: record.id)?.isWritten != false else { return }
            if archive.ended.count < Self.endedLimit { archive.ended.append((record.id, record.epoch)) }
        }
    }

    private static func describe(_ quality: StreamQuality, _ direction: String, into metadata: inout Logger.Metadata) {
        metadata["\(direction)_lost"] = "\(quality.lost)"
        metadata["\(direction)_jitter_ms"] = "\(tenths(quality.jitterMilliseconds))"
        if let score = quality.meanOpinionScore { metadata["\(direction)_mos"] = "\(tenths(score))" }
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    nonisolated func transport(_ sessionID: String, _ event: MediaTransport.Event) {
        post { archive in
            let session: Logger.Metadata = ["session": "\(sessionID)"]
            switch event {
            case .path(let address): archive.logger.debug("media path found", metadata: session.merging(["to": "\(address)"]) { $1 })
            case .consentLost: archive.logger.info("the phone makes no checks any more: nothing is sent to it", metadata: session)
            case .failed(let reason): archive.logger.info("media transport failed: \(reason.rawValue)", metadata: session)
            }
        }
    }

    nonisolated func tookOver(_ sessions: Int, _ took: Interval) {
        guard sessions > 0 else { return }
        post { archive in
            archive.logger.notice("sessions of a worker that has died go on", metadata: ["sessions": "\(sessions)", "took_ms": "\(Self.tenths(took.milliseconds))"])
        }
    }

    nonisolated private func post(_ work: @escaping @Sendable (isolated Archive) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    // MARK: On the archive's thread

    private func write(_ record: SessionRecord, isNew: Bool = false) {
        living[record.id] = Living(epoch: record.epoch, callID: record.callID, isWritten: living[record.id]?.isWritten ?? !isNew)
        lookSoon()
        changed[record.id] = (record, changed[record.id]?.due ?? loop.now + Self.pause)
    }

    private func lookSoon() {
        guard !isLookDue else { return }
        isLookDue = true
        _ = loop.schedule(at: loop.now + Self.look) { self.assumeIsolated { $0.writeWhatIsDue() } }
    }

    private func writeWhatIsDue() {
        isLookDue = false
        for (id, change) in changed where change.due <= loop.now {
            changed[id] = nil
            store(change.record)
        }
        if !changed.isEmpty { lookSoon() }
    }

    private func store(_ record: SessionRecord) {
        let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: .min ... .max) }
        guard let state = try? JSONText.encode(StoredSession(record, key: key, nonce: nonce)) else {
            // Every field is plain, so this is a mistake of ours; the call goes on without snapshot.
            return logger.error("a snapshot cannot be written as JSON", metadata: ["session": "\(record.id)"])
        }
        living[record.id]?.isWritten = true
        snapshots.save(SessionRecord.kind, record.id, owner: instance, epoch: record.epoch, state) { result in
            if case .failure = result { Self.failures.add() }
        }
    }

    /// Renews the leases of all sessions once a second and removes what has ended, until the task is cancelled.
    func keepLeases() async {
        while !Task.isCancelled {
            try? await Task.sleep(nanoseconds: UInt64(Snapshots.renewalPause.nanoseconds))
            let claims = living.filter(\.value.isWritten).map { (id: $0.key, epoch: $0.value.epoch) }
            do {
                for id in try await snapshots.renew(SessionRecord.kind, owner: instance, claims) {
                    logger.warning("another instance has taken over a media session", metadata: ["session": "\(id)"])
                }
                try await releaseEnded()
            } catch {
                // Redis is away; what has ended is removed when it is back.
                logger.debug("leases not renewed: \(error)")
            }
        }
    }

    private func releaseEnded() async throws(CacheError) {
        let over = ended
        guard !over.isEmpty else { return }
        _ = try await snapshots.release(SessionRecord.kind, over)
        // Others have come behind them meanwhile.
        ended.removeFirst(over.count)
    }

    /// Looks every half minute for sessions whose call nobody owns any more, and gives their ids to `end`, until the task is
    /// cancelled.
    func watchOwners(_ end: @Sendable (_ sessionID: String, _ epoch: UInt64) -> Void) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.lookPause)
            do {
                let calls = Set(living.values.map(\.callID))
                let gone = ownerless.look(at: calls, leased: try await leased(calls), now: MonotonicClock.now())
                for (id, session) in living where gone.contains(session.callID) {
                    logger.warning("a media session of a call that nobody owns ends", metadata: ["session": "\(id)", "call": "\(session.callID)"])
                    end(id, session.epoch)
                }
            } catch {
                ownerless.forgetAll()
            }
        }
    }

    private func leased(_ calls: Set<String>) async throws(CacheError) -> Set<String> {
        var leased: Set<String> = []
        for call in calls where try await snapshots.owner(of: "call", call) != nil { leased.insert(call) }
        return leased
    }
}
