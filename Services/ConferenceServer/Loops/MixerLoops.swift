import Addresses
import Bytes
import Datagrams
import Deadlines

/// The media threads of this instance. A room's id says on which one it lives, so nobody has to keep a table of that.
final class MixerLoops: Sendable {
    private let loops: [MixerLoop]

    init(count: Int, address: IPAddress, largestRoom: Int, onEvent: @escaping @Sendable (MixerEvent) -> Void) throws(SocketError) {
        var loops: [MixerLoop] = []
        for number in 0..<count {
            loops.append(
                try MixerLoop(
                    name: "mixer-\(number)", address: address, seed: .random(in: .min ... .max), largestRoom: largestRoom,
                    onEvent: onEvent))
        }
        self.loops = loops
    }

    func loop(of room: String) -> MixerLoop { loops[Int(StableHash.hash(room.utf8) % UInt64(loops.count))] }

    var seatCount: Int { loops.reduce(0) { $0 + $1.seatCount.load(ordering: .relaxed) } }

    func roomIDs() async -> [String] {
        var ids: [String] = []
        for loop in loops { ids += await loop.roomIDs() }
        return ids
    }

    func silentSeats(for silence: Interval) async -> [SilentSeat] {
        var seats: [SilentSeat] = []
        for loop in loops { seats += await loop.silentSeats(for: silence) }
        return seats
    }

    func stop() { for loop in loops { loop.stop() } }
}
