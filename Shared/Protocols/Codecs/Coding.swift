internal import Bytes

/// How sound is carried in RTP: one of the encodings of RFC 3551 §4.5, or Opus (RFC 7587).
public enum Coding: Hashable, Sendable {
    case pcmu, pcma, g722, opus, g729, gsm
    /// L16: linear samples in network order, mono.
    case linear(rate: Int)

    /// The sampling rates L16 is taken at.
    public static let linearRates = [8000, 16000, 32000, 44100, 48000]
    /// The longest packet that is decoded: what Opus can put into one (RFC 6716 §3.2.5).
    public static let longestPacket = 120
    /// Payloads are not made longer than this, so that a packet with all its headers and tags fits an Ethernet frame.
    public static let largestPayload = 1400

    /// The encoding of a description's `a=rtpmap`; nil for one that is not transcoded. Names ignore case (RFC 4855 §3).
    public init?(name: String, clockRate: Int, channels: Int = 1) {
        func named(_ other: String) -> Bool { ASCII.equalsIgnoringCase(name, other) }
        switch (clockRate, channels) {
        case (8000, 1) where named("PCMU"): self = .pcmu
        case (8000, 1) where named("PCMA"): self = .pcma
        case (8000, 1) where named("G722"): self = .g722
        case (8000, 1) where named("G729"): self = .g729
        case (8000, 1) where named("GSM"): self = .gsm
        // RFC 7587 §7: always 48000/2, whatever is sent.
        case (48000, 2) where named("opus"): self = .opus
        case (_, 1) where named("L16") && Self.linearRates.contains(clockRate): self = .linear(rate: clockRate)
        default: return nil
        }
    }

    /// Ticks of the RTP clock in a second. That of G.722 is half its sampling rate by an old mistake (RFC 3551 §4.5.2).
    public var clockRate: Int {
        switch self {
        case .pcmu, .pcma, .g722, .g729, .gsm: 8000
        case .opus: 48000
        case .linear(let rate): rate
        }
    }

    /// The sampling rates the codec itself takes and gives, in the order of preference.
    ///
    /// At 8 kHz G.722 codes its lower band alone and Opus is narrowband: beside a telephone codec nothing needs to be resampled.
    public var rates: [Int] {
        switch self {
        case .pcmu, .pcma, .g729, .gsm: [8000]
        case .g722: [16000, 8000]
        case .opus: [16000, 8000, 48000]
        case .linear(let rate): [rate]
        }
    }

    /// The packet length in milliseconds that comes closest to the one wished for (`a=ptime`) without exceeding it.
    public func packetTime(wished: Int) -> Int {
        let wished = max(10, min(60, wished))
        switch self {
        case .opus: return [60, 40, 20].first { $0 <= wished } ?? 10
        case .gsm: return max(20, wished / 20 * 20)
        case .linear(let rate): return max(10, min(wished, Self.largestPayload * 1000 / (2 * rate)) / 10 * 10)
        case .pcmu, .pcma, .g722, .g729: return wished / 10 * 10
        }
    }

    /// The rates between which sound passes from one codec to another: the same one where they have one in common.
    static func rates(from source: Coding, to target: Coding) -> (decoder: Int, encoder: Int) {
        let (given, taken) = (source.rates, target.rates)
        if let common = given.first(where: { taken.contains($0) }) { return (common, common) }
        let wanted = taken.max() ?? 8000
        return (given.filter { $0 >= wanted }.min() ?? given.max() ?? 8000, wanted)
    }
}
