import Processes

/// Where the seats and rooms of one mixer thread stand, tick by tick, in memory that outlives the process.
final class RoomShelf: Sendable {
    /// Tells one form of what lies there from another: a successor of another version takes none of it for its own.
    static let layout =
        "1/\(MemoryLayout<TickPosition>.size)/\(MemoryLayout<SeatPosition>.size)/\(MemoryLayout<RoomPosition>.size)"
    /// As many as an SSRC can name.
    static let slots = 0x1_0000

    private static let tickRoom = SharedMemory.room(MemoryLayout<TickPosition>.size)
    private static let seatRoom = SharedMemory.room(MemoryLayout<SeatPosition>.size)
    private static let roomRoom = SharedMemory.room(MemoryLayout<RoomPosition>.size)
    private static let size = tickRoom + slots * (seatRoom + roomRoom)

    let memory: SharedMemory

    /// It takes memory where it is written only; nil when the system has none.
    init?() {
        guard let memory = SharedMemory(name: "tandem-rooms", size: Self.size) else { return nil }
        self.memory = memory
    }

    init?(adopting descriptor: Descriptor) {
        guard let memory = SharedMemory(adopting: descriptor, size: Self.size) else { return nil }
        self.memory = memory
    }

    private static func seat(_ slot: Int) -> Int { tickRoom + slot * seatRoom }
    private static func room(_ place: Int) -> Int { tickRoom + slots * seatRoom + place * roomRoom }

    func write(_ position: TickPosition) { unsafe withUnsafeBytes(of: position) { unsafe memory.write($0, at: 0) } }

    func write(_ position: SeatPosition, of slot: Int) {
        guard slot < Self.slots else { return }
        unsafe withUnsafeBytes(of: position) { unsafe memory.write($0, at: Self.seat(slot)) }
    }

    func write(_ position: RoomPosition, of place: Int) {
        guard place < Self.slots else { return }
        unsafe withUnsafeBytes(of: position) { unsafe memory.write($0, at: Self.room(place)) }
    }

    /// Nil: nothing was ever written.
    var tick: TickPosition? { read(TickPosition(), at: 0) }

    func seat(_ slot: Int, of ssrc: UInt32) -> SeatPosition? {
        guard (0..<Self.slots).contains(slot) else { return nil }
        return read(SeatPosition(), at: Self.seat(slot)).flatMap { $0.ssrc == ssrc ? $0 : nil }
    }

    func room(_ place: Int, number: UInt64) -> RoomPosition? {
        guard (0..<Self.slots).contains(place) else { return nil }
        return read(RoomPosition(), at: Self.room(place)).flatMap { $0.number == number ? $0 : nil }
    }

    private func read<Position: BitwiseCopyable>(_ blank: Position, at offset: Int) -> Position? {
        var position = blank
        return unsafe withUnsafeMutableBytes(of: &position) { unsafe memory.read(into: $0, at: offset) } ? position : nil
    }
}

/// Of a thread.
struct TickPosition: BitwiseCopyable {
    var tick: UInt64 = 0
    /// When the last tick was due, on the machine's monotonic clock in ns.
    var due: UInt64 = 0
}

/// Where a play is.
struct PlayMark: BitwiseCopyable, Hashable {
    /// Of the play; 0: none.
    var number: UInt64 = 0
    /// In samples from the beginning of its sound.
    var place: Int64 = 0
    /// Negative: for ever.
    var passesLeft: Int64 = 0
}

/// Of a seat: the numbers of its stream, the key that is down, the plays of its ear.
struct SeatPosition: BitwiseCopyable {
    var ssrc: UInt32 = 0
    var clock: UInt32 = 0
    var sequence: UInt16 = 0
    var startsTalkspurt = true
    /// Of those that were waiting when they were deposited.
    var digitsLeft: UInt16 = 0
    var key = EventMark()
    var forwarded = ForwardedMark()
    var heard = PlayMark()
    var background = PlayMark()
}

struct EventMark: BitwiseCopyable {
    var isThere = false
    var isEnded = false
    var code: UInt8 = 0
    var duration: UInt16 = 0
    var timestamp: UInt32 = 0
}

struct ForwardedMark: BitwiseCopyable {
    var isThere = false
    var sender: UInt32 = 0
    var theirs: UInt32 = 0
    var ours: UInt32 = 0
}

/// Of a room: what everybody in it hears.
struct RoomPosition: BitwiseCopyable {
    var number: UInt64 = 0
    var heard = PlayMark()
    var background = PlayMark()
}
