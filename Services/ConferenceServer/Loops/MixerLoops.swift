import Addresses
import Bytes
import Datagrams
import Deadlines

/// The media threads of this instance. A room's id says on which one it lives, so nobody has to keep a table of that.
final class MixerLoops: Sendable {
    let all: [MixerLoop]

    /// With `custody` for each thread, there are as many as there were.
    init(
        count: Int, priority: Int = 0, address: IPAddress, largestRoom: Int, linksPairs: Bool = false, custody: [RoomCustody] = [], onEvent: @escaping @Sendable (MixerEvent) -> Void
    ) throws(SocketError) {
        var loops: [MixerLoop] = []
        for number in 0..<(custody.isEmpty ? count : custody.count) {
            loops.append(
                try MixerLoop(
                    name: "mixer-\(number)", priority: priority, address: address, seed: .random(in: .min ... .max), largestRoom: largestRoom,
                    linksPairs: linksPairs, custody: custody.isEmpty ? nil : custody[number], onEvent: onEvent))
        }
        all = loops
    }

    func loop(of room: String) -> MixerLoop { all[index(of: room)] }

    private func index(of room: String) -> Int { Int(StableHash.hash(room.utf8) % UInt64(all.count)) }

    var seatCount: Int { all.reduce(0) { $0 + $1.seatCount.load(ordering: .relaxed) } }

    func roomIDs() async -> [String] {
        var ids: [String] = []
        for loop in all { ids += await loop.roomIDs() }
        return ids
    }

    /// Of those that there are.
    func snapshots(of rooms: some Collection<String>) async -> [String: RoomSnapshot] {
        var found: [String: RoomSnapshot] = [:]
        for (index, rooms) in Dictionary(grouping: rooms, by: index(of:)) {
            for snapshot in await all[index].snapshots(of: rooms) { found[snapshot.id] = snapshot }
        }
        return found
    }

    func silentSeats(for silence: Interval) async -> [SilentSeat] {
        var seats: [SilentSeat] = []
        for loop in all { seats += await loop.silentSeats(for: silence) }
        return seats
    }

    func stop() { for loop in all { loop.stop() } }
}
