internal import CSamplerate

/// Changes the sampling rate of one channel that comes in pieces, by libsamplerate's band-limited interpolation.
@safe struct SincConverter: ~Copyable {
    enum Quality {
        /// A delay of a few milliseconds.
        case fastest
        case medium
    }

    private let ratio: Double
    private let state: OpaquePointer
    private var made = [Float](repeating: 0, count: 4096)

    init(from: Int, to: Int, _ quality: Quality) throws(SoundError) {
        guard Resampler.rates.contains(from), Resampler.rates.contains(to) else {
            throw .unsupported("a change from \(from) Hz to \(to) Hz")
        }
        let state = try unsafe Self.state(quality)
        unsafe self.state = state
        ratio = Double(to) / Double(from)
    }

    private static func state(_ quality: Quality) throws(SoundError) -> OpaquePointer {
        var failure: Int32 = 0
        let kind = quality == .fastest ? Int32(SRC_SINC_FASTEST) : Int32(SRC_SINC_MEDIUM_QUALITY)
        guard let state = unsafe src_new(kind, 1, &failure), failure == 0 else { throw error(failure) }
        return unsafe state
    }

    deinit { _ = unsafe src_delete(state) }

    /// The first `count` of `samples`, which are in -1...1.
    mutating func append(_ samples: [Float], count: Int, to output: inout [Int16]) throws(SoundError) {
        var used = 0
        while used < min(count, samples.count) {
            let step = try convert(samples, used..<min(count, samples.count), isLast: false, to: &output)
            guard step.used > 0 || step.made > 0 else { return }
            used += step.used
        }
    }

    /// What the filter still holds.
    mutating func finish(_ output: inout [Int16]) throws(SoundError) {
        while try convert([0], 0..<0, isLast: true, to: &output).made > 0 {}
    }

    private mutating func convert(
        _ samples: [Float], _ range: Range<Int>, isLast: Bool, to result: inout [Int16]
    ) throws(SoundError) -> (used: Int, made: Int) {
        let ratio = ratio
        let state = unsafe state
        var conversion = unsafe SRC_DATA()
        var failure: Int32 = 0
        unsafe samples.withUnsafeBufferPointer { input in
            unsafe made.withUnsafeMutableBufferPointer { output in
                unsafe conversion.data_in = input.baseAddress?.advanced(by: range.lowerBound)
                unsafe conversion.input_frames = range.count
                unsafe conversion.data_out = output.baseAddress
                unsafe conversion.output_frames = output.count
                unsafe conversion.src_ratio = ratio
                unsafe conversion.end_of_input = isLast ? 1 : 0
                failure = unsafe src_process(state, &conversion)
            }
        }
        guard failure == 0 else { throw Self.error(failure) }
        let (used, count) = unsafe (Int(conversion.input_frames_used), Int(conversion.output_frames_gen))
        let kept = min(max(0, count), made.count)
        for index in 0..<kept { result.append(Resampler.linear(made[index])) }
        return (max(0, used), kept)
    }

    private static func error(_ failure: Int32) -> SoundError {
        .damaged("the sampling rate cannot be changed (libsamplerate error \(failure))")
    }
}
