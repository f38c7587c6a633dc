import Cache
import Contracts
import FoundationEssentials
import JSONCoding
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
    /// Renders what is played in a room that was taken over.
    private let render: @Sendable ([Rendering.Job]) -> Void
    /// Goes on with its recordings, streams and transcriptions.
    private let revive: @Sendable (RoomSnapshot) -> Void
    /// Tells an owner that its seat is not here any more.
    private let tellLost: @Sendable (RoomLost, String) -> Void
    /// Rooms that are being taken over: who comes meanwhile waits.
    private var resuming: [String: Task<String?, any Error>] = [:]
    private var epochs: [String: UInt64] = [:]
    /// The leases are given up, and Redis is about to be left.
    private var isOver = false
    /// Rooms that are being written, and who waits for the writing after that.
    private var writing: [String: [CheckedContinuation<Void, Never>]] = [:]
    /// Rooms to be written with the next flush.
    private let changed = Mutex<Set<String>>([])
    private nonisolated let mustWriteAll = Atomic<Bool>(false)
    /// That there are some. For one reader.
    nonisolated let changes: AsyncStream<Void>
    private nonisolated let ringer: AsyncStream<Void>.Continuation

    init(
        cache: Cache, loops: MixerLoops, instance: String, now: @escaping @Sendable () -> Timestamp, logger: Logger,
        render: @escaping @Sendable ([Rendering.Job]) -> Void, revive: @escaping @Sendable (RoomSnapshot) -> Void,
        tellLost: @escaping @Sendable (RoomLost, String) -> Void
    ) {
        snapshots = Snapshots(cache: cache)
        (changes, ringer) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.render, self.revive, self.tellLost) = (render, revive, tellLost)
        (self.loops, self.instance, self.now, self.logger) = (loops, instance, now, logger)
    }

    /// Makes this instance the host of a room unless a living one is already; nil when it is now, else the other's name.
    /// The room of a dead one is for its successor alone (nil: whoever is asked), who goes on with what its snapshot says; so does
    /// this instance when somebody `resumes` a seat in a room that nobody holds any more. `rules` when it is a conference's.
    func claim(
        _ room: String, successor: String?, resumes: Bool = false, rules: MeetingRules? = nil, isAlive: @escaping @Sendable (String) -> Bool
    ) async throws -> String? {
        if let other = resuming[room] { return try await other.value }
        // A room that has just begun is about to be ours: a call that changes its owner within its first milliseconds resumes nothing.
        if epochs[room] == nil, writing[room] != nil { await keep(room) }
        if epochs[room] != nil {
            // First of all: it is not to be given up meanwhile as one that is no more.
            note(room)
            if await isHere(room) || !resumes { return nil }
        }
        if let other = resuming[room] { return try await other.value }
        let arrival = Task { try await take(room, successor: successor, resumes: resumes, rules, isAlive) }
        resuming[room] = arrival
        defer { resuming[room] = nil }
        return try await arrival.value
    }

    private func isHere(_ room: String) async -> Bool { await loops.loop(of: room).snapshot(of: room) != nil }

    private func take(
        _ room: String, successor: String?, resumes: Bool, _ rules: MeetingRules?, _ isAlive: @Sendable (String) -> Bool
    ) async throws(CacheError) -> String? {
        var acquisition = try await snapshots.acquire(Self.kind, room, owner: instance)
        var isInherited = resumes
        if case .owned(let owner, let epoch) = acquisition, !isAlive(owner) {
            if let successor, successor != instance { return successor }
            acquisition = try await snapshots.acquire(Self.kind, room, owner: instance, seen: epoch, takingOver: true)
            isInherited = true
        }
        switch acquisition {
        case .acquired(let claim):
            epochs[room] = max(claim.epoch, epochs[room] ?? 0)
            if isInherited, let state = claim.state { await goOn(room, state, rules) }
            note(room)
            return nil
        case .owned(let owner, _):
            return owner
        }
    }

    private func goOn(_ room: String, _ state: [UInt8], _ rules: MeetingRules?) async {
        guard let snapshot = try? JSONText.decode(RoomSnapshot.self, from: state), snapshot.id == room else {
            logger.error("the snapshot of a room cannot be read: it begins anew", metadata: ["room": "\(room)"])
            return
        }
        logger.notice("goes on with a room of an instance that is gone", metadata: ["room": "\(room)", "members": "\(snapshot.members.count)"])
        render(await loops.loop(of: room).resume(snapshot, rules, at: now()))
        if snapshot.isHalted { revive(snapshot) }
    }

    /// Whose room it is, for anybody: nil when it is nobody's, or another customer's.
    func locate(_ room: String, customer: String) async throws(CacheError) -> LocateRoom.Reply? {
        if let here = await loops.loop(of: room).snapshot(of: room) {
            return here.customerID == customer ? LocateRoom.Reply(instance: instance, conferenceID: here.conferenceID) : nil
        }
        guard let owner = try await snapshots.owner(of: Self.kind, room), let state = try await snapshots.load(Self.kind, room),
            let snapshot = try? JSONText.decode(RoomSnapshot.self, from: state), snapshot.customerID == customer
        else { return nil }
        return LocateRoom.Reply(instance: owner, conferenceID: snapshot.conferenceID)
    }

    /// Who hosts a room, or nil when it is not live.
    func host(of room: String) async throws(CacheError) -> String? {
        if epochs[room] != nil { return instance }
        return try await snapshots.owner(of: Self.kind, room)
    }

    /// To be written with the next flush. Any thread.
    nonisolated func note(_ room: String) {
        changed.withLock { _ = $0.insert(room) }
        ringer.yield()
    }

    /// Redis may have come back empty: everything is written again. Any thread.
    nonisolated func noteAll() {
        mustWriteAll.store(true, ordering: .relaxed)
        ringer.yield()
    }

    /// Writes what changed, and ends the claims on rooms that are no more.
    func flush() async {
        guard !isOver else { return }
        let all = mustWriteAll.exchange(false, ordering: .relaxed) ? await loops.roomIDs() : []
        let rooms = changed.withLock { exchange(&$0, with: []) }.union(all)
        var rest = Array(rooms)
        while !rest.isEmpty {
            let some = rest.prefix(Self.writtenAtOnce)
            rest.removeFirst(some.count)
            // One that is being written, or claimed, just now has its turn after that.
            let free = some.filter { writing[$0] == nil && resuming[$0] == nil }
            for room in free { writing[room] = [] }
            await write(together: free)
            for room in free { writeAgain(room) }
            for room in some where !free.contains(room) { await keep(room) }
        }
    }

    private static let writtenAtOnce = 50

    /// Rooms that nobody else writes, in one command.
    private func write(together rooms: [String]) async {
        guard !isOver else { return }
        let found = await loops.snapshots(of: rooms)
        // The leases may have been given up meanwhile.
        guard !isOver else { return }
        var (living, over): ([Snapshots.Writing], [(id: String, epoch: UInt64)]) = ([], [])
        for room in rooms {
            if var snapshot = found[room] {
                // Plays go on from here by themselves, so a place that moves on need not be written.
                snapshot.takenAt = now()
                guard let state = try? JSONText.encode(snapshot) else { continue }
                living.append(.init(id: room, epoch: epochs[room], state: state))
            } else if let epoch = abandoned(room) {
                over.append((room, epoch))
            }
        }
        do throws(CacheError) {
            for (writing, epoch) in zip(living, try await snapshots.write(Self.kind, owner: instance, living)) { await settle(writing, epoch) }
        } catch {
            // Redis is away; what is up goes on, and is written when it is back.
            for writing in living { note(writing.id) }
        }
        await release(over)
    }

    private func release(_ over: [(id: String, epoch: UInt64)]) async {
        do throws(CacheError) { _ = try await snapshots.release(Self.kind, over) } catch {
            for (room, epoch) in over {
                epochs[room] = max(epoch, epochs[room] ?? 0)
                note(room)
            }
        }
    }

    /// What has come of a room's writing: its epoch; nil when it is another's.
    private func settle(_ writing: Snapshots.Writing, _ epoch: UInt64?) async {
        // Claimed or lost while Redis was asked.
        guard epochs[writing.id] == writing.epoch else { return note(writing.id) }
        // A process before this one had it, and lost it while nobody here could be told.
        if let epoch { epochs[writing.id] = epoch } else { await lose(writing.id) }
    }

    /// The epoch of a room that is no more, which is given up. Nil when it was claimed again meanwhile: somebody is about to come in.
    private func abandoned(_ room: String) -> UInt64? {
        resuming[room] != nil || changed.withLock { $0.contains(room) } ? nil : epochs.removeValue(forKey: room)
    }

    /// Writes a room now: what a change made of it is there for a successor before anybody is told that it was made.
    ///
    /// One writing of a room at a time, so that an older state never follows a newer one; whoever comes meanwhile shares the next.
    func keep(_ room: String) async {
        if writing[room] != nil { return await withCheckedContinuation { writing[room]?.append($0) } }
        writing[room] = []
        await attempt(room)
        writeAgain(room)
    }

    private func writeAgain(_ room: String) {
        guard let waiting = writing[room], !waiting.isEmpty else { return writing[room] = nil }
        writing[room] = []
        Task {
            await attempt(room)
            for waiter in waiting { waiter.resume() }
            writeAgain(room)
        }
    }

    private func attempt(_ room: String) async {
        // Whoever claims it just now claims it for us.
        if let arrival = resuming[room] { _ = await arrival.result }
        await write(together: [room])
    }

    func renew() async {
        guard !isOver, !epochs.isEmpty else { return }
        let claims = epochs.map { (id: $0.key, epoch: $0.value) }
        guard let lost = try? await snapshots.renew(Self.kind, owner: instance, claims) else { return }
        // One that was given up and claimed again while Redis was asked is not lost.
        for (room, epoch) in claims where lost.contains(room) && epochs[room] == epoch { await lose(room) }
    }

    /// This process was thought dead: whoever sits here goes to the new host, and nothing more is said of the room from here.
    private func lose(_ room: String) async {
        logger.warning("another instance has taken the room over", metadata: ["room": "\(room)"])
        epochs[room] = nil
        for settings in await loops.loop(of: room).drop(room) {
            tellLost(RoomLost(callID: settings.callID, roomID: room), settings.owner)
        }
    }

    /// This instance stops while others live: each room is theirs from now on, and is heard from here until they speak.
    func handOver() async {
        for room in await loops.roomIDs() {
            note(room)
        }
        await flush()
        await yield()
        for room in await loops.roomIDs() {
            for member in await loops.loop(of: room).snapshot(of: room)?.members ?? [] {
                tellLost(RoomLost(callID: member.settings.callID, roomID: room), member.settings.owner)
            }
        }
    }

    /// Gives all leases up, keeping the states for a successor.
    func yield() async {
        isOver = true
        for (room, epoch) in epochs { _ = try? await snapshots.yield(Self.kind, room, epoch: epoch) }
        epochs = [:]
    }
}
