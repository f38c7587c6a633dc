internal import CSpanDSP

/// ITU-T G.722 at 64 kbit/s. At 8 kHz only the lower band is decoded: what a telephone codec would keep of it anyway.
@safe struct G722DecoderEngine: ~Copyable {
    private let state: OpaquePointer
    private let samplesPerByte: Int

    init(rate: Int) throws(CodecError) {
        let options = rate == 8000 ? Int32(G722_SAMPLE_RATE_8000) : 0
        guard let state = unsafe g722_decode_init(nil, 64000, options) else { throw .unavailable }
        unsafe self.state = state
        samplesPerByte = rate / 8000
    }

    deinit { unsafe g722_decode_free(state) }

    func decode(_ payload: Span<UInt8>, into sound: inout MutableSpan<Int16>) -> Int {
        guard !payload.isEmpty, payload.count <= sound.count / samplesPerByte else { return 0 }
        return unsafe payload.withUnsafeBufferPointer { payload in
            unsafe sound.withUnsafeMutableBufferPointer { sound in
                max(0, Int(unsafe g722_decode(state, sound.baseAddress, payload.baseAddress, Int32(clamping: payload.count))))
            }
        }
    }
}

@safe struct G722EncoderEngine: ~Copyable {
    private let state: OpaquePointer
    private let samplesPerByte: Int

    init(rate: Int) throws(CodecError) {
        let options = rate == 8000 ? Int32(G722_SAMPLE_RATE_8000) : 0
        guard let state = unsafe g722_encode_init(nil, 64000, options) else { throw .unavailable }
        unsafe self.state = state
        samplesPerByte = rate / 8000
    }

    deinit { unsafe g722_encode_free(state) }

    func encode(_ sound: Span<Int16>, into payload: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        let length = sound.count / samplesPerByte
        guard length > 0, length <= payload.count - offset else { return 0 }
        return unsafe sound.withUnsafeBufferPointer { sound in
            unsafe payload.withUnsafeMutableBufferPointer { payload in
                guard let start = payload.baseAddress else { return 0 }
                return max(0, Int(unsafe g722_encode(state, start + offset, sound.baseAddress, Int32(length * samplesPerByte))))
            }
        }
    }
}
