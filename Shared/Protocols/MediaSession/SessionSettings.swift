public import Codecs

/// What an operator decides about a leg's media, beyond what is negotiated.
public struct SessionSettings: Hashable, Sendable {
    /// How sound is encoded for a phone that speaks Opus.
    public var opus: OpusSettings
    /// How a transcoded direction waits for packets that come out of order.
    public var jitter: JitterBuffer.Settings

    public init(opus: OpusSettings = OpusSettings(), jitter: JitterBuffer.Settings = JitterBuffer.Settings()) {
        (self.opus, self.jitter) = (opus, jitter)
    }
}
