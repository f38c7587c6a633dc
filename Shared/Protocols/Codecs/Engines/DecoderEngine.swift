internal import Audio

/// What decodes the payloads of a coding. Not private: the compiler (6.3.1) then fails in modules that destroy a `Decoder`.
enum DecoderEngine: ~Copyable {
    case companded(G711.Law)
    case linear
    case g722(G722DecoderEngine)
    case opus(OpusDecoderEngine)
    case g729(G729DecoderEngine)
    case gsm(GSMEngine)

    init(_ coding: Coding, rate: Int) throws(CodecError) {
        switch coding {
        case .pcmu: self = .companded(.ulaw)
        case .pcma: self = .companded(.alaw)
        case .linear: self = .linear
        case .g722: self = .g722(try G722DecoderEngine(rate: rate))
        case .opus: self = .opus(try OpusDecoderEngine(rate: rate))
        case .g729: self = .g729(try G729DecoderEngine())
        case .gsm: self = .gsm(try GSMEngine())
        }
    }
}
