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
    /// Whether all packets have the same length (RFC 6716 §2.1.8).
    public let constantBitrate: Bool
    /// Bits per second that are not exceeded on average, whatever is chosen above.
    public let maximumBitrate: Int?
    /// The sampling rate of whoever plays the sound: no more of its bandwidth is coded than can be heard. Nil: all that there is.
    public let playbackRate: Int?

    public init(
        bitrate: Int? = nil, complexity: Int = 6, forwardErrorCorrection: Bool = true, expectedLoss: Int = 10,
        discontinuous: Bool = false, constantBitrate: Bool = false, maximumBitrate: Int? = nil, playbackRate: Int? = nil
    ) {
        self.bitrate = bitrate.map { max(6000, min(128_000, $0)) }
        self.maximumBitrate = maximumBitrate.map { max(6000, min(510_000, $0)) }
        (self.constantBitrate, self.playbackRate) = (constantBitrate, playbackRate)
        self.complexity = max(0, min(10, complexity))
        self.forwardErrorCorrection = forwardErrorCorrection
        self.expectedLoss = max(0, min(100, expectedLoss))
        self.discontinuous = discontinuous
    }

    /// Of all channels together.
    func bitrate(at rate: Int, channels: Int) -> Int {
        let each = bitrate ?? (rate <= 8000 ? 20_000 : rate <= 16_000 ? 24_000 : 32_000)
        return min(each * channels, maximumBitrate ?? .max)
    }

    /// Of RFC 6716 §2, the widest that whoever plays the sound can make use of.
    var bandwidth: Bandwidth {
        switch playbackRate ?? Int.max {
        case ...8000: .narrow
        case ...12_000: .medium
        case ...16_000: .wide
        case ...24_000: .superwide
        default: .full
        }
    }

    enum Bandwidth { case narrow, medium, wide, superwide, full }
}
