internal import CSpanDSP

/// GSM 06.10 full rate: 33 bytes for 20 ms, packed as RFC 3551 §4.5.8 says.
@safe struct GSMEngine: ~Copyable {
    static let frameBytes = 33
    static let frameSamples = 160
    private let state: OpaquePointer

    init() throws(CodecError) {
        guard let state = unsafe gsm0610_init(nil, Int32(GSM0610_PACKING_VOIP)) else { throw .unavailable }
        unsafe self.state = state
    }

    deinit { unsafe gsm0610_free(state) }

    /// Each frame begins with the signature 0xD.
    static func isFrames(_ payload: Span<UInt8>) -> Bool {
        guard !payload.isEmpty, payload.count % frameBytes == 0 else { return false }
        for start in stride(from: 0, to: payload.count, by: frameBytes) where payload[start] >> 4 != 0xd { return false }
        return true
    }

    func decode(_ payload: Span<UInt8>, into sound: inout MutableSpan<Int16>) -> Int {
        guard Self.isFrames(payload), payload.count / Self.frameBytes * Self.frameSamples <= sound.count else { return 0 }
        return unsafe payload.withUnsafeBufferPointer { payload in
            unsafe sound.withUnsafeMutableBufferPointer { sound in
                max(0, Int(unsafe gsm0610_decode(state, sound.baseAddress, payload.baseAddress, Int32(clamping: payload.count))))
            }
        }
    }

    func encode(_ sound: Span<Int16>, into payload: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        let frames = sound.count / Self.frameSamples
        guard frames > 0, frames * Self.frameBytes <= payload.count - offset else { return 0 }
        return unsafe sound.withUnsafeBufferPointer { sound in
            unsafe payload.withUnsafeMutableBufferPointer { payload in
                guard let start = payload.baseAddress else { return 0 }
                return max(
                    0, Int(unsafe gsm0610_encode(state, start + offset, sound.baseAddress, Int32(frames * Self.frameSamples))))
            }
        }
    }
}
