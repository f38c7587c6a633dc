/// Hears when somebody begins to speak: a stretch of sound well above what the line sounded like before. A click, a breath or
/// the noise of a car is no speech.
struct VoiceOnset: Sendable {
    /// So many of the last twelve frames: 160 of 240 ms.
    private static let needed = 8
    private static let window: UInt16 = 0x0fff
    /// The mean square of a sine of -42 dBFS.
    private static let softest: Int64 = 34_000
    /// 10 dB.
    private static let aboveFloor: Int64 = 10

    private var history: UInt16 = 0
    /// The power of the line when nobody speaks; falls at once and rises by 2 % a frame.
    private var floor: Int64?

    /// The mean square of the next frame; true when it makes speech of the last ones.
    mutating func hear(power: Int64) -> Bool {
        let power = max(0, power)
        let floor = min(self.floor.map { $0 + $0 / 50 + 1 } ?? power, power)
        self.floor = floor
        let isLoud = power > Self.softest && power > floor * Self.aboveFloor
        history = (history << 1 | (isLoud ? 1 : 0)) & Self.window
        return history.nonzeroBitCount >= Self.needed
    }

    /// Nothing came: neither speech nor silence.
    mutating func forget() { history = 0 }

    static func power(of samples: Span<Int16>) -> Int64 {
        var sum: Int64 = 0
        for index in samples.indices { sum &+= Int64(samples[index]) &* Int64(samples[index]) }
        return samples.isEmpty ? 0 : sum / Int64(samples.count)
    }
}
