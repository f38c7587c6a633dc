internal import Glibc

/// The noise of a pause, made from the level and spectrum the sender described (RFC 3389 §3).
public struct ComfortNoise: Sendable {
    /// RFC 3389 sets no limit; more of the spectrum is not told by a telephone.
    private static let maximumOrder = 16
    private var reflections = InlineArray<16, Float>(repeating: 0)
    private var memory = InlineArray<17, Float>(repeating: 0)
    private var order = 0
    /// The peak of the white noise that drives the filter; it glides to a new level.
    private var wanted: Float = 0
    private var amplitude: Float = 0
    private var seed: UInt32

    /// The same seed makes the same noise.
    public init(seed: UInt32 = 0x2545_f491) { self.seed = seed }

    /// Takes a description: the level in -dBov, then reflection coefficients; false when it is empty.
    @discardableResult
    public mutating func describe(_ payload: Span<UInt8>) -> Bool {
        guard !payload.isEmpty else { return false }
        order = min(payload.count - 1, Self.maximumOrder)
        var gain: Float = 1
        for index in 0..<order {
            // §3.2: N = 127 is zero; the outermost values would make the filter unstable.
            let value = max(-0.98, min(0.98, (Float(payload[index + 1]) - 127) / 128))
            reflections[index] = value
            gain *= 1 - value * value
        }
        for index in order..<Self.maximumOrder { memory[index + 1] = 0 }
        // 0 dBov is the square wave of full scale; even noise between ±1 has a third of its power.
        let level = 32767 * pow(10, -Float(payload[0] & 0x7f) / 20)
        wanted = level * (3 * gain).squareRoot()
        return true
    }

    /// Overwrites the first `count` samples.
    public mutating func fill(_ sound: inout MutableSpan<Int16>, count: Int) {
        for index in 0..<min(count, sound.count) {
            amplitude += (wanted - amplitude) / 64
            seed = seed &* 1_664_525 &+ 1_013_904_223
            var error = amplitude * Float(Int32(bitPattern: seed)) / 2_147_483_648
            var stage = order
            while stage > 0 {
                stage -= 1
                error -= reflections[stage] * memory[stage]
                memory[stage + 1] = memory[stage] + reflections[stage] * error
            }
            memory[0] = error
            sound[index] = Int16(max(-32767, min(32767, error)))
        }
    }

    /// A pause ended: the next one begins quietly.
    public mutating func fade() { amplitude = 0 }
}
