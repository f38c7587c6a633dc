import Audio
import Contracts
import RTP
import Threads

/// What copies a room's sound for one recording, for as long as it goes on. On the mixer's thread only: what is copied goes to the
/// writing thread through a ring that never makes anybody wait.
final class RoomTap {
    /// What a record of the ring holds; the frame's place in the recording stands in its head.
    enum Kind: UInt64 {
        /// What everybody hears together: 160 linear samples, or nothing when it is silent.
        case mix
        /// What a participant says, then what it hears: 160 µ-law codes each, as the flags say.
        case sides
        /// What one of many says.
        case track
        /// Who the voice of a track is: its id, a line's end, and its call.
        case name
        /// Time passes.
        case clock
    }

    enum Flag {
        static let voice: UInt64 = 1
        static let heard: UInt64 = 2
        /// A key is down.
        static let key: UInt64 = 4
        /// Somebody is asked for a secret: keys are silence, whatever the recording is to have of others.
        static let hidden: UInt64 = 8
    }

    /// What is to be copied, and where to.
    struct Order: Sendable {
        /// Names the recording in the ring.
        var number: UInt32
        var recordingID: String
        var roomID: String
        /// Nil: the whole room.
        var participantID: String?
        var terms: RecordingTerms
        /// In frames, of what was recorded before.
        var position = 0
        var isPaused = false
        /// A tone is due.
        var beeps = false
        let ring: RecordRing
    }

    let order: Order
    /// Of the participant; nil: the whole room.
    let slot: Int?
    /// The tick at which the recording would have begun without a pause.
    private var origin: UInt64
    private var pausedAt: UInt64?
    /// What the participant heard in this tick, and whether it heard anything.
    private(set) var ear = [UInt8](repeating: 0, count: Samples.frame)
    var hasEar = false
    /// Voices whose names found no room in the ring.
    private var unnamed: [(ssrc: UInt32, text: [UInt8])] = []
    private(set) var dropped = 0

    init(_ order: Order, slot: Int?, nextTick: UInt64) {
        (self.order, self.slot) = (order, slot)
        origin = nextTick &- UInt64(order.position)
        if order.isPaused { pausedAt = nextTick }
    }

    var isPaused: Bool { pausedAt != nil }

    /// The place of the frame of this tick.
    func position(at tick: UInt64) -> Int { Int(truncatingIfNeeded: (pausedAt ?? tick) &- origin) }

    func pause(_ paused: Bool, nextTick: UInt64) {
        if paused, pausedAt == nil {
            pausedAt = nextTick
        } else if !paused, let began = pausedAt {
            origin &+= nextTick &- began
            pausedAt = nil
        }
    }

    func keep(ear payload: Span<UInt8>) {
        for index in 0..<min(ear.count, payload.count) { ear[index] = payload[index] }
        hasEar = true
    }

    func copy(_ kind: Kind, _ bytes: Span<UInt8>, at position: Int, flags: UInt64 = 0, track: UInt32 = 0) {
        let head: RecordRing.Head = [
            UInt64(order.number) << 32 | kind.rawValue, UInt64(truncatingIfNeeded: position), flags, UInt64(track), 0, 0,
        ]
        if !order.ring.append(head, bytes) { dropped += 1 }
    }

    func name(_ ssrc: UInt32, _ settings: ParticipantSettings) {
        unnamed.append((ssrc, Array("\(settings.participantID)\n\(settings.callID)".utf8)))
        sayNames()
    }

    /// Called in every tick, and takes memory in none: there is nothing to say but after somebody came.
    func sayNames() {
        while let (ssrc, text) = unnamed.first {
            let head: RecordRing.Head = [UInt64(order.number) << 32 | Kind.name.rawValue, 0, 0, UInt64(ssrc), 0, 0]
            guard order.ring.append(head, text.span) else { return }
            unnamed.removeFirst()
        }
    }
}

/// A recording gets nothing more from its room.
struct TapEnd: Sendable, Equatable {
    var number: UInt32
    var roomID: String
    var reason: Recording.End
    /// In frames.
    var position: Int
    var isPaused: Bool
    /// Frames that found no room in the ring.
    var dropped: Int
}

/// How far a recording has come: what a successor of the room needs to go on with it.
struct RecordingPosition: Codable, Sendable, Equatable {
    var id: String
    var participantID: String?
    var terms: RecordingTerms
    /// Of sound that was recorded when the snapshot was taken.
    var milliseconds: Int
    var paused: Bool
}

/// Memory in which a frame is put together for the ring.
struct TapScratch {
    var samples = [Int16](repeating: 0, count: Samples.frame)
    /// Two frames of codes, or one of linear samples.
    var bytes = [UInt8](repeating: 0, count: 2 * Samples.frame)

    static func write(_ mix: Mix, into scratch: inout TapScratch) {
        do {
            var samples = scratch.samples.mutableSpan
            mix.write(into: &samples)
        }
        for index in 0..<Samples.frame {
            let value = UInt16(bitPattern: scratch.samples[index])
            scratch.bytes[2 * index] = UInt8(truncatingIfNeeded: value)
            scratch.bytes[2 * index + 1] = UInt8(truncatingIfNeeded: value >> 8)
        }
    }

    static func write(_ codes: [UInt8], from start: Int, into bytes: inout [UInt8], at offset: Int) {
        let frame = codes.span.extracting(start..<(start + Samples.frame))
        var bytes = bytes.mutableSpan
        for index in frame.indices { bytes[offset + index] = frame[index] }
    }
}
