import Audio
import Contracts
import Deadlines
import Logging
import Threads

/// Makes pieces of sound out of what is asked to be played, and keeps what was loaded lately.
actor SoundLibrary {
    /// The longest sound of one source.
    static let longest = 600
    /// A file of the folder is looked at again after that time.
    private static let keepFor = 60
    /// Samples kept in all: 32 MiB.
    private static let capacity = 16 << 20
    private static let largestCount = 1000
    /// Fetches under way; each may hold a whole body in memory.
    private static let fetchLimit = 32

    /// Who is heard by whom, where nothing else is said.
    struct Customs: Sendable {
        /// The country whose tones are heard; empty: those E.180 recommends.
        var country = ""
        /// Music on hold, a name or an address; empty: the suite's own.
        var music = ""
    }

    private struct Kept {
        let samples: [Int16]
        let until: Instant
    }

    private let folder: SoundFolder
    private let web: WebSounds
    private let speaker: Speaker
    private let threads: BlockingThreads
    private let customs: Customs
    private let recordings: Recordings?
    /// The bytes of a recording of a customer.
    typealias Recordings = @Sendable (_ id: String, _ customer: String) async throws(SoundProblem) -> [UInt8]
    private var kept: [String: Kept] = [:]
    private var held = 0
    private var fetches = 0
    /// Who waits for a sound that is being loaded: a prompt that many calls want at once is loaded once.
    private var waiting: [String: [CheckedContinuation<Result<[Int16], SoundProblem>, Never>]] = [:]

    init(folder: SoundFolder, web: WebSounds, speaker: Speaker, threads: BlockingThreads, customs: Customs = Customs(), recordings: Recordings? = nil) {
        self.recordings = recordings
        (self.folder, self.web, self.speaker, self.threads, self.customs) = (folder, web, speaker, threads, customs)
    }

    func piece(_ source: PlaySource, customer: String = "") async throws(SoundProblem) -> Play.Piece {
        switch source {
        case .url(let name):
            // One customer's music is no other's to hear.
            if name.hasPrefix("recording:") { return .sound(try await recording(String(name.dropFirst(10)), customer)) }
            guard !SoundFolder.isMusic(name) else { throw SoundProblem("there is no sound \(name.prefix(80))") }
            return .sound(try await sound(name))
        case .speech(let text, let language, let voice):
            let samples = try await once("speech \(language ?? "") \(String(describing: voice)) \(text)") { library throws(SoundProblem) in
                try await library.speaker.speak(text, language, voice)
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
        case .ringback: return .sound(CallProgress.tone(.ringing, country: customs.country).samples().values)
        case .signal(let name, let country):
            guard let signal = CallProgress.Signal(rawValue: name) else {
                throw SoundProblem("there is no tone of the name '\(name.prefix(40))'")
            }
            return .sound(CallProgress.tone(signal, country: country ?? customs.country).samples().values)
        case .music: return .sound(try await music(of: customer))
        case .recording(let id): return .sound(try await recording(id, customer))
        }
    }

    /// Of this customer alone; not kept, as it may be deleted.
    private func recording(_ id: String, _ customer: String) async throws(SoundProblem) -> [Int16] {
        guard let recordings, !customer.isEmpty else { throw SoundProblem("there are no recordings here") }
        return try await once("recording \(customer) \(id)") { library throws(SoundProblem) in
            let bytes = try await recordings(id, customer)
            return try await library.threads.run { () throws(SoundProblem) in
                do throws(SoundError) { return try SoundFile.decode(bytes, seconds: Self.longest).values } catch {
                    throw SoundProblem("the recording is \(error)")
                }
            }
        }
    }

    /// The customer's own, in the folder under its id; else the operator's; else the suite's.
    private func music(of customer: String) async throws(SoundProblem) -> [Int16] {
        let folder = folder
        let own = try await threads.run { () throws(SoundProblem) in folder.music(of: customer) }
        if let own { return try await sound(own) }
        return customs.music.isEmpty ? HoldMusic.samples.values : try await sound(customs.music)
    }

    private func sound(_ name: String) async throws(SoundProblem) -> [Int16] {
        if let found = kept[name], found.until > MonotonicClock.now() { return found.samples }
        return try await once("sound " + name) { library throws(SoundProblem) in
            let (samples, lifetime) = try await library.load(name)
            library.keep(samples, name, until: MonotonicClock.now() + .seconds(lifetime))
            return samples
        }
    }

    /// How many wait for a sound that somebody else is loading already.
    var waiters: Int { waiting.values.reduce(0) { $0 + $1.count } }

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

    /// The sound, and for how many seconds it need not be looked for again.
    private func load(_ name: String) async throws(SoundProblem) -> (samples: [Int16], lifetime: Int) {
        let lowered = name.prefix(8).lowercased()
        guard lowered.hasPrefix("http:") || lowered.hasPrefix("https:") else {
            let folder = folder
            let samples = try await threads.run { () throws(SoundProblem) in
                try folder.sound(named: name, seconds: Self.longest)
            }
            return (samples, Self.keepFor)
        }
        guard fetches < Self.fetchLimit else { throw SoundProblem("too many sounds are being fetched") }
        fetches += 1
        defer { fetches -= 1 }
        let (bytes, lifetime) = try await web.bytes(of: name)
        let path = name.prefix { $0 != "?" && $0 != "#" }
        let samples = try await threads.run { () throws(SoundProblem) in
            do throws(SoundError) {
                return try SoundFile.decode(bytes, SoundFile.Encoding(fileName: String(path)), seconds: Self.longest).values
            } catch {
                throw SoundProblem("what was fetched is \(error)")
            }
        }
        return (samples, lifetime)
    }

    private func keep(_ samples: [Int16], _ name: String, until: Instant) {
        if let old = kept[name] { held -= old.samples.count }
        kept[name] = nil
        guard samples.count <= Self.capacity / 4, until > MonotonicClock.now() else { return }
        while held + samples.count > Self.capacity || kept.count >= Self.largestCount,
            let oldest = kept.min(by: { $0.value.until < $1.value.until })
        {
            held -= oldest.value.samples.count
            kept[oldest.key] = nil
        }
        kept[name] = Kept(samples: samples, until: until)
        held += samples.count
    }
}
