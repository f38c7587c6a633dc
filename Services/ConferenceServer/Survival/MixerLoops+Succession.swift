import Contracts
import Deadlines
import Logging
import Succession
import Synchronization
import Telemetry
import Threads

extension MixerLoops {
    private static let taken = Counter("tandem_room_takeovers_total", "Times this process went on with the rooms of another.")

    /// With a keeper, follows what the worker does until it is this process's turn; alone it is its turn.
    func begin(_ link: KeeperLink?, lineage: String, _ rendering: Rendering, _ logger: Logger) {
        if let link { standBy(link, lineage: lineage, rendering, logger) }
    }

    /// Rooms of another process where more than the mixer is to go on, as they are at `now`.
    func takeHalted(at now: Contracts.Timestamp) async -> [RoomSnapshot] {
        var rooms: [RoomSnapshot] = []
        for loop in all { rooms += await loop.takeHalted() }
        for index in rooms.indices { rooms[index].takenAt = now }
        return rooms
    }

    /// Follows what the worker does until it is this process's turn, and then goes on with it.
    private func standBy(_ link: KeeperLink, lineage: String, _ rendering: Rendering, _ logger: Logger) {
        link.listen(
            KeeperLink.Listener(
                deposited: { [self] key, deposit in loop(ofKey: key)?.post { $0.learn(key, deposit) } },
                removed: { [self] key in loop(ofKey: key)?.post { $0.unlearn(key) } },
                goes: { [self] in
                    for loop in all {
                        loop.post { loop in
                            let began = MonotonicClock.now()
                            let jobs = loop.takeOver()
                            guard loop.seatCount.load(ordering: .relaxed) > 0 else { return }
                            Self.taken.add()
                            let took = Int((MonotonicClock.now() - began).nanoseconds / 1000)
                            logger.notice(
                                "went on with the rooms of another process",
                                metadata: ["seats": "\(loop.seatCount.load(ordering: .relaxed))", "microseconds": "\(took)"])
                            rendering.render(jobs)
                        }
                    }
                    RoomInheritance.deposit(lineage: lineage, with: link)
                    for loop in all { loop.post { $0.depositThread() } }
                },
                depositAll: { [self] in
                    RoomInheritance.deposit(lineage: lineage, with: link)
                    for loop in all { loop.post { $0.depositAll() } }
                }, turn: { [self] in turn(0, $0) }))
    }

    private func loop(ofKey key: String) -> MixerLoop? {
        guard let index = RoomCustody.thread(of: key), all.indices.contains(index) else { return nil }
        return all[index]
    }

    /// Calls back when every thread has come round.
    private func turn(_ index: Int, _ done: @escaping @Sendable () -> Void) {
        guard index < all.count else { return done() }
        all[index].post { [self] _ in turn(index + 1, done) }
    }
}
