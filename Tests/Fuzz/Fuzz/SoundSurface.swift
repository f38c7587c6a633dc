import Audio
import SpeechText

enum SoundSurface {
    /// Whatever a file says of itself, its sound is no longer than it may be.
    static func file(_ bytes: [UInt8]) {
        guard let samples = try? SoundFile.decode(bytes, seconds: 2) else { return }
        precondition((1...(2 * Samples.rate + 64)).contains(samples.count), "\(samples.count) samples")
    }

    /// What is understood is written so that it is understood again, as the same, and nothing but what is known is in it.
    static func markup(_ bytes: [UInt8]) {
        guard let markup = try? SpeechMarkup(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
        guard let again = try? SpeechMarkup(parsing: markup.text) else { preconditionFailure("not understood: \(markup.text)") }
        precondition(again == markup, "a second reading differs: \(markup.text)")
        precondition(!markup.text.contains("<!") && !markup.text.contains("<?"), "a declaration is passed on")
    }
}
