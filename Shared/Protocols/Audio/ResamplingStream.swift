/// Changes the sampling rate of a sound that comes in pieces to that of the telephone (libsamplerate), so that a long one is
/// never held at its own rate.
struct ResamplingStream: ~Copyable {
    /// Nil when the rate is the telephone's already.
    private var converter: SincConverter?

    init(rate: Int) throws(SoundError) {
        guard Resampler.rates.contains(rate) else { throw .unsupported("a sampling rate of \(rate) Hz") }
        converter = rate == Samples.rate ? nil : try SincConverter(from: rate, to: Samples.rate, .medium)
    }

    /// `count` of `samples`, which are in -1...1.
    mutating func append(_ samples: [Float], count: Int, to output: inout [Int16]) throws(SoundError) {
        guard converter != nil else {
            output.append(contentsOf: samples.prefix(count).lazy.map(Resampler.linear))
            return
        }
        try converter?.append(samples, count: count, to: &output)
    }

    /// What the filter still holds.
    mutating func finish(_ output: inout [Int16]) throws(SoundError) { try converter?.finish(&output) }
}
