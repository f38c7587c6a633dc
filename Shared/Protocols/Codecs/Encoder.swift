internal import Audio

/// Turns linear sound into the payloads of one stream. Memory is the caller's; nothing is taken from the heap after `init`.
public struct Encoder: ~Copyable {
    public let coding: Coding
    /// Of the sound that goes in.
    public let rate: Int
    private let engine: EncoderEngine

    /// `rate` is one of the coding's own; left out, it is the one it prefers.
    public init(_ coding: Coding, rate: Int? = nil, opus: OpusSettings = OpusSettings()) throws(CodecError) {
        let rate = rate ?? coding.rates.first ?? coding.clockRate
        guard coding.rates.contains(rate) else { throw .unsupportedRate(rate) }
        engine = try EncoderEngine(coding, rate: rate, opus)
        (self.coding, self.rate) = (coding, rate)
    }

    /// Encodes the sound of one packet from `offset` on: 10, 20, 40 or 60 ms, in whole frames of the coding.
    ///
    /// The number of bytes written; zero when nothing is to be sent (a pause under DTX), or it does not fit.
    public mutating func encode(_ sound: Span<Int16>, into payload: inout MutableSpan<UInt8>, at offset: Int = 0) -> Int {
        guard offset >= 0, offset <= payload.count else { return 0 }
        switch engine {
        case .companded(let law):
            return sound.count <= payload.count - offset ? G711.encode(sound, law, into: &payload, at: offset) : 0
        case .linear: return Linear.encode(sound, into: &payload, at: offset)
        case .g722(let engine): return engine.encode(sound, into: &payload, at: offset)
        case .opus(let engine): return engine.encode(sound, into: &payload, at: offset)
        case .g729(let engine): return engine.encode(sound, into: &payload, at: offset)
        case .gsm(let engine): return engine.encode(sound, into: &payload, at: offset)
        }
    }
}
