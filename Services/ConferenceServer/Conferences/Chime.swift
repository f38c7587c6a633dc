import Audio

/// The short signals of a conference: notes one after the other, made once.
enum Chime: Sendable, CaseIterable {
    case askPIN, wrongPIN, waiting, entry, exit, on, off, refused, recorded

    /// Hz (0 is a pause) and ms.
    private var notes: [(frequency: Double, milliseconds: Int)] {
        switch self {
        case .askPIN: [(560, 500)]
        case .wrongPIN: [(300, 200), (0, 100), (300, 200), (0, 100), (300, 200)]
        case .waiting: [(350, 250)]
        case .entry: [(800, 150), (1_000, 250)]
        case .exit: [(1_000, 150), (800, 250)]
        case .on: [(700, 120), (900, 120)]
        case .off: [(900, 120), (700, 120)]
        case .refused: [(300, 300)]
        // As ITU-T E.180 has the tone that warns of a recording.
        case .recorded: [(1_400, 400)]
        }
    }

    private var level: Level { self == .waiting ? .dBm0(-30) : .dBm0(-18) }

    var samples: [Int16] { Self.sounds[self] ?? [] }

    private static let sounds: [Chime: [Int16]] = Dictionary(
        uniqueKeysWithValues: allCases.map { chime in
            let samples = chime.notes.flatMap { note -> [Int16] in
                let count = note.milliseconds * Samples.rate / 1000
                guard note.frequency > 0 else { return Array(repeating: 0, count: count) }
                var tone = Tone(frequency: note.frequency, level: chime.level)
                return tone.next(count)
            }
            return (chime, samples)
        })
}

/// Where a chime is: heard over whatever else is heard.
struct ChimePlayer: Sendable {
    private var samples: [Int16] = []
    private var position = 0

    /// A chime that is heard already gives way.
    mutating func start(_ chime: Chime) { (samples, position) = (chime.samples, 0) }

    /// Adds the next 20 ms to `frame`, or overwrites what is no sound; false when nothing is heard.
    mutating func next(into frame: inout [Int16], over hasSound: Bool) -> Bool {
        guard position < samples.count else { return false }
        let count = min(frame.count, samples.count - position)
        Mixer.add(samples.span.extracting(position..<(position + count)), to: &frame, over: hasSound)
        position += count
        if position == samples.count { self = ChimePlayer() }
        return true
    }
}
