import Cache
import Deadlines
import FoundationEssentials
import Logging
import MediaSession
import Telemetry
import Threads

/// The sessions' snapshots in Redis and their lines in the log, written on a thread of its own: neither may hold up a packet.
///
/// Redis away is survivable: the snapshots are written again when it is back, and at the latest after fifteen seconds.
actor Archive {
    private static let failures = Counter("tandem_relay_snapshot_failures_total", "Snapshots that Redis did not take.")

    nonisolated let loop = EventLoop(name: "archive")
    private let snapshots: Snapshots
    private let instance: String
    private let logger: Logger
    /// The living sessions and their epochs: what the leases are held for.
    private var epochs: [String: UInt64] = [:]
    /// Sessions that have ended and whose snapshots are still to be removed.
    private var ended: [(id: String, epoch: UInt64)] = []
    private let encoder = JSONEncoder()

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(cache: Cache, instance: String, logger: Logger) {
        // A session that is not written for so long has no process any more.
        snapshots = Snapshots(cache: cache, stateLength: .seconds(3600))
        (self.instance, self.logger) = (instance, logger)
    }

    // MARK: From the media threads

    nonisolated func sessionBegan(_ record: SessionRecord) {
        post { archive in
            archive.logger.info(
                "media session began", metadata: ["session": "\(record.id)", "call": "\(record.callID)", "port": "\(record.port)"])
            archive.write(record)
        }
    }

    nonisolated func save(_ record: SessionRecord) { post { $0.write(record) } }

    nonisolated func sessionEnded(_ record: SessionRecord, _ statistics: SessionStatistics) {
        post { archive in
            archive.logger.info(
                "media session ended",
                metadata: [
                    "session": "\(record.id)", "call": "\(record.callID)",
                    "in": "\(statistics.outsideIn)", "out": "\(statistics.outsideOut)",
                    "room_in": "\(statistics.insideIn)", "room_out": "\(statistics.insideOut)", "lost": "\(statistics.lost)",
                    "strangers": "\(statistics.strangers)", "malformed": "\(statistics.malformed)",
                    "late": "\(statistics.late)",
                    "jitter_ms": "\(statistics.jitterMilliseconds.rounded())",
                ])
            archive.epochs[record.id] = nil
            archive.ended.append((record.id, record.epoch))
        }
    }

    nonisolated private func post(_ work: @escaping @Sendable (isolated Archive) -> Void) {
        loop.post { self.assumeIsolated(work) }
    }

    // MARK: On the archive's thread

    private func write(_ record: SessionRecord) {
        epochs[record.id] = record.epoch
        guard let state = try? encoder.encode(record) else {
            // Every field is plain, so this is a mistake of ours; the call goes on without snapshot.
            return logger.error("a snapshot cannot be written as JSON", metadata: ["session": "\(record.id)"])
        }
        snapshots.save(SessionRecord.kind, record.id, owner: instance, epoch: record.epoch, Array(state)) { result in
            if case .failure = result { Self.failures.add() }
        }
    }

    /// Renews the leases of all sessions once a second and removes what has ended, until the task is cancelled.
    func keepLeases() async {
        while !Task.isCancelled {
            try? await Task.sleep(nanoseconds: UInt64(Snapshots.renewalPause.nanoseconds))
            let claims = epochs.map { (id: $0.key, epoch: $0.value) }
            let gone = ended
            ended = []
            do {
                for id in try await snapshots.renew(SessionRecord.kind, owner: instance, claims) {
                    logger.warning("another instance has taken over a media session", metadata: ["session": "\(id)"])
                }
                for session in gone { _ = try await snapshots.release(SessionRecord.kind, session.id, epoch: session.epoch) }
            } catch {
                // Redis is away; what it still holds of ended sessions goes by itself.
                logger.debug("leases not renewed: \(error)")
            }
        }
    }
}
