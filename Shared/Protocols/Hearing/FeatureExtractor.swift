internal import Audio
internal import Glibc

/// Makes features of frames of 160 samples. All memory is taken when it is made.
public struct FeatureExtractor: Sendable {
    /// Softer than this nothing is looked at more closely.
    private static let audible: Float = -60
    private static let hertzPerBin = Float(Samples.rate) / Float(Spectrum.length)
    /// The pitch of a voice: 62 to 400 Hz in samples of 4 kHz.
    private static let lags = 10...64

    private var spectrum = Spectrum()
    private var halved = [Float](repeating: 0, count: Samples.frame)
    private var tonalFrames = 0
    private var lastCentre: Float = 0
    private var lastLevel: Float = -96

    public init() {}

    public mutating func hear(_ frame: Span<Int16>) -> Features {
        precondition(frame.count == Samples.frame, "a frame is 20 ms")
        let level = max(-96, 10 * log10f(spectrum.take(frame) / (32768 * 32768) + 1e-12))
        defer { lastLevel = level }
        guard level > Self.audible else {
            (tonalFrames, lastCentre) = (0, 0)
            var features = Features.silence
            features.level = level
            return features
        }
        spectrum.transform()
        let (frequency, centre, share, pairShare) = peaks()
        // A tone that begins or stops is heard for the first time, or no more.
        let stands = pairShare > 0.82 && abs(centre - lastCentre) < 15 && abs(level - lastLevel) < 6
        tonalFrames = stands ? tonalFrames + 1 : 0
        lastCentre = centre
        return Features(
            level: level, voicing: voicing(), frequency: frequency, share: share, pairShare: pairShare, tonalFrames: tonalFrames)
    }

    /// Nothing came.
    public mutating func pause() {
        (tonalFrames, lastCentre, lastLevel) = (0, 0, -96)
        spectrum.forget()
    }

    /// The two strongest frequencies, each with what the window spreads of it; and the middle of both.
    private func peaks() -> (frequency: Float, centre: Float, share: Float, pairShare: Float) {
        let last = spectrum.power.count - 1
        var (total, best): (Float, Int) = (0, 3)
        for bin in 3...last {
            total += spectrum.power[bin]
            if spectrum.power[bin] > spectrum.power[best] { best = bin }
        }
        guard total > 0 else { return (0, 0, 0, 0) }
        let first = lobe(around: best, bins: 3)
        var second = -1
        for bin in 3...last where abs(bin - best) > 5 {
            if second < 0 || spectrum.power[bin] > spectrum.power[second] { second = bin }
        }
        let other = second < 0 ? (power: 0, moment: 0) : lobe(around: second, bins: 3)
        // Two that are 40 Hz apart, as in America's ringing, are one hump.
        let hump = lobe(around: best, bins: 5)
        let isHump = hump.power > first.power + other.power
        let pair = isHump ? hump : (power: first.power + other.power, moment: first.moment + other.moment)
        let centre = pair.moment / pair.power * Self.hertzPerBin
        // Between the bins, by the balance of what stands around the strongest.
        var (weighted, weight): (Float, Float) = (0, 0)
        for bin in max(3, best - 1)...min(last, best + 1) {
            let amplitude = spectrum.power[bin].squareRoot()
            weighted += amplitude * Float(bin)
            weight += amplitude
        }
        return (weighted / weight * Self.hertzPerBin, centre, first.power / total, min(1, pair.power / total))
    }

    private func lobe(around bin: Int, bins: Int) -> (power: Float, moment: Float) {
        var (power, moment): (Float, Float) = (0, 0)
        for index in max(3, bin - bins)...min(spectrum.power.count - 1, bin + bins) {
            power += spectrum.power[index]
            moment += spectrum.power[index] * Float(index)
        }
        return (power, moment)
    }

    /// The strongest likeness of the last 40 ms to themselves a pitch period before, at half the rate.
    private mutating func voicing() -> Float {
        let start = Spectrum.length - 2 * halved.count
        var mean: Float = 0
        for index in 0..<halved.count {
            halved[index] = spectrum.recent[start + 2 * index] + spectrum.recent[start + 2 * index + 1]
            mean += halved[index]
        }
        mean /= Float(halved.count)
        for index in 0..<halved.count { halved[index] -= mean }
        let length = halved.count - Self.lags.upperBound
        var (best, before): (Float, Float) = (0, 0)
        var isRising = false
        for lag in Self.lags {
            let likeness = likeness(lag: lag, length: length)
            // A maximum and no slope: what is low-pitched noise is like itself at every short distance.
            if isRising, likeness <= before { best = max(best, before) }
            isRising = likeness > before
            before = likeness
        }
        return min(1, max(0, best))
    }

    private func likeness(lag: Int, length: Int) -> Float {
        var (product, own, shifted) = (SIMD8<Float>(), SIMD8<Float>(), SIMD8<Float>())
        var index = 0
        while index + 8 <= length {
            var (a, b) = (SIMD8<Float>(), SIMD8<Float>())
            for lane in 0..<8 {
                a[lane] = halved[index + lane]
                b[lane] = halved[index + lane + lag]
            }
            product += a * b
            own += a * a
            shifted += b * b
            index += 8
        }
        let energy = (own.sum() * shifted.sum()).squareRoot()
        return energy > 0 ? product.sum() / energy : 0
    }
}
