internal import CSpanDSP

/// spandsp's detector of telephone keys, at 8 kHz.
@safe struct ToneReceiver: ~Copyable {
    private let state: OpaquePointer

    init() throws(CodecError) {
        guard let state = unsafe dtmf_rx_init(nil, nil, nil) else { throw .unavailable }
        unsafe self.state = state
    }

    deinit { unsafe dtmf_rx_free(state) }

    func hear(_ sound: Span<Int16>) {
        unsafe sound.withUnsafeBufferPointer { sound in
            _ = unsafe dtmf_rx(state, sound.baseAddress, Int32(clamping: sound.count))
        }
    }

    /// A key's character, `x` for one that is suspected, or zero.
    private var status: UInt8 { UInt8(truncatingIfNeeded: unsafe dtmf_rx_status(state)) }
    var hears: Bool { status != 0 }
    var key: UInt8 { status == UInt8(ascii: "x") ? 0 : status }
}
