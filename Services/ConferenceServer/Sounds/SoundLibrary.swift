import Audio
import Contracts
import Deadlines
import Logging
import Speech
import Threads

/// Makes pieces of sound out of what is asked to be played, and keeps what was fetched lately.
actor SoundLibrary {
    /// The longest sound of one source.
    static let longest = 600
    private static let keepFor = Interval.seconds(60)
    /// Samples kept in all: 32 MiB.
    private static let capacity = 16 << 20
    private static let largestCount = 1000
    /// Fetches under way; each may hold a whole body in memory.
    private static let fetchLimit = 32

    private struct Kept {
        let samples: [Int16]
        let until: Instant
    }

    private let folder: SoundFolder
    private let fetcher: SoundFetcher
    private let threads: BlockingThreads
    private let logger: Logger
    private var kept: [String: Kept] = [:]
    private var held = 0
    private var fetches = 0
    /// Who waits for a sound that is being loaded: a prompt that many calls want at once is loaded once.
    private var waiting: [String: [CheckedContinuation<Result<[Int16], SoundProblem>, Never>]] = [:]

    init(folder: SoundFolder, fetcher: SoundFetcher, threads: BlockingThreads, logger: Logger) {
        (self.folder, self.fetcher, self.threads, self.logger) = (folder, fetcher, threads, logger)
    }

    func piece(_ source: PlaySource) async throws(SoundProblem) -> Play.Piece {
        switch source {
        case .url(let name): return .sound(try await sound(name))
        case .speech(let text, let language):
            let samples = try await once("speech \(language ?? "") \(text)") { library throws(SoundProblem) in
                try await library.speak(text, language)
            }
            return .sound(samples)
        case .tone(let frequency, let milliseconds):
            guard (20...3999).contains(frequency), (0...60_000).contains(milliseconds) else {
                throw SoundProblem("a tone has 20 to 3999 Hz and at most 60 s")
            }
            var tone = Tone(frequency: frequency)
            return .sound(tone.next(milliseconds * Samples.rate / 1000))
        case .silence(let milliseconds):
            guard (0...Self.longest * 1000).contains(milliseconds) else {
                throw SoundProblem("a silence of more than \(Self.longest) s")
            }
            return .silence(samples: milliseconds * Samples.rate / 1000)
        case .ringback: return .sound(Self.ringing)
        }
    }

    private static let ringing = CallProgress.ringing.samples().values

    private func sound(_ name: String) async throws(SoundProblem) -> [Int16] {
        let now = MonotonicClock.now()
        if let found = kept[name], found.until > now { return found.samples }
        return try await once("sound " + name) { library throws(SoundProblem) in
            let samples = try await library.load(name)
            library.keep(samples, name, until: now + Self.keepFor)
            return samples
        }
    }

    /// Makes what `key` stands for, or waits for the one who is at it already.
    private func once(
        _ key: String, _ make: (isolated SoundLibrary) async throws(SoundProblem) -> [Int16]
    ) async throws(SoundProblem) -> [Int16] {
        if waiting[key] != nil {
            return try await withCheckedContinuation { waiting[key, default: []].append($0) }.get()
        }
        waiting[key] = []
        let result: Result<[Int16], SoundProblem>
        do throws(SoundProblem) { result = .success(try await make(self)) } catch { result = .failure(error) }
        for continuation in waiting.removeValue(forKey: key) ?? [] { continuation.resume(returning: result) }
        return try result.get()
    }

    private func load(_ name: String) async throws(SoundProblem) -> [Int16] {
        let lowered = name.prefix(8).lowercased()
        guard lowered.hasPrefix("http:") || lowered.hasPrefix("https:") else {
            let folder = folder
            return try await threads.run { () throws(SoundProblem) in try folder.sound(named: name, seconds: Self.longest) }
        }
        guard fetches < Self.fetchLimit else { throw SoundProblem("too many sounds are being fetched") }
        fetches += 1
        defer { fetches -= 1 }
        let bytes = try await fetcher.fetch(name)
        let path = name.prefix { $0 != "?" && $0 != "#" }
        return try await threads.run { () throws(SoundProblem) in
            do throws(SoundError) {
                return try SoundFile.decode(bytes, SoundFile.Encoding(fileName: String(path)), seconds: Self.longest).values
            } catch {
                throw SoundProblem("what was fetched is \(error)")
            }
        }
    }

    private func keep(_ samples: [Int16], _ name: String, until: Instant) {
        if let old = kept[name] { held -= old.samples.count }
        kept[name] = nil
        guard samples.count <= Self.capacity / 4 else { return }
        while held + samples.count > Self.capacity || kept.count >= Self.largestCount,
            let oldest = kept.min(by: { $0.value.until < $1.value.until })
        {
            held -= oldest.value.samples.count
            kept[oldest.key] = nil
        }
        kept[name] = Kept(samples: samples, until: until)
        held += samples.count
    }

    /// A language without a voice is spoken by the English one: odd, but the caller is not left in silence.
    private func speak(_ text: String, _ language: String?) async throws(SoundProblem) -> [Int16] {
        do throws(SpeechError) {
            return try await Synthesiser.shared.synthesise(text: text, language: language)
        } catch .unknownLanguage(let unknown) {
            logger.info("no voice for \(unknown); English speaks instead")
            do throws(SpeechError) {
                return try await Synthesiser.shared.synthesise(text: text)
            } catch {
                throw SoundProblem("\(error)")
            }
        } catch {
            throw SoundProblem("\(error)")
        }
    }
}
