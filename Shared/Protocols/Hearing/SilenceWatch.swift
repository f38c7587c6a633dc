/// Tells once when nobody has spoken for so long, and again after the next speech.
public struct SilenceWatch: Sendable {
    private let frames: Int
    private var quiet = 0

    /// - Parameter milliseconds: how long; from the beginning, too.
    public init(milliseconds: Int) { frames = max(1, milliseconds / 20) }

    /// True when this frame makes the silence long enough.
    public mutating func hear(isSpeaking: Bool) -> Bool {
        quiet = isSpeaking ? 0 : min(quiet + 1, frames + 1)
        return quiet == frames
    }
}
