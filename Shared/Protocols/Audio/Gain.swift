internal import Glibc

/// A volume that is changed without a click: every change takes the length of one frame.
public struct Gain: Sendable, Equatable {
    /// What can be asked for: softer is silence, louder is noise.
    public static let range = -60.0...20.0
    /// 1 as a fixed-point number; the largest gain times the largest sample fits 32 bits.
    private static let one: Int32 = 1 << 12

    public private(set) var decibels: Double
    private var target: Int32
    private var current: Int32

    /// In dB, brought into `range`; what is no number is 0.
    public init(decibels: Double = 0) {
        (self.decibels, target) = Self.judge(decibels)
        current = target
    }

    public mutating func change(to decibels: Double) {
        (self.decibels, target) = Self.judge(decibels)
    }

    /// Nothing to do: the sound stays as it is.
    public var isUnity: Bool { current == target && target == Self.one }

    /// The next frame comes up from silence.
    public mutating func fadeIn() { current = 0 }

    /// The next frame, of which a fade to silence is made; after it the volume is what it was.
    public mutating func fadeOut(_ frame: inout [Int16]) {
        ramp(&frame, to: 0)
        current = 0
    }

    public mutating func apply(to frame: inout [Int16]) {
        guard !isUnity else { return }
        ramp(&frame, to: target)
        current = target
    }

    private func ramp(_ frame: inout [Int16], to end: Int32) {
        var samples = frame.mutableSpan
        let count = Int32(clamping: samples.count)
        let change = end &- current
        for index in samples.indices {
            let factor = change == 0 ? end : current &+ change &* Int32(truncatingIfNeeded: index &+ 1) / count
            let value = (Int32(samples[index]) &* factor) >> 12
            samples[index] = Int16(truncatingIfNeeded: max(-32768, min(32767, value)))
        }
    }

    private static func judge(_ decibels: Double) -> (Double, Int32) {
        let value = decibels.isNaN ? 0 : min(max(decibels, range.lowerBound), range.upperBound)
        return (value, Int32((pow(10, value / 20) * Double(one)).rounded()))
    }
}
