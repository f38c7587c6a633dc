internal import CSamplerate

/// Changes the sampling rate of a sound that comes in pieces to that of the telephone (libsamplerate), so that a long one is
/// never held at its own rate.
@safe struct ResamplingStream: ~Copyable {
    private let ratio: Double
    /// Nil when the rate is the telephone's already.
    private let state: OpaquePointer?
    private let isSame: Bool
    private var made = [Float](repeating: 0, count: 4096)

    init(rate: Int) throws(SoundError) {
        guard Resampler.rates.contains(rate) else { throw .unsupported("a sampling rate of \(rate) Hz") }
        let state = try unsafe Self.state(rate)
        unsafe self.state = state
        isSame = rate == Samples.rate
        ratio = Double(Samples.rate) / Double(rate)
    }

    private static func state(_ rate: Int) throws(SoundError) -> OpaquePointer? {
        guard rate != Samples.rate else { return nil }
        var failure: Int32 = 0
        let state = unsafe src_new(Int32(SRC_SINC_MEDIUM_QUALITY), 1, &failure)
        guard let state = unsafe state, failure == 0 else { throw error(failure) }
        return unsafe state
    }

    deinit {
        if let state = unsafe state { _ = unsafe src_delete(state) }
    }

    /// `count` of `samples`, which are in -1...1.
    mutating func append(_ samples: [Float], count: Int, to output: inout [Int16]) throws(SoundError) {
        guard !isSame else {
            output.append(contentsOf: samples.prefix(count).lazy.map(Resampler.linear))
            return
        }
        var used = 0
        while used < min(count, samples.count) {
            let step = try convert(samples, from: used, to: min(count, samples.count), isLast: false)
            output.append(contentsOf: made.prefix(step.made).lazy.map(Resampler.linear))
            guard step.used > 0 || step.made > 0 else { break }
            used += step.used
        }
    }

    /// What the filter still holds.
    mutating func finish(_ output: inout [Int16]) throws(SoundError) {
        guard !isSame else { return }
        while true {
            let step = try convert([0], from: 0, to: 0, isLast: true)
            guard step.made > 0 else { return }
            output.append(contentsOf: made.prefix(step.made).lazy.map(Resampler.linear))
        }
    }

    private mutating func convert(
        _ samples: [Float], from start: Int, to end: Int, isLast: Bool
    ) throws(SoundError) -> (used: Int, made: Int) {
        let ratio = ratio
        let state = unsafe state
        var conversion = unsafe SRC_DATA()
        var failure: Int32 = 0
        unsafe samples.withUnsafeBufferPointer { input in
            unsafe made.withUnsafeMutableBufferPointer { output in
                unsafe conversion.data_in = input.baseAddress?.advanced(by: start)
                unsafe conversion.input_frames = end - start
                unsafe conversion.data_out = output.baseAddress
                unsafe conversion.output_frames = output.count
                unsafe conversion.src_ratio = ratio
                unsafe conversion.end_of_input = isLast ? 1 : 0
                failure = unsafe src_process(state, &conversion)
            }
        }
        guard failure == 0 else { throw Self.error(failure) }
        let (used, count) = unsafe (Int(conversion.input_frames_used), Int(conversion.output_frames_gen))
        return (max(0, used), min(max(0, count), made.count))
    }

    private static func error(_ failure: Int32) -> SoundError {
        .damaged("the sampling rate cannot be changed (libsamplerate error \(failure))")
    }
}
