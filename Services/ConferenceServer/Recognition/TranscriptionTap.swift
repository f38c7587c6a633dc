import Contracts
import Synchronization
import Threads

/// Sound of one seat on its way from the mixer's thread to the recognisers: frames as they are, and which side they are of. The
/// mixer never waits; what does not fit is counted, and its place is silence.
final class TranscriptionTap: Sendable {
    /// 12 s of one side.
    private static let capacity = 1 << 17

    let sides: [Transcription.Side]
    private let ring = RecordRing(capacity: capacity)
    private let isOver = Atomic<Bool>(false)
    private let lost = Atomic<Int>(0)

    init(_ direction: Transcription.Direction) { sides = direction.sides }

    /// The mixer's thread; 20 ms of µ-law.
    func put(_ codes: Span<UInt8>, _ side: Transcription.Side) {
        var head = RecordRing.Head(repeating: 0)
        head[0] = side == .in ? 0 : 1
        if !ring.append(head, codes) { lost.add(1, ordering: .relaxed) }
    }

    /// No more comes.
    func end() { isOver.store(true, ordering: .releasing) }

    /// The thread of the recognisers: what has come; false when that was the last.
    func drain(_ body: (Transcription.Side, Span<UInt8>) -> Void) -> Bool {
        let wasOver = isOver.load(ordering: .acquiring)
        ring.drain { head, codes in body(head[0] == 0 ? .in : .out, codes) }
        return !wasOver
    }

    /// Frames that did not fit since the last question.
    func takeLost() -> Int { lost.exchange(0, ordering: .relaxed) }
}

/// The mixer's end of a tap: when its watch goes, whatever the reason, the sound is over.
final class TapWriter {
    let tap: TranscriptionTap

    init(_ tap: TranscriptionTap) { self.tap = tap }

    deinit { tap.end() }
}
