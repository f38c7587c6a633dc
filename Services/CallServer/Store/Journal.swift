import Cache
import Contracts
import Deadlines
import Flow
import FoundationEssentials
import JSONCoding
import Logging
import ServiceKit
import Synchronization
import Telemetry
import Threads

/// Where legs are written down: the snapshot in Redis before its effects are performed, records and events in PostgreSQL behind.
final class Journal: Sendable {
    static let kind = "call"

    private static let unsaved = Counter(
        "tandem_call_snapshots_failed_total", "snapshots of calls that Redis did not take; the calls went on without")

    let snapshots: Snapshots
    let writer: RecordWriter
    let runtime: Runtime
    let logger: Logger
    let life: Int64
    private let claims = Mutex(Claims())

    /// Epochs of the live legs, whose leases are renewed, and of those that ended, whose leases go.
    private struct Claims {
        var live: [String: UInt64] = [:]
        var ended: [String: Ended] = [:]
        /// Call-IDs that lead to a leg, as far as they have been written.
        var named: [String: Set<String>] = [:]
        /// Calls whose records are on their way into PostgreSQL, and up to which event.
        var owed: [String: Int64] = [:]

        /// Those whose records are written; the snapshot of another is what is left of it, should this process die.
        var released: [Ended] { ended.values.filter { owed[$0.id] == nil } }
    }

    private struct Ended {
        let id: String
        let epoch: UInt64
        let names: [String]
        /// What is left to go are its names.
        var isReleased = false
    }

    /// `life`: of the processes that bear this instance's name the latest one has its calls.
    init(runtime: Runtime, writer: RecordWriter, life: Int64) {
        (self.runtime, self.writer, self.life, logger) = (runtime, writer, life, runtime.logger)
        snapshots = Snapshots(cache: runtime.cache, life: life)
    }

    static func newLife(_ runtime: Runtime) async -> Int64 {
        let time = WallClock.milliseconds()
        do throws(CacheError) {
            return try await Snapshots.newLife(of: runtime.instance, kind, time: time, in: runtime.cache)
        } catch {
            runtime.logger.warning("this life of \(runtime.instance) is counted by the clock: \(error)")
            return time
        }
    }

    /// Saves the leg, then says whether it is still ours: false when another instance has taken it over. While Redis is away the
    /// calls go on without: what is up stays up.
    func save(_ leg: Leg, then: @escaping @Sendable (_ isOurs: Bool) -> Void) {
        let id = leg.record.id
        let names = leg.sip.callIDs
        let isNamed = claims.withLock { claims in
            claims.live[id] = leg.epoch
            let isNamed = claims.named[id]?.isSuperset(of: names) == true || names.isEmpty
            if !isNamed { claims.named[id, default: []].formUnion(names) }
            return isNamed
        }
        if !isNamed { snapshots.name(Self.kind, names, as: "\(leg.record.parentCallID ?? id) \(id)") }
        snapshots.save(Self.kind, id, owner: runtime.instance, epoch: leg.epoch, Self.state(of: leg)) { result in
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

    static func state(of leg: Leg) -> [UInt8] {
        guard let state = try? JSONText.encode(LegSnapshot(leg, at: MonotonicClock.now(), time: WallClock.milliseconds())) else {
            preconditionFailure("a leg is made of values that JSON can hold")
        }
        return state
    }

    /// Takes a call that is named from outside, so that of two instances asked only one makes it; nil when it is taken.
    func claim(_ id: String) async throws -> UInt64? {
        switch try await snapshots.acquire(Self.kind, id, owner: runtime.instance) {
        case .acquired(let claim): claim.epoch
        case .owned: nil
        }
    }

    /// A call that was claimed does not come into being.
    func disclaim(_ id: String, _ epoch: UInt64) async { _ = try? await snapshots.release(Self.kind, id, epoch: epoch) }

    /// Whether the leg lives here, or did until just now.
    func holds(_ id: String) -> Bool { claims.withLock { $0.live[id] != nil || $0.ended[id] != nil } }

    /// A leg was taken over: its lease is renewed from now on.
    func took(_ id: String, _ epoch: UInt64) { claims.withLock { $0.live[id] = epoch } }

    /// The leg is over: its lease and snapshot go with the next renewal after its record is written.
    func forget(_ leg: Leg) {
        claims.withLock { claims in
            claims.live[leg.record.id] = nil
            let names = claims.named.removeValue(forKey: leg.record.id) ?? []
            claims.ended[leg.record.id] = Ended(id: leg.record.id, epoch: leg.epoch, names: Array(names))
        }
    }

    /// The first leg of its call is another: its names are written again.
    func rename(_ id: String) { claims.withLock { $0.named[id] = nil } }

    /// An event of a call, with the record as it was then.
    func record(
        _ call: Call, of leg: Leg, event type: String?, sequence: Int64, at time: Timestamp, with details: [String: JSONValue],
        written: (@Sendable (Bool) -> Void)? = nil
    ) {
        let before = claims.withLock { claims in
            defer { claims.owed[call.id] = max(sequence, claims.owed[call.id] ?? 0) }
            return claims.owed[call.id]
        }
        // Only the values are taken here; the writer makes JSON of them, away from the calls.
        let isTaken = writer.put(RecordWriter.Entry(
            id: runtime.newID("evt"), type: type, timestamp: time, call: call, sequence: sequence, epoch: leg.epoch, details: details,
            dialog: leg.dialogSide, written: written))
        guard !isTaken else { return }
        // What waits of it is owed all the same.
        claims.withLock { if $0.owed[call.id] == sequence { $0.owed[call.id] = before } }
        // There is a call, though nobody can read of it.
        written?(true)
    }

    /// Records up to those events are in PostgreSQL, or never will be.
    func paid(_ records: [(id: String, sequence: Int64)]) {
        claims.withLock { claims in
            for (id, sequence) in records where claims.owed[id].map({ $0 <= sequence }) == true { claims.owed[id] = nil }
        }
    }

    /// Renews the leases of the live legs, and ends those of the others, every second until cancelled. `lost` hears of legs that
    /// another instance owns now; `askOthers` finds them while Redis is away, perhaps from here alone.
    func renewLeases(lost: @Sendable ([String]) -> Void, askOthers: @Sendable () async -> [String]) async {
        while !Task.isCancelled {
            do {
                try await releaseEnded()
                let taken = try await renew()
                if !taken.isEmpty { lost(taken) }
            } catch {
                logger.debug("leases of calls cannot be renewed: \(error)")
                let taken = await askOthers()
                if !taken.isEmpty { lost(taken) }
            }
            try? await Task.sleep(for: .nanoseconds(Snapshots.renewalPause.nanoseconds))
        }
    }

    /// Those of the live legs that another instance owns now. One that is over and not written yet has an owner, and no lease: it does not live.
    func renew() async throws -> [String] {
        let live = claims.withLock { $0.live.map { (id: $0.key, epoch: $0.value) } }
        return live.isEmpty ? [] : try await snapshots.renew(Self.kind, owner: runtime.instance, live)
    }

    /// The leg is another's: its lease is not renewed here.
    func drop(_ id: String) {
        claims.withLock { claims in
            claims.live[id] = nil
            claims.named[id] = nil
        }
    }

    /// Redis may have come back empty.
    func forgetNames() { claims.withLock { $0.named = [:] } }

    private static let releasedAtOnce = 200

    /// Snapshot and lease of each ended call whose record is written go; what Redis does not take now is tried again. Until then it is held here: nobody else takes it for one
    /// that may be gone on with.
    func releaseEnded() async throws {
        while true {
            let ended = claims.withLock { Array($0.released.prefix(Self.releasedAtOnce)) }
            guard !ended.isEmpty else { return }
            let lost = Set(try await snapshots.release(Self.kind, ended.filter { !$0.isReleased }.map { (id: $0.id, epoch: $0.epoch) }))
            let released = ended.filter { !lost.contains($0.id) }
            claims.withLock { claims in
                for one in released where claims.ended[one.id]?.epoch == one.epoch { claims.ended[one.id]?.isReleased = true }
            }
            // Names last: as long as one leads there, something is found.
            try await snapshots.forget(Self.kind, names: released.flatMap(\.names))
            claims.withLock { claims in
                for one in ended where claims.ended[one.id]?.epoch == one.epoch { claims.ended[one.id] = nil }
            }
        }
    }
}
