/// How Opus is encoded. At the default complexity speech is within 0.02 dB of libopus' highest, for three quarters of its cost
/// (docs/benchmarks.md).
public struct OpusSettings: Hashable, Sendable {
    /// Bits per second; nil chooses 20,000 for narrowband, 24,000 for wideband, 32,000 above: with less, libopus leaves the redundancy out.
    public let bitrate: Int?
    /// 0 (cheap) to 10 (good).
    public let complexity: Int
    /// Whether each packet carries the one before once more, at less quality (RFC 6716 §2.1.7).
    public let forwardErrorCorrection: Bool
    /// The loss in percent the redundancy is made for.
    public let expectedLoss: Int
    /// Whether nothing is sent in pauses (RFC 6716 §2.1.9).
    public let discontinuous: Bool

    public init(
        bitrate: Int? = nil, complexity: Int = 6, forwardErrorCorrection: Bool = true, expectedLoss: Int = 10,
        discontinuous: Bool = false
    ) {
        self.bitrate = bitrate.map { max(6000, min(128_000, $0)) }
        self.complexity = max(0, min(10, complexity))
        self.forwardErrorCorrection = forwardErrorCorrection
        self.expectedLoss = max(0, min(100, expectedLoss))
        self.discontinuous = discontinuous
    }

    func bitrate(at rate: Int) -> Int { bitrate ?? (rate <= 8000 ? 20_000 : rate <= 16_000 ? 24_000 : 32_000) }
}
