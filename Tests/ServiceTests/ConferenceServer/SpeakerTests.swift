import Contracts
import Cryptography
import Foundation
import Speech
import Testing

@testable import ConferenceServer

@Suite("Who speaks")
struct SpeakerTests {
    @Test("The operator's service speaks; what it said is kept, with the voice it was asked for, and said again without asking")
    func service() async throws {
        let folder = SoundLab.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lab = SoundLab(cache: DiskCache(folder: folder, bytes: 1 << 20, files: 10), speaks: true)
        let library = lab.library
        let source = PlaySource.speech(text: "hello", language: "de-AT", voice: SpeechVoice(name: "Anna", rate: 200, pitch: 60, volume: -3))
        for _ in 0..<3 {
            guard case .sound([1, 2, 3]) = try await library.piece(source) else {
                Issue.record("another sound")
                return
            }
        }
        let asked = lab.script.withLock { $0.utterances }
        #expect(asked == [Utterance(text: "hello", language: "de-AT", voice: "Anna", rate: 200, pitch: 60, volume: -3)])
        // Another voice is another sound.
        _ = try await library.piece(.speech(text: "hello", language: "de-AT", voice: SpeechVoice(name: "Otto")))
        #expect(lab.script.withLock { $0.utterances.count } == 2)
        // And another day it is asked again.
        lab.pass(31 * 86_400)
        _ = try await library.piece(source)
        #expect(lab.script.withLock { $0.utterances.count } == 3)
    }

    @Test("When the service fails, or espeak is asked for, espeak-ng speaks; an unknown provider is the first one")
    func fallback() async throws {
        let lab = SoundLab(speaks: true)
        let library = lab.library
        lab.script.withLock { $0.spoken = nil }
        #expect(try await library.piece(.speech(text: "one two three", language: "en")).count > 4000)
        #expect(lab.script.withLock { $0.utterances.count } == 1)
        lab.script.withLock { $0.spoken = [7] }
        let espeak = try await library.piece(.speech(text: "one two three", language: "en", voice: SpeechVoice(provider: "espeak")))
        #expect(espeak.count > 4000)
        #expect(try await library.piece(.speech(text: "one", language: "en", voice: SpeechVoice(provider: "gcp"))).count == 1)
        // A language without a voice is spoken by the English one.
        lab.script.withLock { $0.spoken = nil }
        #expect(try await library.piece(.speech(text: "one two", language: "xx")).count > 2000)
        await #expect(throws: SoundProblem.self) { try await library.piece(.speech(text: "<speak>no end", language: "en")) }
    }

    @Test("A request to the service says what is to be said, in known SSML alone, and its signature can be checked")
    func request() throws {
        let plain = try HTTPSpeech.Request(Utterance(text: "a < b", language: "fr", volume: -4.5))
        #expect(plain.text == "a < b" && plain.format == "text" && plain.volume == -4.5)
        let marked = try HTTPSpeech.Request(Utterance(text: "<speak>a<audio src='x'/><break time='1s'/></speak>"))
        #expect(marked.format == "ssml" && marked.text == "<speak>a<break time=\"1000ms\"/></speak>")
        #expect(throws: SpeechError.self) { try HTTPSpeech.Request(Utterance(text: "<speak>&x;</speak>")) }
        let body = Array("{}".utf8)
        let signature = HTTPSpeech.signature(of: body, secret: "key", at: 1000)
        let code = DigestAlgorithm.sha256.authenticate(Array("1000.{}".utf8), key: Array("key".utf8))
        let hex = code.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
        #expect(signature == "t=1000,v1=" + hex && hex.count == 64)
    }
}
