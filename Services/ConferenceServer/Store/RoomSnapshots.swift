import Cache
import Contracts
import FoundationEssentials
import Logging
import Synchronization

/// The rooms of this instance in Redis: who hosts a room (a lease) and who sits in it, for lists and for a successor.
///
/// A conference's room is claimed before anybody joins, because the claim decides where the conference meets. An ordinary
/// call's room is written a moment after it changed: nobody else places participants in it.
actor RoomSnapshots {
    static let kind = "room"

    private let snapshots: Snapshots
    private let loops: MixerLoops
    private let instance: String
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private var epochs: [String: UInt64] = [:]
    /// Rooms to be written with the next flush.
    private let changed = Mutex<Set<String>>([])
    private nonisolated let mustWriteAll = Atomic<Bool>(false)

    init(cache: Cache, loops: MixerLoops, instance: String, now: @escaping @Sendable () -> Timestamp, logger: Logger) {
        snapshots = Snapshots(cache: cache)
        (self.loops, self.instance, self.now, self.logger) = (loops, instance, now, logger)
    }

    /// Makes this instance the host of a room unless a living one is already; nil when it is now, else the other's name.
    /// The room of a dead one is for its successor alone.
    func claim(_ room: String, successor: String?, isAlive: (String) -> Bool) async throws(CacheError) -> String? {
        if epochs[room] != nil {
            note(room)
            return nil
        }
        var acquisition = try await snapshots.acquire(Self.kind, room, owner: instance)
        if case .owned(let owner, let epoch) = acquisition, !isAlive(owner) {
            if let successor, successor != instance { return successor }
            acquisition = try await snapshots.acquire(Self.kind, room, owner: instance, seen: epoch, takingOver: true)
        }
        switch acquisition {
        case .acquired(let claim):
            epochs[room] = claim.epoch
            note(room)
            return nil
        case .owned(let owner, _):
            return owner
        }
    }

    /// Who hosts a room, or nil when it is not live.
    func host(of room: String) async throws(CacheError) -> String? {
        if epochs[room] != nil { return instance }
        return try await snapshots.owner(of: Self.kind, room)
    }

    /// To be written with the next flush. Any thread.
    nonisolated func note(_ room: String) { changed.withLock { _ = $0.insert(room) } }

    /// Redis may have come back empty: everything is written again. Any thread.
    nonisolated func noteAll() { mustWriteAll.store(true, ordering: .relaxed) }

    /// Writes what changed, and ends the claims on rooms that are no more.
    func flush() async {
        let all = mustWriteAll.exchange(false, ordering: .relaxed) ? await loops.roomIDs() : []
        for room in changed.withLock({ exchange(&$0, with: []) }).union(all) {
            do throws(CacheError) {
                try await write(room)
            } catch {
                // Redis is away; what is up goes on, and is written when it is back.
                note(room)
            }
        }
    }

    private func write(_ room: String) async throws(CacheError) {
        guard var snapshot = await loops.loop(of: room).snapshot(of: room) else {
            // Claimed again meanwhile: somebody is about to come in.
            guard !changed.withLock({ $0.contains(room) }), let epoch = epochs.removeValue(forKey: room) else { return }
            _ = try await snapshots.release(Self.kind, room, epoch: epoch)
            return
        }
        if epochs[room] == nil, case .acquired(let claim) = try await snapshots.acquire(Self.kind, room, owner: instance) {
            epochs[room] = claim.epoch
        }
        // Plays go on from here by themselves, so a place that moves on need not be written.
        snapshot.takenAt = now()
        guard let epoch = epochs[room], let state = try? JSONEncoder().encode(snapshot) else { return }
        if try await snapshots.save(Self.kind, room, owner: instance, epoch: epoch, Array(state)) == .lost { lose(room) }
    }

    func renew() async {
        guard !epochs.isEmpty else { return }
        let claims = epochs.map { (id: $0.key, epoch: $0.value) }
        guard let lost = try? await snapshots.renew(Self.kind, owner: instance, claims) else { return }
        // One that was given up and claimed again while Redis was asked is not lost.
        for (room, epoch) in claims where lost.contains(room) && epochs[room] == epoch { lose(room) }
    }

    /// Those in the room go on hearing each other here; whoever joins from now on is sent to the new host.
    private func lose(_ room: String) {
        logger.warning("another instance has taken the room over", metadata: ["room": "\(room)"])
        epochs[room] = nil
    }

    /// Gives all leases up, keeping the states for a successor.
    func yield() async {
        for (room, epoch) in epochs { _ = try? await snapshots.yield(Self.kind, room, epoch: epoch) }
        epochs = [:]
    }
}
