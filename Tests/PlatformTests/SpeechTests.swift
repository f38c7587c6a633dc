import Audio
import Testing

@testable import Speech

@Suite("Speech")
struct SpeechTests {
    @Test(
        "Text becomes audible sound of plausible length",
        arguments: ["en", "en-US", "en-GB", "de", "de-AT", "fr", "pt-BR", "ja", "zh", "no"])
    func speaks(language: String) async throws {
        let samples = try await Synthesiser.shared.synthesise(text: "1 2 3 4 5 6 7 8", language: language)
        #expect((8000...80000).contains(samples.count))
        #expect(Level(of: samples.span).dBFS > -40)
    }

    @Test("The second time a prompt is asked for it comes out of memory, equal")
    func kept() async throws {
        let first = try await Synthesiser.shared.synthesise(text: "Press one for sales.")
        #expect(try await Synthesiser.shared.synthesise(text: "Press one for sales.") == first)
    }

    @Test("A higher rate takes less time")
    func rate() async throws {
        let slow = try await Synthesiser.shared.synthesise(text: "a sentence that takes a while", rate: 100)
        let fast = try await Synthesiser.shared.synthesise(text: "a sentence that takes a while", rate: 300)
        #expect(Double(fast.count) < Double(slow.count) * 0.6)
    }

    @Test("SSML is obeyed, and opens no file")
    func ssml() async throws {
        let plain = try await Synthesiser.shared.synthesise(text: "hello")
        let marked = try await Synthesiser.shared.synthesise(text: "<speak>hello</speak>")
        let pause = try await Synthesiser.shared.synthesise(text: "<speak>hello<break time=\"2s\"/>hello</speak>")
        let sound = try await Synthesiser.shared.synthesise(text: "<speak><audio src=\"/etc/passwd\">hello</audio></speak>")
        #expect(abs(plain.count - marked.count) < 4000)
        #expect(pause.count > 2 * plain.count + 12000)
        #expect(abs(sound.count - plain.count) < 4000)
    }

    @Test(
        "A language without a voice, or a path in place of one, is a typed error",
        arguments: ["xx", "../../etc/passwd", "", "de/../fr", "klingon-on-mars", "a-b-c-d-e", "en us"])
    func unknown(language: String) async throws {
        await #expect(throws: SpeechError.unknownLanguage(language)) {
            _ = try await Synthesiser.shared.synthesise(text: "x", language: language)
        }
    }

    @Test("Too long a text is refused, odd ones are harmless")
    func bounds() async throws {
        await #expect(throws: SpeechError.tooLong(limit: Synthesiser.largestText)) {
            _ = try await Synthesiser.shared.synthesise(text: String(repeating: "x", count: Synthesiser.largestText + 1))
        }
        #expect(try await Synthesiser.shared.synthesise(text: "").count < 8000)
        #expect(try await Synthesiser.shared.synthesise(text: "a\u{0}b\u{1}5Sc\n[[hE@lo]] <b>").count > 1000)
    }

    @Test("Of kept prompts the one not heard for longest goes first")
    func leastRecentlyUsed() {
        var cache = PromptCache(capacity: 40)
        func prompt(_ text: String) -> Utterance { Utterance(text: text) }
        for text in ["a", "b", "c", "d"] { cache.insert(Array(repeating: 1, count: 10), for: prompt(text)) }
        _ = cache.find(prompt("a"))
        cache.insert(Array(repeating: 1, count: 10), for: prompt("e"))
        let found = ["a", "b", "c", "d", "e"].map { cache.find(prompt($0)) != nil }
        #expect(found == [true, false, true, true, true])
    }

    @Test("Rate, pitch, volume and voice change the sound; an unknown voice is that of the language")
    func manner() async throws {
        let text = "a sentence with some words"
        func spoken(_ utterance: Utterance) async throws -> [Int16] { try await Synthesiser.shared.speak(utterance) }
        let plain = try await spoken(Utterance(text: text))
        let soft = try await spoken(Utterance(text: text, volume: -12))
        let levels = (plain: Level(of: plain.span).dBFS, soft: Level(of: soft.span).dBFS)
        #expect(abs(levels.plain - levels.soft - 12) < 0.5)
        // A higher voice has a shorter period; how long the library pauses at the end depends on what it said before.
        let usual = period(plain)
        #expect(period(try await spoken(Utterance(text: text, pitch: 95))) < usual - 5)
        #expect(period(try await spoken(Utterance(text: text, voice: "female"))) < usual - 5)
        for unknown in ["en-US-Wavenet-F", "../../etc/passwd", "f9", "x\u{0}"] {
            let other = period(try await spoken(Utterance(text: text, voice: unknown)))
            #expect(abs(other - usual) < 5, "\(unknown): \(other), not \(usual)")
        }
        #expect(Utterance(text: "", rate: 9999, pitch: -5, volume: .nan) == Utterance(text: "", rate: 450, pitch: 0, volume: 0))
    }

    /// The lag, from 2.5 to 16 ms, at which a sound is most like itself.
    private func period(_ samples: [Int16]) -> Int {
        let part = samples.dropFirst(1000).prefix(5000)
        func likeness(_ lag: Int) -> Double {
            zip(part, part.dropFirst(lag)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        return (20...128).max { likeness($0) < likeness($1) } ?? 0
    }

    @Test("SSML prosody and say-as are heard")
    func prosody() async throws {
        let plain = try await Synthesiser.shared.synthesise(text: "<speak>a sentence that takes a while</speak>")
        let slow = try await Synthesiser.shared.synthesise(
            text: "<speak><prosody rate=\"50%\">a sentence that takes a while</prosody></speak>")
        #expect(Double(slow.count) > Double(plain.count) * 1.4)
        let word = try await Synthesiser.shared.synthesise(text: "<speak>2468</speak>")
        let digits = try await Synthesiser.shared.synthesise(text: "<speak><say-as interpret-as=\"digits\">2468</say-as></speak>")
        #expect(word != digits)
    }
}
