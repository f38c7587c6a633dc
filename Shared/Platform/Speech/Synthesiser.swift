internal import Audio
internal import Synchronization
internal import Threads

/// Speaks text through espeak-ng, at 8 kHz.
///
/// The library keeps its state in globals, so there is one synthesiser per process and it lives on a thread of its own; what
/// it rendered lately is kept, because a menu says the same sentence to every caller.
public final class Synthesiser: SpeechProvider {
    public let name = "espeak"
    public static let shared = Synthesiser()

    /// The longest text in UTF-8 bytes, and the longest sound it may become.
    public static let largestText = 8192
    static let longestSound = 300 * Samples.rate

    private let thread = ConnectionThread(name: "speech", capacity: 64)
    private let prompts = Mutex(PromptCache(capacity: 8_000_000))

    private init() { thread.start() }

    /// - Parameters:
    ///   - text: plain text, or SSML when it begins with `<speak`.
    ///   - language: a BCP 47 tag; the region is dropped when only the language is known. Nil is English.
    ///   - rate: words per minute.
    public func synthesise(
        text: String, language: String? = nil, rate: Int = Utterance.usualRate
    ) async throws(SpeechError) -> [Int16] {
        try await speak(Utterance(text: text, language: language, rate: rate))
    }

    public func speak(_ utterance: Utterance) async throws(SpeechError) -> [Int16] {
        guard utterance.text.utf8.count <= Self.largestText else { throw .tooLong(limit: Self.largestText) }
        if let known = prompts.withLock({ $0.find(utterance) }) { return known }
        var rendered = utterance
        // Where it is nothing but what is known here, the library may read it.
        if utterance.isMarkup { rendered.text = try SpeechMarkup(parsing: utterance.text).text }
        let script = rendered
        let result = await withCheckedContinuation { continuation in
            let isQueued = thread.submit { continuation.resume(returning: self.render(script, for: utterance)) }
            if !isQueued { continuation.resume(returning: .failure(.busy)) }
        }
        return try result.get()
    }

    /// Speech thread only.
    private func render(_ script: Utterance, for utterance: Utterance) -> Result<[Int16], SpeechError> {
        // Somebody may have asked for the same while this one waited.
        if let known = prompts.withLock({ $0.find(utterance) }) { return .success(known) }
        do throws(SpeechError) {
            let (spoken, rate) = try Espeak.speak(script, longest: Self.longestSound)
            var samples = try telephone(spoken, rate: rate)
            var gain = Gain(decibels: script.decibels)
            gain.apply(to: &samples)
            let finished = samples
            prompts.withLock { $0.insert(finished, for: utterance) }
            return .success(finished)
        } catch {
            return .failure(error)
        }
    }

    private func telephone(_ spoken: [Int16], rate: Int) throws(SpeechError) -> [Int16] {
        do throws(SoundError) {
            return try Resampler.telephone(spoken, rate: rate).values
        } catch {
            throw .failed("\(error)")
        }
    }
}
