internal import Glibc

/// The Goertzel recurrence: how much of one frequency a block of samples holds.
public enum Goertzel {
    /// The peak amplitude of the sine of `frequency` in the block, through a Hann window so that a neighbouring tone
    /// 20 Hz away does not leak into a block of 200 ms.
    public static func amplitude(of frequency: Double, in samples: Span<Int16>, rate: Int = Samples.rate) -> Double {
        let count = samples.count
        guard count > 1 else { return 0 }
        let coefficient = 2 * cos(2 * .pi * frequency / Double(rate))
        let windowStep = 2 * .pi / Double(count)
        var (previous, beforeThat, windowSum) = (0.0, 0.0, 0.0)
        for index in 0..<count {
            let window = 0.5 - 0.5 * cos(windowStep * Double(index))
            windowSum += window
            (previous, beforeThat) =
                (Double(samples[index]) * window + coefficient * previous - beforeThat, previous)
        }
        let power = previous * previous + beforeThat * beforeThat - coefficient * previous * beforeThat
        return 2 * max(0, power).squareRoot() / windowSum
    }
}

/// Listens: keeps the last stretch of a stream and tells its level and which tones it holds.
public struct ToneMeter: Sendable {
    private let window: Int
    private var ring: [Int16] = []
    private var next = 0

    /// `window` samples are kept: the longer, the finer the frequencies told apart (1600 = 200 ms resolves 20 Hz).
    public init(window: Int = 1600) {
        self.window = max(2, window)
        ring.reserveCapacity(self.window)
    }

    /// True once a whole window has been heard.
    public var isFull: Bool { ring.count == window }

    public mutating func append(_ samples: some Sequence<Int16>) {
        for sample in samples {
            if ring.count < window { ring.append(sample) } else { ring[next] = sample }
            next = (next + 1) % window
        }
    }

    public mutating func clear() {
        ring.removeAll(keepingCapacity: true)
        next = 0
    }

    /// The samples of the window, oldest first.
    private var heard: [Int16] { isFull ? Array(ring[next...] + ring[..<next]) : ring }

    /// The level of one frequency in dBFS; about -120 when it is not there.
    public func hears(_ frequency: Double) -> Double {
        Level(amplitude: Goertzel.amplitude(of: frequency, in: heard.span)).dBFS
    }

    /// The level of everything in dBFS.
    public var level: Double { Level(of: ring.span).dBFS }

    /// Those of `frequencies` that are louder than `threshold`.
    public func tones(among frequencies: [Double], above threshold: Level = .dBFS(-35)) -> [Double] {
        frequencies.filter { hears($0) > threshold.dBFS }
    }
}
