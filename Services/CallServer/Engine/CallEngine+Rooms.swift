import Bytes
import Contracts
import Deadlines
import ServiceKit
import Telemetry

/// Rooms whose ConferenceServer is gone live on with another one: everybody who sits in them is brought there (RELIABILITY §4.6). A mixer's
/// process that dies alone is no such case, and nobody here hears of it.
extension CallEngine {
    private static let look = Interval.milliseconds(100)
    /// Of an instance that is gone so many legs at each look.
    private static let takenAtOnce = 300
    private static let lost = Counter("tandem_call_seats_lost_total", "Seats whose ConferenceServer was gone, taken with another.")

    func watchRooms() {
        lookForRooms()
        let jitter = Interval.milliseconds(.random(in: -30...30))
        loop.schedule(at: loop.now + Self.look + jitter) { self.assumeIsolated { $0.watchRooms() } }
    }

    private func lookForRooms() {
        let announced = runtime.fleet.living(.conferenceServer)
        guard !announced.isEmpty else { return }
        let living = Set(announced.map(\.instance))
        var gone = Set<String>()
        for mixer in announced {
            guard let lineage = mixer.addresses["lineage"], let before = roomLineages.updateValue(lineage, forKey: mixer.instance),
                before != lineage
            else { continue }
            gone.insert(mixer.instance)
        }
        // One that came back without its rooms is left by all who were there, at once: it looks like any other from now on.
        for instance in gone { leave(instance, announced, atOnce: .max) }
        for instance in Set(legs.values.map(\.leg.seat.instance)).subtracting(living) { leave(instance, announced, atOnce: Self.takenAtOnce) }
    }

    private func leave(_ instance: String, _ announced: [Announcement], atOnce limit: Int) {
        let ids = legs.filter { $0.value.leg.seat.instance == instance && $0.value.leg.seat.stage != .none && !$0.value.leg.isEnded }.keys
        for id in ids.prefix(limit) { lose(id, at: instance, announced) }
    }

    /// The room's instance says so itself, or is not heard of any more. Whoever has legs in the room comes to the same successor.
    private func lose(_ id: String, at instance: String, _ announced: [Announcement]) {
        guard let seat = legs[id]?.leg.seat, seat.instance == instance else { return }
        let pool = seat.conferenceID == nil ? "conferences" : "calls"
        let able = announced.filter { !$0.draining && $0.pool != pool }
        let candidates = able.isEmpty ? announced : able
        let names = candidates.map { StableHash.hash($0.instance.utf8) }
        guard let pick = Rendezvous.pick(key: StableHash.hash(seat.roomID.utf8), among: names) else { return }
        Self.lost.add()
        logger.notice(
            "the room's instance is gone",
            metadata: ["call": "\(id)", "room": "\(seat.roomID)", "instance": "\(instance)", "successor": "\(candidates[pick].instance)"])
        handle(id, .seatLost(at: instance, successor: candidates[pick].instance))
    }

    /// An instance says that a room is not its own any more.
    func roomLost(_ id: String, room: String, at instance: String) {
        guard let seat = legs[id]?.leg.seat, seat.roomID == room, seat.instance == instance else { return }
        let others = runtime.fleet.living(.conferenceServer).filter { $0.instance != instance }
        lose(id, at: instance, others)
    }

    /// Whether a ConferenceServer may still speak for the leg: one that was thought dead may not.
    func hears(_ sender: String, about id: String) -> Bool {
        let prefix = ServiceName.conferenceServer.rawValue + "."
        guard sender.hasPrefix(prefix), let leg = legs[id]?.leg else { return true }
        let instance = sender.dropFirst(prefix.count)
        return leg.seat.instance == instance || leg.leaving?.contains { $0.instance == instance } == true
    }
}
