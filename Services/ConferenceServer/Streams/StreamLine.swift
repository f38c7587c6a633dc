import Audio
import Synchronization
import Threads

/// Between the thread of a room and that of a socket: frames of µ-law both ways, bounded, and never waited for.
final class StreamLine: Sendable {
    enum Signal: UInt64 { case sound, digit }

    /// Why a stream's place in its room is over; the first reason counts.
    enum End: UInt8, Sendable {
        case no, requested, participantLeft, roomEnded

        var name: String {
            switch self {
            case .no, .requested: "requested"
            case .participantLeft: "participant_left"
            case .roomEnded: "room_ended"
            }
        }
    }

    /// Half a second.
    private let toSocket = RecordRing(capacity: 25 * 224)
    private let toRoom = RecordRing(capacity: 16 * 224)
    /// Frames that the room has taken, or passed over because they were taken back.
    private let takenFrames = Atomic<Int>(0)
    /// Frames of an earlier one have been taken back.
    private let generation = Atomic<UInt64>(0)
    private let lostFrames = Atomic<Int>(0)
    private let end = Atomic<UInt8>(0)

    // MARK: The room's thread

    /// The next frame, at `offset`; false when there is none, and silence stands there.
    func take(into codes: inout [UInt8], at offset: Int) -> Bool {
        var isTaken = false
        while !isTaken {
            var isEmpty = true
            let valid = generation.load(ordering: .acquiring)
            toRoom.drain(atMost: 1) { head, bytes in
                isEmpty = false
                takenFrames.add(1, ordering: .releasing)
                guard head[0] == valid, bytes.count == Samples.frame else { return }
                var places = codes.mutableSpan
                for index in bytes.indices { places[offset + index] = bytes[index] }
                isTaken = true
            }
            if isEmpty { break }
        }
        if !isTaken {
            for index in offset..<(offset + Samples.frame) { codes[index] = G711.Law.ulaw.silence }
        }
        return isTaken
    }

    func send(_ codes: Span<UInt8>) {
        if !toSocket.append([Signal.sound.rawValue, 0, 0, 0, 0, 0], codes) { lostFrames.add(1, ordering: .relaxed) }
    }

    func send(_ digit: Character) {
        guard let code = digit.asciiValue else { return }
        let none: [UInt8] = []
        if !toSocket.append([Signal.digit.rawValue, UInt64(code), 0, 0, 0, 0], none.span) { lostFrames.add(1, ordering: .relaxed) }
    }

    func close(_ reason: End) { _ = end.compareExchange(expected: 0, desired: reason.rawValue, ordering: .releasing) }

    // MARK: The socket's thread

    /// False when the room has not taken what it was given before.
    func feed(_ codes: [UInt8]) -> Bool {
        toRoom.append([generation.load(ordering: .relaxed), 0, 0, 0, 0, 0], codes.span)
    }

    /// The room hears nothing more of what it was given.
    func takeBack() { generation.add(1, ordering: .releasing) }

    var taken: Int { takenFrames.load(ordering: .acquiring) }
    /// Frames that the socket's thread was too late for.
    var lost: Int { lostFrames.load(ordering: .relaxed) }

    func hear(_ sound: ([UInt8]) -> Void, digit: (Character) -> Void) {
        toSocket.drain { head, bytes in
            if head[0] == Signal.digit.rawValue {
                digit(Character(UnicodeScalar(UInt8(truncatingIfNeeded: head[1]))))
            } else {
                var codes: [UInt8] = []
                codes.reserveCapacity(bytes.count)
                for index in bytes.indices { codes.append(bytes[index]) }
                sound(codes)
            }
        }
    }

    /// Nil while it has its place in the room.
    var ended: End? {
        let reason = End(rawValue: end.load(ordering: .acquiring)) ?? .requested
        return reason == .no ? nil : reason
    }
}
