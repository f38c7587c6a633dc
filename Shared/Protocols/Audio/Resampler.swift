internal import CSamplerate

/// Changes the sampling rate of a finished piece of sound (libsamplerate, band-limited sinc interpolation).
public enum Resampler {
    /// What may come in: from telephone quality down to the lowest and up to the highest rate sound files use.
    public static let rates = 4000...192_000

    /// `samples` are in -1...1; the result is at `Samples.rate`.
    public static func telephone(_ samples: [Float], rate: Int) throws(SoundError) -> Samples {
        guard rates.contains(rate) else { throw .unsupported("a sampling rate of \(rate) Hz") }
        guard rate != Samples.rate, !samples.isEmpty else { return Samples(samples.map(linear)) }
        let ratio = Double(Samples.rate) / Double(rate)
        let room = Int((Double(samples.count) * ratio).rounded(.up)) + 16
        var failure: Int32 = 0
        var output = [Float](repeating: 0, count: room)
        var made = 0
        unsafe samples.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                var conversion = unsafe SRC_DATA()
                unsafe conversion.data_in = input.baseAddress
                unsafe conversion.input_frames = input.count
                unsafe conversion.data_out = output.baseAddress
                unsafe conversion.output_frames = room
                unsafe conversion.src_ratio = ratio
                failure = unsafe src_simple(&conversion, Int32(SRC_SINC_MEDIUM_QUALITY), 1)
                made = unsafe conversion.output_frames_gen
            }
        }
        guard failure == 0 else { throw .damaged("the sampling rate cannot be changed (libsamplerate error \(failure))") }
        return Samples(output.prefix(made).map(linear))
    }

    public static func telephone(_ samples: [Int16], rate: Int) throws(SoundError) -> Samples {
        guard rate != Samples.rate else { return Samples(samples) }
        return try telephone(samples.map { Float($0) / 32768 }, rate: rate)
    }

    static func linear(_ value: Float) -> Int16 {
        // A decoder may hand out NaN for a damaged frame: silence.
        guard value.isFinite else { return 0 }
        return Int16(max(-32768, min(32767, (value * 32768).rounded())))
    }
}
