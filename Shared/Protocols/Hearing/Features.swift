/// What one frame of 20 ms sounds like.
public struct Features: Sendable, Equatable {
    /// The level of the frame, in dB below a square wave of full scale (dBov); -96 at least.
    public var level: Float
    /// How periodic the last 40 ms are at the pitch of a voice: 0 to 1. Not looked for in what is very soft.
    public var voicing: Float
    /// The strongest frequency of the last 64 ms, in Hz, and its share of their power; 0 when it was not looked for.
    public var frequency: Float
    public var share: Float
    /// The share of the two strongest frequencies together.
    public var pairShare: Float
    /// For how many frames one tone, or the same two, have been nearly all there is.
    public var tonalFrames: Int

    public static let silence = Features(level: -96, voicing: 0, frequency: 0, share: 0, pairShare: 0, tonalFrames: 0)

    public var isVoiced: Bool { voicing > 0.5 }
    /// Tones of a machine: their frequencies stand still, as those of a voice never do for long.
    public var isTonal: Bool { tonalFrames >= 2 }
}
