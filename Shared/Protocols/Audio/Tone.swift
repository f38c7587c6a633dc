internal import Glibc

/// A sine, or the sum of several, sampled at 8 kHz; phase goes on from one call to the next.
public struct Tone: Sendable {
    public let frequencies: [Double]
    private let amplitude: Double
    private var phases: [Double]
    private let steps: [Double]

    /// `level` is that of each component.
    public init(frequencies: [Double], level: Level = .dBm0(-10)) {
        self.frequencies = frequencies
        amplitude = level.amplitude
        phases = frequencies.map { _ in 0 }
        steps = frequencies.map { 2 * .pi * $0 / Double(Samples.rate) }
    }

    public init(frequency: Double, level: Level = .dBm0(-10)) {
        self.init(frequencies: [frequency], level: level)
    }

    /// Overwrites `samples` with what comes next.
    public mutating func fill(_ samples: inout MutableSpan<Int16>) {
        for index in samples.indices { samples[index] = nextSample() }
    }

    public mutating func next(_ count: Int) -> [Int16] {
        var samples: [Int16] = []
        samples.reserveCapacity(count)
        for _ in 0..<count { samples.append(nextSample()) }
        return samples
    }

    private mutating func nextSample() -> Int16 {
        var sum = 0.0
        for index in phases.indices {
            sum += sin(phases[index])
            phases[index] += steps[index]
            if phases[index] >= 2 * .pi { phases[index] -= 2 * .pi }
        }
        return Int16(max(-32768, min(32767, (sum * amplitude).rounded())))
    }
}
