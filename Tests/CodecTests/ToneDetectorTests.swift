import Audio
import Codecs
import RTP
import Testing

@Suite("Telephone keys in sound")
struct ToneDetectorTests {
    static let keys = Array("0123456789*#ABCD")

    static func key(_ code: Int, milliseconds: Int = 100) -> [Int16] {
        DTMF.samples(of: keys[code], milliseconds: milliseconds)?.values ?? []
    }

    static func silence(_ milliseconds: Int) -> [Int16] { Array(repeating: 0, count: milliseconds * 8) }

    /// Hears sound in pieces of 20 ms.
    static func hear(_ sound: [Int16], erasing: Bool = false) throws -> (events: [ToneDetector.Event], sound: [Int16]) {
        var detector = try ToneDetector(erasing: erasing)
        var events: [ToneDetector.Event] = []
        var left: [Int16] = []
        for start in stride(from: 0, to: sound.count, by: 160) {
            var piece = Array(sound[start..<min(start + 160, sound.count)])
            var position = 0
            var span = piece.mutableSpan
            while let event = detector.pass(&span, from: &position) { events.append(event) }
            left += piece
        }
        return (events, left)
    }

    @Test("RFC 4733 §3.2: every key is heard once, from its beginning to its end", arguments: 0..<16)
    func everyKey(code: Int) throws {
        let events = try Self.hear(Self.silence(50) + Self.key(code) + Self.silence(100)).events
        #expect(events.count == 2)
        #expect(events.first == .began(UInt8(code)))
        guard case .ended(let ended, let duration) = try #require(events.last) else { Issue.record("it has no end"); return }
        #expect(ended == code)
        #expect(abs(duration - 800) < 250)
    }

    @Test("Keys that follow each other are told apart, the same one twice as well")
    func sequence() throws {
        let codes = [1, 1, 2, 11, 10, 9]
        let sound = codes.flatMap { Self.key($0, milliseconds: 70) + Self.silence(70) } + Self.silence(100)
        let began = try Self.hear(sound).events.compactMap { if case .began(let code) = $0 { Int(code) } else { nil } }
        #expect(began == codes)
    }

    @Test("A voice-like sound and single tones are no keys")
    func noKey() throws {
        let voice = zip(
            zip(Sine.samples(140, rate: 8000, count: 16_000), Sine.samples(700, rate: 8000, count: 16_000)),
            Sine.samples(2100, rate: 8000, count: 16_000)
        )
        .map { $0.0 / 3 + $0.1 / 3 + $1 / 3 }
        #expect(try Self.hear(voice).events.isEmpty)
        #expect(try Self.hear(Sine.samples(941, rate: 8000, count: 8000)).events.isEmpty)
        #expect(try Self.hear(Self.silence(1000)).events.isEmpty)
    }

    @Test(
        "Erased keys leave nothing behind: what is left is the sound before and after, later by the stated delay",
        arguments: [0, 5, 11, 15])
    func erased(code: Int) throws {
        let voice = Sine.samples(440, rate: 8000, count: 4000)
        let quiet = Self.silence(60)
        let (events, left) = try Self.hear(
            voice + quiet + Self.key(code, milliseconds: 120) + quiet + voice + Self.silence(100), erasing: true)
        #expect(events.count == 2)
        let delay = ToneDetector.erasingDelay
        let tone = 4480..<(4480 + 960)
        let shifted = left[(tone.lowerBound + delay)..<(tone.upperBound + delay)]
        #expect(Sine.rootMeanSquare(shifted) < 100, "\(Sine.rootMeanSquare(shifted)) is left")
        #expect(Sine.largestStep(shifted) < 2500)
        let before = left[(1000 + delay)..<(3900 + delay)]
        #expect(Array(before) == Array(voice[1000..<3900]))
        let after = left[(5920 + 400 + delay)..<(5920 + 3900 + delay)]
        #expect(Array(after) == Array(voice[400..<3900]))
    }

    @Test(
        "A transcoder tells the keys it hears, and leaves them out when asked", arguments: [Coding.pcma, .g722, .opus],
        [false, true])
    func inTranscoding(source: Coding, erases: Bool) throws {
        var encoder = try Encoder(source, rate: 8000)
        var leg = try Leg(from: source, to: .pcmu, settings: .init(hearsTones: true, erasesTones: erases))
        let sound = Self.silence(200) + Self.key(7, milliseconds: 200) + Self.silence(200)
        for payload in encoder.payloads(sound) { leg.send(payload, milliseconds: 20) }
        let tones = leg.tones
        #expect(tones.count == 2)
        #expect(tones.first == .began(7))
        let heard = try leg.heard(as: .pcmu)
        #expect((Sine.rootMeanSquare(heard[1500..<3400]) < 300) == erases)
    }

    @Test("Tones are not heard where neither side has telephone quality")
    func wideband() {
        #expect(throws: CodecError.tonesNeedTelephoneRate) {
            _ = try Transcoder(from: .g722, to: .opus, origin: Timestamp(0), settings: .init(hearsTones: true))
        }
    }
}
