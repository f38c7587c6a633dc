public import Codecs

/// What an operator decides about a leg's media, beyond what is negotiated.
public struct SessionSettings: Hashable, Sendable {
    /// How sound is encoded for a phone that speaks Opus.
    public var opus: OpusSettings
    /// How a transcoded direction waits for packets that come out of order.
    public var jitter: JitterBuffer.Settings

    /// Whether keys are looked for in the sound of phones that have no events (RFC 4733). It costs as much again as forwarding the sound.
    public var hearsTones: Bool
    /// Whether pauses of the room are described instead of sent where the phone agreed to that (RFC 3389).
    public var describesPauses: Bool

    public init(
        opus: OpusSettings = OpusSettings(), jitter: JitterBuffer.Settings = JitterBuffer.Settings(), hearsTones: Bool = false,
        describesPauses: Bool = false
    ) {
        (self.opus, self.jitter, self.hearsTones, self.describesPauses) = (opus, jitter, hearsTones, describesPauses)
    }
}
