import Cache
import Contracts
import Deadlines
import Flow
import FoundationEssentials
import Logging
import ServiceKit
import Synchronization
import Telemetry

/// Where legs are written down: the snapshot in Redis before its effects are performed, records and events in PostgreSQL behind.
final class Journal: Sendable {
    static let kind = "call"

    private static let unsaved = Counter(
        "tandem_call_snapshots_failed_total", "snapshots of calls that Redis did not take; the calls went on without")

    private let snapshots: Snapshots
    private let writer: RecordWriter
    private let runtime: Runtime
    private let logger: Logger
    private let claims = Mutex(Claims())

    /// Epochs of the live legs, whose leases are renewed, and of those that ended, whose leases go.
    private struct Claims {
        var live: [String: UInt64] = [:]
        var ended: [(id: String, epoch: UInt64)] = []
    }

    init(runtime: Runtime, writer: RecordWriter) {
        (self.runtime, self.writer, logger) = (runtime, writer, runtime.logger)
        snapshots = Snapshots(cache: runtime.cache)
    }

    /// Saves the leg, then says whether it is still ours: false when another instance has taken it over. While Redis is away the
    /// calls go on without: what is up stays up.
    func save(_ leg: Leg, then: @escaping @Sendable (_ isOurs: Bool) -> Void) {
        let id = leg.record.id
        claims.withLock { $0.live[id] = leg.epoch }
        guard let state = try? JSONEncoder().encode(leg) else {
            preconditionFailure("a leg is made of values that JSON can hold")
        }
        snapshots.save(Self.kind, id, owner: runtime.instance, epoch: leg.epoch, Array(state)) { result in
            switch result {
            case .success(.done):
                then(true)
            case .success(.lost):
                then(false)
            case .failure:
                Self.unsaved.add()
                then(true)
            }
        }
    }

    /// Takes a call that is named from outside, so that of two instances asked only one makes it; nil when it is taken.
    func claim(_ id: String) async throws -> UInt64? {
        switch try await snapshots.acquire(Self.kind, id, owner: runtime.instance) {
        case .acquired(let claim): claim.epoch
        case .owned: nil
        }
    }

    /// The leg is over: its lease and snapshot go with the next renewal.
    func forget(_ leg: Leg) {
        claims.withLock { claims in
            claims.live[leg.record.id] = nil
            claims.ended.append((leg.record.id, leg.epoch))
        }
    }

    /// An event of a call, with the record as it was then.
    func record(_ call: Call, event type: String, sequence: Int64, with details: [String: JSONValue], written: (@Sendable (Bool) -> Void)? = nil) {
        // Only the values are taken here; the writer makes JSON of them, away from the calls.
        writer.put(RecordWriter.Entry(
            id: runtime.newID("evt"), type: type, timestamp: runtime.timestamp(), call: call, sequence: sequence, details: details,
            written: written))
    }

    /// Renews the leases of the live legs, and ends those of the others, every second until cancelled. `lost` hears of legs that
    /// another instance owns now.
    func renewLeases(lost: @Sendable ([String]) -> Void) async {
        while !Task.isCancelled {
            do {
                try await releaseEnded()
                let live = claims.withLock { $0.live.map { (id: $0.key, epoch: $0.value) } }
                let taken = live.isEmpty ? [] : try await snapshots.renew(Self.kind, owner: runtime.instance, live)
                if !taken.isEmpty { lost(taken) }
            } catch {
                logger.debug("leases of calls cannot be renewed: \(error)")
            }
            try? await Task.sleep(for: .nanoseconds(Snapshots.renewalPause.nanoseconds))
        }
    }

    /// Snapshot and lease of each ended call go; what Redis does not take now is tried again.
    func releaseEnded() async throws {
        while let claim = claims.withLock({ $0.ended.popLast() }) {
            do {
                _ = try await snapshots.release(Self.kind, claim.id, epoch: claim.epoch)
            } catch {
                claims.withLock { $0.ended.append(claim) }
                throw error
            }
        }
    }
}
