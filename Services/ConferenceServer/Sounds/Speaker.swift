import Audio
import Contracts
import Logging
import Speech
import Telemetry

/// Chooses who speaks: the one asked for if there is one of that name, else the first; when that one cannot, the last, so
/// that nobody is left in silence. What was spoken is kept on disk, too, unless it was made here.
struct Speaker: Sendable {
    private static let failures = Counter("tandem_room_speech_failures_total", "Texts that a speech service did not speak.")
    /// What a service spoke is as good in a month.
    private static let lifetime = 30 * 86_400

    /// In order of preference; the last is espeak-ng.
    let providers: [any SpeechProvider]
    let cache: DiskCache?
    let threads: BlockingThreads
    let logger: Logger
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    func speak(_ text: String, _ language: String?, _ voice: SpeechVoice?) async throws(SoundProblem) -> [Int16] {
        let utterance = Utterance(
            text: text, language: language, voice: voice?.name, rate: voice?.rate, pitch: voice?.pitch, volume: voice?.volume)
        let chosen = providers.first { $0.name == voice?.provider } ?? providers.first
        guard let chosen, let last = providers.last else { throw SoundProblem("nobody here speaks") }
        if chosen.name != last.name {
            do throws(SpeechError) {
                return try await kept(utterance, by: chosen)
            } catch {
                Self.failures.add()
                logger.warning("\(last.name) speaks in place of \(chosen.name): \(error)")
            }
        }
        return try await speak(utterance, through: last)
    }

    /// A language without a voice is spoken by the English one: odd, but the caller is not left in silence.
    private func speak(_ utterance: Utterance, through provider: any SpeechProvider) async throws(SoundProblem) -> [Int16] {
        do throws(SpeechError) {
            return try await provider.speak(utterance)
        } catch .unknownLanguage(let unknown) where utterance.language != "en" {
            logger.info("no voice for \(unknown); English speaks instead")
            var english = utterance
            english.language = "en"
            do throws(SpeechError) { return try await provider.speak(english) } catch { throw SoundProblem("\(error)") }
        } catch {
            throw SoundProblem("\(error)")
        }
    }

    private func kept(_ utterance: Utterance, by provider: any SpeechProvider) async throws(SpeechError) -> [Int16] {
        let key = Self.key(utterance, provider.name)
        if let copy = await find(key), copy.freshUntil > now(),
            let samples = try? SoundFile.decode(copy.bytes, .rawLinear)
        { return samples.values }
        let samples = try await provider.speak(utterance)
        await keep(samples, key)
        return samples
    }

    private static func key(_ utterance: Utterance, _ provider: String) -> String {
        let manner = "\(utterance.language) \(utterance.voice ?? "") \(utterance.rate) \(utterance.pitch) \(utterance.volume)"
        return "speech \(provider) \(manner) \(utterance.text)"
    }

    /// A cache that is too busy to answer has nothing.
    private func find(_ key: String) async -> DiskCache.Copy? {
        guard let cache else { return nil }
        do throws(SoundProblem) {
            return try await threads.run { () throws(SoundProblem) in cache.find(key) }
        } catch {
            return nil
        }
    }

    private func keep(_ samples: [Int16], _ key: String) async {
        guard let cache else { return }
        let bytes = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let until = now() + Self.lifetime
        let copy = DiskCache.Copy(key: key, freshUntil: until, staleUntil: until, bytes: bytes)
        do throws(SoundProblem) {
            try await threads.run { () throws(SoundProblem) in _ = cache.keep(copy) }
        } catch {
            logger.debug("what was spoken is not kept: \(error)")
        }
    }
}
