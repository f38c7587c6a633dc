internal import Codecs
internal import SDP

extension OpusSettings {
    /// The same towards a phone whose `a=fmtp` says that of what it is sent (RFC 7587 §6.1), as far as the operator allows it.
    ///
    /// Without a word of it a phone makes no use of redundancy and wants no gaps: the defaults of §6.1. What is sent has one channel, which
    /// who prefers two plays as well (§3.4).
    func meeting(_ wishes: OpusParameters) -> OpusSettings {
        OpusSettings(
            bitrate: bitrate, complexity: complexity, forwardErrorCorrection: forwardErrorCorrection && wishes.usesInbandFEC,
            expectedLoss: expectedLoss, discontinuous: discontinuous && wishes.usesDTX,
            constantBitrate: constantBitrate || wishes.usesConstantBitRate, maximumBitrate: wishes.maximumAverageBitRate ?? maximumBitrate,
            playbackRate: wishes.maximumPlaybackRate ?? playbackRate)
    }
}
