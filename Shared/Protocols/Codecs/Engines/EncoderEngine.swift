internal import Audio

/// What makes the payloads of a coding. Not private: the compiler (6.3.1) then fails in modules that destroy a `Encoder`.
enum EncoderEngine: ~Copyable {
    case companded(G711.Law)
    case linear
    case g722(G722EncoderEngine)
    case opus(OpusEncoderEngine)
    case g729(G729EncoderEngine)
    case gsm(GSMEngine)

    init(_ coding: Coding, rate: Int, _ opus: OpusSettings) throws(CodecError) {
        switch coding {
        case .pcmu: self = .companded(.ulaw)
        case .pcma: self = .companded(.alaw)
        case .linear: self = .linear
        case .g722: self = .g722(try G722EncoderEngine(rate: rate))
        case .opus: self = .opus(try OpusEncoderEngine(rate: rate, opus))
        case .g729: self = .g729(try G729EncoderEngine())
        case .gsm: self = .gsm(try GSMEngine())
        }
    }
}
