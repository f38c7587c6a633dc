internal import CBcg729

/// The layout of G.729 in RTP: frames of ten bytes for 10 ms, and at the end perhaps one of two bytes, the description of
/// silence of annex B (RFC 3551 §4.5.6).
enum G729Frames {
    static let bytes = 10
    static let samples = 80
    static let silenceBytes = 2

    static func endsInSilence(_ payload: Span<UInt8>) -> Bool { payload.count % bytes == silenceBytes }

    static func samples(in payload: Span<UInt8>) -> Int? {
        guard !payload.isEmpty, payload.count % bytes == 0 || endsInSilence(payload) else { return nil }
        return (payload.count + bytes - 1) / bytes * samples
    }
}

@safe struct G729DecoderEngine: ~Copyable {
    private let state: OpaquePointer

    init() throws(CodecError) {
        guard let state = unsafe initBcg729DecoderChannel() else { throw .unavailable }
        unsafe self.state = state
    }

    deinit { unsafe closeBcg729DecoderChannel(state) }

    func decode(_ payload: Span<UInt8>, into sound: inout MutableSpan<Int16>) -> Int {
        guard let total = G729Frames.samples(in: payload), total <= sound.count else { return 0 }
        let length = payload.count
        unsafe payload.withUnsafeBufferPointer { payload in
            unsafe sound.withUnsafeMutableBufferPointer { sound in
                guard let bytes = payload.baseAddress, let samples = sound.baseAddress else { return }
                var (position, made) = (0, 0)
                while position < length {
                    let count = min(G729Frames.bytes, length - position)
                    let isSilence: UInt8 = count == G729Frames.silenceBytes ? 1 : 0
                    unsafe bcg729Decoder(state, bytes + position, UInt8(count), 0, isSilence, 0, samples + made)
                    position += count
                    made += G729Frames.samples
                }
            }
        }
        return total
    }

    /// Goes on by itself: an erased frame (G.729 §4.4), or noise after a description of silence. Only in steps of 10 ms.
    func conceal(_ samples: Int, into sound: inout MutableSpan<Int16>) -> Int {
        let frames = min(samples, sound.count) / G729Frames.samples
        unsafe sound.withUnsafeMutableBufferPointer { sound in
            guard let start = sound.baseAddress else { return }
            for frame in 0..<frames { unsafe bcg729Decoder(state, nil, 0, 1, 0, 0, start + frame * G729Frames.samples) }
        }
        return frames * G729Frames.samples
    }
}

@safe struct G729EncoderEngine: ~Copyable {
    private let state: OpaquePointer

    init() throws(CodecError) {
        guard let state = unsafe initBcg729EncoderChannel(0) else { throw .unavailable }
        unsafe self.state = state
    }

    deinit { unsafe closeBcg729EncoderChannel(state) }

    func encode(_ sound: Span<Int16>, into payload: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        let frames = sound.count / G729Frames.samples
        guard frames > 0, frames * G729Frames.bytes <= payload.count - offset else { return 0 }
        var written = 0
        unsafe sound.withUnsafeBufferPointer { sound in
            unsafe payload.withUnsafeMutableBufferPointer { payload in
                guard let samples = sound.baseAddress, let start = payload.baseAddress else { return }
                for frame in 0..<frames {
                    var length: UInt8 = 0
                    unsafe bcg729Encoder(state, samples + frame * G729Frames.samples, start + offset + written, &length)
                    written += Int(length)
                }
            }
        }
        return written
    }
}
