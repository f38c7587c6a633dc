import FoundationEssentials
import Logging
import ServiceKit
import Speech

/// The settings of what is played, and the library made of them.
enum SoundSettings {
    static let declared: [Setting] = [
        Setting("TANDEM_SOUND_CACHE", default: "", "folder of this instance for copies of fetched and spoken sounds; empty: none are kept"),
        Setting("TANDEM_SOUND_CACHE_MEGABYTES", .integer(1...1_000_000), default: "512", "how large the copies may be together"),
        Setting("TANDEM_SOUND_CACHE_FILES", .integer(1...1_000_000), default: "10000", "how many copies there may be"),
        Setting("TANDEM_TONES", default: "", "country (ISO 3166) whose tones callers hear; empty: those of ITU-T E.180"),
        Setting("TANDEM_MUSIC", default: "", "music on hold, a name or an address, for customers without their own; empty: made here"),
        Setting("TANDEM_SPEECH_URL", as: .webURL.orEmpty, default: "", "speech service that is asked before espeak-ng; empty: none"),
        Setting("TANDEM_SPEECH_SECRET", .secret, default: "", "what requests to the speech service are signed with"),
        Setting("TANDEM_SPEECH_SECONDS", .integer(1...60), default: "10", "how long the speech service may take for a text"),
    ]

    static func library(
        _ settings: Settings, _ policy: FetchPolicy, _ logger: Logger, recordings: SoundLibrary.Recordings? = nil
    ) throws -> SoundLibrary {
        let now: @Sendable () -> Int = { Int(Date.now.timeIntervalSince1970) }
        let cache = try cache(settings)
        let (threads, files) = (BlockingThreads(count: 4), BlockingThreads(count: 2))
        // Names are looked up on threads of their own: a slow name server holds up no local sound.
        let fetcher = SoundFetcher(policy: policy, threads: BlockingThreads(count: 4))
        let web = WebSounds(
            fetch: { url, known throws(SoundProblem) in try await fetcher.fetch(url, known) }, cache: cache, threads: files,
            now: now)
        let speaker = Speaker(
            providers: try provider(settings, threads, now) + [Synthesiser.shared], cache: cache, threads: files, logger: logger,
            now: now)
        return SoundLibrary(
            folder: SoundFolder(path: settings.text("TANDEM_SOUNDS")), web: web, speaker: speaker, threads: threads,
            customs: .init(country: settings.text("TANDEM_TONES"), music: settings.text("TANDEM_MUSIC")), recordings: recordings)
    }

    private static func cache(_ settings: Settings) throws -> DiskCache? {
        let folder = settings.text("TANDEM_SOUND_CACHE")
        guard !folder.isEmpty else { return nil }
        guard
            let cache = DiskCache(
                folder: folder, bytes: settings.integer("TANDEM_SOUND_CACHE_MEGABYTES") << 20,
                files: settings.integer("TANDEM_SOUND_CACHE_FILES"))
        else { throw ConfigurationError("TANDEM_SOUND_CACHE: \(folder) cannot be made or read") }
        return cache
    }

    private static func provider(
        _ settings: Settings, _ threads: BlockingThreads, _ now: @escaping @Sendable () -> Int
    ) throws -> [any SpeechProvider] {
        let url = settings.text("TANDEM_SPEECH_URL")
        guard !url.isEmpty else { return [] }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw ConfigurationError("TANDEM_SPEECH_URL is '\(url)': give an http or https address")
        }
        return [
            HTTPSpeech(
                url: url, secret: settings.text("TANDEM_SPEECH_SECRET"),
                timeout: .seconds(settings.integer("TANDEM_SPEECH_SECONDS")), threads: threads, now: now)
        ]
    }
}
