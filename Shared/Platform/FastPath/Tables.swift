internal import CLinux
internal import Deadlines
internal import Glibc

/// The two tables of the program: which slot a stream has, and what stands there.
///
/// In two, because what is removed from the kernel's hash tables may be another entry in the same moment, while a packet is still being
/// forwarded by it; the values of an array stay, and who has a slot next is our affair.
struct Tables: Sendable {
    let ways: Int32
    let streams: Int32

    func progress(_ slot: UInt32) -> FastPath.Progress? {
        var (slot, flow) = (slot, tandem_flow())
        return unsafe tandem_map_read(streams, &slot, &flow) == 0 ? FastPath.Progress(flow) : nil
    }

    /// The slot it had.
    func remove(_ way: FastPath.Way) -> UInt32? {
        guard var key = way.key else { return nil }
        var slot: UInt32 = 0
        return unsafe tandem_map_take(ways, &key, &slot) == 0 ? slot : nil
    }
}

/// Slots that are free. One that was given back rests until no packet can be under way by it any more.
struct Slots {
    private static let rest = Interval.seconds(1)

    private var free: [(slot: UInt32, from: Instant)] = []
    private var first = 0
    /// How many may be taken at once.
    private var left: Int

    init(count: Int, used: Int) {
        free = (0..<UInt32(clamping: count)).map { ($0, Instant(nanoseconds: 0)) }
        left = used
    }

    mutating func take(now: Instant) -> UInt32? {
        guard left > 0, first < free.count, free[first].from <= now else { return nil }
        let slot = free[first].slot
        left -= 1
        first += 1
        if first > 1024, first * 2 > free.count {
            free.removeFirst(first)
            first = 0
        }
        return slot
    }

    mutating func giveBack(_ slot: UInt32, now: Instant) {
        left += 1
        free.append((slot, now + Self.rest))
    }
}

enum MonotonicTime {
    static func now() -> Instant { Instant(nanoseconds: tandem_monotonic_nanoseconds()) }
}
