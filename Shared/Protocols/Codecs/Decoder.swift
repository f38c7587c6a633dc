internal import Audio

/// Turns the payloads of one stream into linear sound, and hides what is missing of it.
///
/// Memory is the caller's; nothing is taken from the heap after `init`.
public struct Decoder: ~Copyable {
    public let coding: Coding
    /// Of the sound that comes out.
    public let rate: Int
    private let engine: DecoderEngine
    private var concealment: Concealment

    /// `rate` is one of the coding's own; left out, it is the one it prefers.
    public init(_ coding: Coding, rate: Int? = nil) throws(CodecError) {
        let rate = rate ?? coding.rates.first ?? coding.clockRate
        guard coding.rates.contains(rate) else { throw .unsupportedRate(rate) }
        engine = try DecoderEngine(coding, rate: rate)
        (self.coding, self.rate) = (coding, rate)
        concealment = Concealment(rate: rate)
    }

    /// Room for what any one packet may hold.
    public var maximumSamples: Int { rate * Coding.longestPacket / 1000 }

    /// How many samples a payload holds; nil when it is none of this coding's.
    public func samples(in payload: Span<UInt8>) -> Int? {
        let samples: Int? =
            switch engine {
            case .companded: payload.count
            case .linear: payload.count % 2 == 0 ? payload.count / 2 : nil
            case .g722: payload.count * (rate / 8000)
            case .opus(let engine): engine.samples(in: payload)
            case .g729: G729Frames.samples(in: payload)
            case .gsm: GSMEngine.isFrames(payload) ? payload.count / GSMEngine.frameBytes * GSMEngine.frameSamples : nil
            }
        guard let samples, samples > 0, samples <= maximumSamples else { return nil }
        return samples
    }

    /// Whether the sender pauses after this payload: Opus' packets without frames (RFC 6716 §3.1), G.729's description of silence.
    public func endsInPause(_ payload: Span<UInt8>) -> Bool {
        switch coding {
        case .opus: payload.count <= 2
        case .g729: G729Frames.endsInSilence(payload)
        case .pcmu, .pcma, .g722, .gsm, .linear: false
        }
    }

    /// Decodes a payload; the number of samples written, which is zero when it is damaged or there is no room.
    public mutating func decode(_ payload: Span<UInt8>, into sound: inout MutableSpan<Int16>) -> Int {
        let made: Int
        switch engine {
        case .companded(let law): made = payload.count <= sound.count ? G711.decode(payload, law, into: &sound) : 0
        case .linear: made = Linear.decode(payload, into: &sound)
        case .g722(let engine): made = engine.decode(payload, into: &sound)
        case .opus(let engine): return engine.decode(payload, into: &sound)
        case .g729(let engine): return engine.decode(payload, into: &sound)
        case .gsm(let engine): made = engine.decode(payload, into: &sound)
        }
        if made > 0 { concealment.heard(&sound, made) }
        return made
    }

    /// Writes `samples` samples in place of lost ones, or as many as there is room for; the number written.
    @discardableResult
    public mutating func conceal(samples: Int, into sound: inout MutableSpan<Int16>) -> Int {
        let count = max(0, min(samples, sound.count))
        let made: Int
        switch engine {
        case .opus(let engine): made = engine.conceal(count, into: &sound)
        case .g729(let engine): made = engine.conceal(count, into: &sound)
        default:
            concealment.conceal(count, into: &sound)
            made = count
        }
        // What is left of a step that an engine does not divide.
        for index in made..<max(made, count) { sound[index] = 0 }
        return count
    }

    /// Writes `samples` lost samples that end where `payload` begins, from the redundant copy it carries of its predecessor
    /// where the coding has such (Opus, RFC 6716 §2.1.7). `payload` is to be decoded next.
    @discardableResult
    public mutating func recover(samples: Int, from payload: Span<UInt8>, into sound: inout MutableSpan<Int16>) -> Int {
        let count = max(0, min(samples, sound.count))
        var (copied, made) = (0, 0)
        switch engine {
        case .opus(let engine):
            copied = engine.samplesPerFrame(of: payload)
            guard copied > 0, copied <= count else { break }
            made = engine.conceal(count - copied, into: &sound)
            var rest = sound._mutatingExtracting(made..<(made + copied))
            made += engine.recover(from: payload, samples: copied, into: &rest)
        default: break
        }
        guard made > 0 else { return conceal(samples: count, into: &sound) }
        for index in made..<max(made, count) { sound[index] = 0 }
        return count
    }
}
