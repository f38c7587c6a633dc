/// Hears telephone keys in sound of 8 kHz (spandsp's detector, made to the requirements of ITU-T Q.24), reports each once
/// when it begins and once when it ends, and takes them out of the sound when asked to.
///
/// Taking out costs 25.5 ms of delay: a tone is certain only after two blocks, and what precedes certainty must not have left.
public struct ToneDetector: ~Copyable {
    public enum Event: Hashable, Sendable {
        /// The event code of RFC 4733 §3.2: 0...9, 10 `*`, 11 `#`, 12...15 A...D.
        case began(UInt8)
        /// With its length in samples.
        case ended(UInt8, duration: Int)
    }

    /// spandsp decides after each block of 102 samples.
    private static let block = 102
    public static let erasingDelay = 2 * block

    private let receiver: ToneReceiver
    private let erases: Bool
    private var filled = 0
    private var heard = 0
    private var current: UInt8 = 0
    private var beganAt = 0
    /// The block that fills, and the two before it; which of them hold a tone.
    private var line: [Int16]
    private var marks = InlineArray<3, Bool>(repeating: false)
    private var block = 0
    private var gain = 256

    public init(erasing: Bool = false) throws(CodecError) {
        receiver = try ToneReceiver()
        erases = erasing
        line = Array(repeating: 0, count: erasing ? 3 * Self.block : 0)
    }

    /// Hears `sound` from `position` to the next event, and moves `position` there; nil when it has heard all of it.
    public mutating func pass(_ sound: inout MutableSpan<Int16>, from position: inout Int, to end: Int? = nil) -> Event? {
        let end = min(end ?? sound.count, sound.count)
        while position < end {
            if let event = change() { return event }
            let count = min(Self.block - filled, end - position)
            receiver.hear(sound.span.extracting(position..<(position + count)))
            if erases { exchange(&sound, position, count) }
            position += count
            filled += count
            heard += count
            if filled == Self.block { complete() }
        }
        return change()
    }

    private mutating func change() -> Event? {
        let key = receiver.key
        guard key != current else { return nil }
        // Both the beginning and the end are certain after two blocks.
        let since = heard - 2 * Self.block
        if let code = Self.code(of: current) {
            current = 0
            return .ended(code, duration: max(Self.block, since - beganAt))
        }
        current = key
        beganAt = since
        return Self.code(of: key).map { .began($0) }
    }

    private mutating func complete() {
        filled = 0
        let hit = receiver.hears
        marks[block] = hit
        // A tone that is heard in this block may have begun in the one before.
        if hit { marks[(block + 2) % 3] = true }
        block = (block + 1) % 3
    }

    /// Puts the new samples into the line, and in their place those of two blocks ago, quiet where there was a tone.
    private mutating func exchange(_ sound: inout MutableSpan<Int16>, _ position: Int, _ count: Int) {
        let leaving = (block + 1) % 3
        gain = Self.exchange(
            &sound, position, count, &line, old: leaving * Self.block + filled, new: block * Self.block + filled, gain: gain,
            target: marks[leaving] ? 0 : 256)
    }

    /// The gain at the end. Static, so that no memory is looked up twice.
    private static func exchange(
        _ sound: inout MutableSpan<Int16>, _ position: Int, _ count: Int, _ line: inout [Int16], old: Int, new: Int, gain: Int, target: Int
    ) -> Int {
        var line = line.mutableSpan
        var gain = gain
        for index in 0..<count {
            let (arriving, leaving) = (sound[position + index], line[old + index])
            // 1 ms from loud to quiet, so that nothing clicks.
            if gain != target { gain += gain < target ? 32 : -32 }
            sound[position + index] = gain == 256 ? leaving : Int16(truncatingIfNeeded: (Int(leaving) * gain) >> 8)
            line[new + index] = arriving
        }
        return gain
    }

    private static func code(of key: UInt8) -> UInt8? {
        switch key {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): key - UInt8(ascii: "0")
        case UInt8(ascii: "*"): 10
        case UInt8(ascii: "#"): 11
        case UInt8(ascii: "A")...UInt8(ascii: "D"): key - UInt8(ascii: "A") + 12
        default: nil
        }
    }
}
