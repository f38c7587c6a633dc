import Foundation
import Logging
import Speech
import Synchronization

@testable import ConferenceServer

/// A library of sounds with a web server, a speaker and a clock that do what a test says.
final class SoundLab: Sendable {
    struct Script {
        var now = 1_000_000
        var answer: Result<WebAnswer, SoundProblem> = .failure(SoundProblem("nothing"))
        /// The server takes its time as long as this is set.
        var isHeld = false
        var asked: [(url: String, known: Validators)] = []
        /// Nil: it fails.
        var spoken: [Int16]? = [1, 2, 3]
        var utterances: [Utterance] = []
    }

    struct Provider: SpeechProvider {
        let name = "robot"
        let lab: SoundLab

        func speak(_ utterance: Utterance) async throws(SpeechError) -> [Int16] {
            let spoken = lab.script.withLock { script in
                script.utterances.append(utterance)
                return script.spoken
            }
            guard let spoken else { throw .failed("out of order") }
            return spoken
        }
    }

    let script = Mutex(Script())
    let threads: BlockingThreads
    private let folder: String
    let cache: DiskCache?
    private let customs: SoundLibrary.Customs
    private let isHeard: Bool

    /// `speaks`: there is a speech service before espeak-ng.
    init(
        folder: String = "", cache: DiskCache? = nil, threads: BlockingThreads = BlockingThreads(count: 1),
        customs: SoundLibrary.Customs = .init(), speaks: Bool = false
    ) {
        (self.folder, self.cache, self.threads, self.customs, isHeard) = (folder, cache, threads, customs, speaks)
    }

    static func folder() -> String { NSTemporaryDirectory() + "tandem-lab-\(UInt64.random(in: .min ... .max))" }

    var web: WebSounds {
        WebSounds(
            fetch: { url, known throws(SoundProblem) in
                while self.script.withLock({ $0.isHeld }) { await Task.yield() }
                return try self.script.withLock { script in
                    script.asked.append((url, known))
                    return script.answer
                }.get()
            }, cache: cache, threads: threads, now: { self.script.withLock { $0.now } })
    }

    var library: SoundLibrary {
        let providers: [any SpeechProvider] = isHeard ? [Provider(lab: self), Synthesiser.shared] : [Synthesiser.shared]
        let speaker = Speaker(
            providers: providers, cache: cache, threads: threads, logger: Logger(label: "test"), now: { self.script.withLock { $0.now } })
        return SoundLibrary(folder: SoundFolder(path: folder), web: web, speaker: speaker, threads: threads, customs: customs)
    }

    func answer(_ bytes: [UInt8], _ fields: [String: String] = [:]) {
        script.withLock { $0.answer = .success(.body(bytes, Self.headers(fields))) }
    }

    func confirm(_ fields: [String: String] = [:]) {
        script.withLock { $0.answer = .success(.unchanged(Self.headers(fields))) }
    }

    func fail() { script.withLock { $0.answer = .failure(SoundProblem("the server is away")) } }
    func pass(_ seconds: Int) { script.withLock { $0.now += seconds } }
    var asked: [(url: String, known: Validators)] { script.withLock { $0.asked } }

    static func headers(_ fields: [String: String]) -> WebHeaders {
        var headers = WebHeaders()
        for (name, value) in fields { headers.add(name, value) }
        return headers
    }
}
