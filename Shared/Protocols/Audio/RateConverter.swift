internal import CSamplerate

/// Changes the sampling rate of a sound that goes on for as long as a call does (libsamplerate, the fast band-limited converter: its
/// delay is a few milliseconds). Between equal rates it does nothing.
@safe public struct RateConverter: ~Copyable {
    private let ratio: Double
    /// Nil when the rates are equal.
    private let state: OpaquePointer?
    private var input: [Float] = []
    private var output = [Float](repeating: 0, count: 4096)

    public init(from: Int, to: Int) throws(SoundError) {
        guard Resampler.rates.contains(from), Resampler.rates.contains(to) else {
            throw .unsupported("a change from \(from) Hz to \(to) Hz")
        }
        let state = try unsafe Self.state(isSame: from == to)
        unsafe self.state = state
        ratio = Double(to) / Double(from)
    }

    private static func state(isSame: Bool) throws(SoundError) -> OpaquePointer? {
        guard !isSame else { return nil }
        var failure: Int32 = 0
        let state = unsafe src_new(Int32(SRC_SINC_FASTEST), 1, &failure)
        guard let state = unsafe state, failure == 0 else { throw error(failure) }
        return unsafe state
    }

    deinit {
        if let state = unsafe state { _ = unsafe src_delete(state) }
    }

    public mutating func append(_ samples: [Int16], to result: inout [Int16]) throws(SoundError) {
        guard unsafe state != nil else {
            result.append(contentsOf: samples)
            return
        }
        input.removeAll(keepingCapacity: true)
        for sample in samples { input.append(Float(sample) / 32768) }
        var used = 0
        while used < input.count {
            let step = try convert(from: used)
            for index in 0..<step.made { result.append(Resampler.linear(output[index])) }
            guard step.used > 0 || step.made > 0 else { return }
            used += step.used
        }
    }

    private mutating func convert(from start: Int) throws(SoundError) -> (used: Int, made: Int) {
        let ratio = ratio
        let state = unsafe state
        var conversion = unsafe SRC_DATA()
        var failure: Int32 = 0
        unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe conversion.data_in = input.baseAddress?.advanced(by: start)
                unsafe conversion.input_frames = input.count - start
                unsafe conversion.data_out = output.baseAddress
                unsafe conversion.output_frames = output.count
                unsafe conversion.src_ratio = ratio
                failure = unsafe src_process(state, &conversion)
            }
        }
        guard failure == 0 else { throw Self.error(failure) }
        let (used, count) = unsafe (Int(conversion.input_frames_used), Int(conversion.output_frames_gen))
        return (max(0, used), min(max(0, count), output.count))
    }

    private static func error(_ failure: Int32) -> SoundError {
        .damaged("the sampling rate cannot be changed (libsamplerate error \(failure))")
    }
}
