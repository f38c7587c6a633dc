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

    /// Saves the leg, then calls `then`, in the order of the calls. While Redis is away it goes on without: what is up stays up.
    /// A leg that another instance has taken over is not ours any more: nothing is performed for it.
    func save(_ leg: Leg, then: @escaping @Sendable () -> Void) {
        let id = leg.record.id
        claims.withLock { $0.live[id] = leg.epoch }
        guard let state = try? JSONEncoder().encode(leg) else {
            preconditionFailure("a leg is made of values that JSON can hold")
        }
        snapshots.save(Self.kind, id, owner: runtime.instance, epoch: leg.epoch, Array(state)) { [logger] result in
            switch result {
            case .success(.done):
                then()
            case .success(.lost):
                logger.warning("call \(id) was taken over by another instance")
            case .failure:
                Self.unsaved.add()
                then()
            }
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
    func record(_ call: Call, event type: String, sequence: Int64, digit: String?, written: (@Sendable () -> Void)? = nil) {
        guard var data = try? JSONValue(encoding: call) else {
            preconditionFailure("a call is made of values that JSON can hold")
        }
        if let digit, case .object(var members) = data {
            members["digit"] = .string(digit)
            data = .object(members)
        }
        let event = Event(
            id: runtime.newID("evt"), type: type, timestamp: runtime.timestamp(), customerID: call.customerID, resourceID: call.id,
            sequence: sequence, data: data)
        writer.put(RecordWriter.Entry(call: call, event: event, written: written))
    }

    /// Renews the leases of the live legs, and ends those of the others, every second until cancelled.
    func renewLeases() async {
        while !Task.isCancelled {
            let (live, ended) = claims.withLock { claims in
                let ended = claims.ended
                claims.ended = []
                return (claims.live.map { (id: $0.key, epoch: $0.value) }, ended)
            }
            do {
                // A snapshot that stays behind because Redis was away ends by its time to live.
                for claim in ended { _ = try await snapshots.release(Self.kind, claim.id, epoch: claim.epoch) }
                let lost = live.isEmpty ? [] : try await snapshots.renew(Self.kind, owner: runtime.instance, live)
                if !lost.isEmpty { logger.warning("leases of \(lost.count) calls were lost to other instances") }
            } catch {
                logger.debug("leases of calls cannot be renewed: \(error)")
            }
            try? await Task.sleep(for: .nanoseconds(Snapshots.renewalPause.nanoseconds))
        }
    }
}
