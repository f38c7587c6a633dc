import Audio
import Synchronization

/// One second of a tone, encoded once and sent round and round: whole hertz close on themselves after a second.
final class ToneLoop: Sendable {
    private struct Key: Hashable {
        let frequency: Int?
        let law: G711.Law
    }

    private static let known = Mutex<[Key: ToneLoop]>([:])
    private let frames: [[UInt8]]

    private init(frequency: Int?, law: G711.Law) {
        let samples: [Int16]
        if let frequency {
            var tone = Tone(frequency: Double(frequency), level: .dBm0(-10))
            samples = tone.next(Samples.rate)
        } else {
            samples = Array(repeating: 0, count: Samples.rate)
        }
        let codes = G711.encode(samples, law)
        frames = stride(from: 0, to: codes.count, by: Samples.frame).map { Array(codes[$0..<$0 + Samples.frame]) }
    }

    /// `frequency` in hertz; nil is silence.
    static func of(frequency: Int?, law: G711.Law) -> ToneLoop {
        known.withLock { known in
            let key = Key(frequency: frequency, law: law)
            if let loop = known[key] { return loop }
            let loop = ToneLoop(frequency: frequency, law: law)
            known[key] = loop
            return loop
        }
    }

    /// The frame of 20 ms with that number.
    subscript(number: Int) -> [UInt8] { frames[number % frames.count] }
}
