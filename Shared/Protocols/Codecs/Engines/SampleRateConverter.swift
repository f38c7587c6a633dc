internal import CSpeexDSP

/// Changes the sampling rate of a stream (speexdsp's windowed sinc): a tenth of the cost of libsamplerate's cheapest sinc.
@safe struct SampleRateConverter: ~Copyable {
    /// 0 (cheap) to 10: at 5 the images lie 80 dB below.
    private static let quality: Int32 = 5
    private let state: OpaquePointer

    init(from source: Int, to target: Int) throws(CodecError) {
        var status: Int32 = 0
        guard let rate = UInt32(exactly: source), let wanted = UInt32(exactly: target),
            let state = unsafe speex_resampler_init(1, rate, wanted, Self.quality, &status), status == 0
        else { throw .unavailable }
        unsafe self.state = state
    }

    deinit { unsafe speex_resampler_destroy(state) }

    /// Converts all of `sound`, or as much as there is room for from `offset` on; the number of samples written.
    func convert(_ sound: Span<Int16>, into output: inout MutableSpan<Int16>, at offset: Int) -> Int {
        guard !sound.isEmpty, offset < output.count else { return 0 }
        var (consumed, made) = (UInt32(clamping: sound.count), UInt32(clamping: output.count - offset))
        let status = unsafe sound.withUnsafeBufferPointer { sound in
            unsafe output.withUnsafeMutableBufferPointer { output in
                guard let input = sound.baseAddress, let start = output.baseAddress else { return Int32(-1) }
                return unsafe speex_resampler_process_int(state, 0, input, &consumed, start + offset, &made)
            }
        }
        return status == 0 ? Int(made) : 0
    }
}
