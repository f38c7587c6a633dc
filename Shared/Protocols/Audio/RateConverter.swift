/// Changes the sampling rate of a sound that goes on for as long as a call does (libsamplerate, the fast band-limited converter: its
/// delay is a few milliseconds). Between equal rates it does nothing.
public struct RateConverter: ~Copyable {
    /// Nil when the rates are equal.
    private var converter: SincConverter?
    private var input: [Float] = []

    public init(from: Int, to: Int) throws(SoundError) {
        converter = from == to && Resampler.rates.contains(from) ? nil : try SincConverter(from: from, to: to, .fastest)
    }

    public mutating func append(_ samples: [Int16], to result: inout [Int16]) throws(SoundError) {
        guard converter != nil else {
            result.append(contentsOf: samples)
            return
        }
        input.removeAll(keepingCapacity: true)
        for sample in samples { input.append(Float(sample) / 32768) }
        try converter?.append(input, count: input.count, to: &result)
    }
}
