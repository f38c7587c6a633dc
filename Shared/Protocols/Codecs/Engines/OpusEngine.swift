internal import COpus

/// libopus' decoder: gives mono at the rate asked for, whatever the sender chose (RFC 6716 §4.5).
@safe struct OpusDecoderEngine: ~Copyable {
    private let state: OpaquePointer
    private let rate: Int

    init(rate: Int) throws(CodecError) {
        var status: Int32 = 0
        guard let state = unsafe opus_decoder_create(Int32(rate), 1, &status), status == OPUS_OK else { throw .unavailable }
        unsafe self.state = state
        self.rate = rate
    }

    deinit { unsafe opus_decoder_destroy(state) }

    /// Samples in a packet; nil when it is none.
    func samples(in payload: Span<UInt8>) -> Int? {
        unsafe payload.withUnsafeBufferPointer { payload in
            guard let bytes = payload.baseAddress else { return nil }
            let samples = unsafe opus_packet_get_nb_samples(bytes, Int32(clamping: payload.count), Int32(rate))
            return samples > 0 ? Int(samples) : nil
        }
    }

    /// Samples in one of the frames of a packet: as many its redundant copy of the frame before makes good (RFC 6716 §2.1.7).
    func samplesPerFrame(of payload: Span<UInt8>) -> Int {
        unsafe payload.withUnsafeBufferPointer { payload in
            guard let bytes = payload.baseAddress else { return 0 }
            return Int(unsafe opus_packet_get_samples_per_frame(bytes, Int32(rate)))
        }
    }

    func decode(_ payload: Span<UInt8>, into sound: inout MutableSpan<Int16>) -> Int {
        guard let expected = samples(in: payload), expected <= sound.count else { return 0 }
        return run(payload, expected, redundant: false, into: &sound)
    }

    /// The frame before `payload`, from the copy in it; what has none is concealed.
    func recover(from payload: Span<UInt8>, samples: Int, into sound: inout MutableSpan<Int16>) -> Int {
        run(payload, samples, redundant: true, into: &sound)
    }

    /// Goes on by itself: conceals a loss, or makes the comfort noise of a pause. Only in steps of 2.5 ms.
    func conceal(_ samples: Int, into sound: inout MutableSpan<Int16>) -> Int {
        let step = rate / 400
        let whole = min(samples, sound.count) / step * step
        guard whole > 0 else { return 0 }
        return unsafe sound.withUnsafeMutableBufferPointer { sound in
            guard let samples = sound.baseAddress else { return 0 }
            return max(0, Int(unsafe opus_decode(state, nil, 0, samples, Int32(whole), 0)))
        }
    }

    private func run(_ payload: Span<UInt8>, _ samples: Int, redundant: Bool, into sound: inout MutableSpan<Int16>) -> Int {
        guard !payload.isEmpty, samples > 0, samples <= sound.count else { return 0 }
        return unsafe payload.withUnsafeBufferPointer { payload in
            unsafe sound.withUnsafeMutableBufferPointer { sound in
                guard let start = sound.baseAddress else { return 0 }
                let length = Int32(clamping: payload.count)
                let made = unsafe opus_decode(state, payload.baseAddress, length, start, Int32(samples), redundant ? 1 : 0)
                return max(0, Int(made))
            }
        }
    }
}

/// libopus' encoder for speech, mono or stereo.
@safe struct OpusEncoderEngine: ~Copyable {
    private let state: OpaquePointer
    private let skipsSilence: Bool
    private let channels: Int

    init(rate: Int, channels: Int = 1, _ settings: OpusSettings) throws(CodecError) {
        var status: Int32 = 0
        self.channels = channels
        guard let state = unsafe opus_encoder_create(Int32(rate), Int32(channels), OPUS_APPLICATION_VOIP, &status), status == OPUS_OK
        else { throw .unavailable }
        unsafe self.state = state
        skipsSilence = settings.discontinuous
        // The settings are within libopus' limits, so none is refused.
        unsafe tandem_opus_set_bitrate(state, Int32(settings.bitrate(at: rate, channels: channels)))
        unsafe tandem_opus_set_vbr(state, settings.constantBitrate ? 0 : 1)
        unsafe tandem_opus_set_bandwidth(state, settings.bandwidth.code)
        unsafe tandem_opus_set_complexity(state, Int32(settings.complexity))
        unsafe tandem_opus_set_fec(state, settings.forwardErrorCorrection ? 1 : 0)
        unsafe tandem_opus_set_loss(state, Int32(settings.expectedLoss))
        unsafe tandem_opus_set_dtx(state, settings.discontinuous ? 1 : 0)
    }

    deinit { unsafe opus_encoder_destroy(state) }

    /// How much later sound comes out than it went in, in samples.
    var delay: Int { Int(unsafe tandem_opus_lookahead(state)) }

    func encode(_ sound: Span<Int16>, into payload: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        let room = min(payload.count - offset, Coding.largestPayload)
        guard room > 0 else { return 0 }
        let length = unsafe sound.withUnsafeBufferPointer { sound in
            unsafe payload.withUnsafeMutableBufferPointer { payload in
                guard let samples = sound.baseAddress, let start = payload.baseAddress else { return 0 }
                return Int(unsafe opus_encode(state, samples, Int32(clamping: sound.count / channels), start + offset, Int32(room)))
            }
        }
        // opus_encode: a packet of one or two bytes under DTX need not be sent.
        return length <= (skipsSilence ? 2 : 0) ? 0 : length
    }
}

extension OpusSettings.Bandwidth {
    fileprivate var code: Int32 {
        switch self {
        case .narrow: OPUS_BANDWIDTH_NARROWBAND
        case .medium: OPUS_BANDWIDTH_MEDIUMBAND
        case .wide: OPUS_BANDWIDTH_WIDEBAND
        case .superwide: OPUS_BANDWIDTH_SUPERWIDEBAND
        case .full: OPUS_BANDWIDTH_FULLBAND
        }
    }
}
