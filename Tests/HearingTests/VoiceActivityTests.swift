import Audio
import Hearing
import Testing

/// Everything one line says to the analyzers.
struct Heard {
    var began: [Int] = []
    var ended: [Int] = []
    var tones: [(finding: ToneWatch.Finding, at: Int)] = []
    var verdict: AnsweringMachine.Verdict?

    init(_ sound: [Int16], beepWithoutSpeech: Bool = false) {
        var (extractor, voice) = (FeatureExtractor(), VoiceActivity())
        var (watch, machine) = (ToneWatch(beepWithoutSpeech: beepWithoutSpeech), AnsweringMachine())
        for start in stride(from: 0, to: sound.count - Samples.frame + 1, by: Samples.frame) {
            let features = extractor.hear(sound.span.extracting(start..<(start + Samples.frame)))
            let time = (start + Samples.frame) / 8
            switch voice.hear(features) {
            case .began: began.append(time)
            case .ended: ended.append(time)
            case nil: break
            }
            if let finding = watch.hear(features, isSpeaking: voice.isSpeaking) { tones.append((finding, time)) }
            if let verdict = machine.hear(isActive: voice.isActive, isVoiced: features.isVoiced) { self.verdict = verdict }
        }
    }

    var beeps: [(frequency: Int, milliseconds: Int, at: Int)] {
        tones.compactMap { if case .beep(let frequency, let milliseconds) = $0.finding { (frequency, milliseconds, $0.at) } else { nil } }
    }
}

@Suite("Voice activity (docs/hearing.md)", .timeLimit(.minutes(5)))
struct VoiceActivityTests {
    @Test("Speech of eleven voices from -20 to -40 dBov is heard, in noise down to 10 dB below it")
    func speech() async throws {
        print("| voice activity | sentences | missed | false starts | median delay |\n|---|---|---|---|---|")
        for surroundings in Surroundings.all {
            var (count, missed, wrong) = (0, 0, 0)
            var delays: [Int] = []
            for (index, saying) in Saying.sentences.enumerated() {
                let sound = try await saying.spoken()
                for level in [Float(-20), -30, -40] {
                    var line = Line()
                    line.pause(1500)
                    line.say(sound, level: level)
                    let end = line.samples.count / 8
                    line.pause(1500)
                    surroundings.add(to: &line, speech: level, seed: index)
                    let heard = Heard(line.coded)
                    count += 1
                    let inside = heard.began.filter { (1500...(end + 100)).contains($0) }
                    if inside.isEmpty { missed += 1 }
                    wrong += heard.began.count - inside.count
                    delays += inside.prefix(1).map { $0 - 1500 }
                    #expect(heard.tones.isEmpty, "\(saying.text): \(heard.tones)")
                    #expect(heard.ended.count == heard.began.count, "it ends when nobody speaks any more")
                }
            }
            print("| \(surroundings) | \(count) | \(missed) | \(wrong) | \(delays.sorted()[delays.count / 2]) ms |")
            #expect(wrong == 0, "\(surroundings)")
            // The shortest saying, "No.", drowns in noise 10 dB below it.
            #expect(missed * 10 <= count, "\(surroundings): \(missed) of \(count)")
            if surroundings.distance ?? 20 >= 20 { #expect(missed == 0) }
        }
    }

    @Test("Noise of the line, comfort noise that begins, ring-back, busy, dial tones and silence are nobody's voice")
    func nobody() {
        var (seconds, wrong) = (0, 0)
        for noise in Line.Noise.allCases {
            for level in [Float(-70), -60, -50, -40, -30] {
                for steps in [false, true] {
                    var line = Line()
                    line.pause(10_000)
                    line.add(noise, level: level, seed: UInt64(100 - level))
                    if steps { for index in 0..<24_000 { line.samples[index] = 0 } }
                    let heard = Heard(line.coded, beepWithoutSpeech: true)
                    seconds += 10
                    wrong += heard.began.count
                    #expect(heard.began.isEmpty && heard.tones.isEmpty, "\(noise) of \(level) dBov: \(heard.began) \(heard.tones)")
                }
            }
        }
        let tones: [([Double], on: Int, off: Int)] = [
            ([425], 1000, 4000), ([440, 480], 2000, 4000), ([400, 450], 400, 200), ([480, 620], 500, 500), ([350, 440], 9000, 500),
            ([425], 250, 250), ([950, 1400], 330, 330), ([1100], 500, 3000), ([2100], 3000, 1000),
        ]
        for (frequencies, on, off) in tones {
            for level in [Float(-13), -25, -35] {
                for floor in [Float(-66), -50] {
                    var line = Line()
                    while line.samples.count < 80_000 {
                        line.tone(frequencies, level: level, milliseconds: on)
                        line.pause(off)
                    }
                    line.add(.white, level: floor, seed: 5)
                    let heard = Heard(line.coded)
                    seconds += line.samples.count / 8000
                    wrong += heard.began.count
                    // With noise 15 dB below, a tone's beginning may pass for a voice once in a while.
                    if level - floor > 16 { #expect(heard.began.isEmpty, "\(frequencies) Hz of \(level) dBov over \(floor): \(heard.began)") }
                    #expect(heard.beeps.isEmpty, "no beep without speech before it")
                }
            }
        }
        print("| noise and tones: \(seconds) s | false starts: \(wrong) |")
        #expect(wrong <= 2)
    }

    @Test("Music is the limit: how often it passes for a voice is printed, and a made-up piece is bounded")
    func music() {
        let music = HoldMusic.samples
        let heard = Heard(music.values)
        let seconds = music.values.count / 8000
        print("| music on hold: \(seconds) s | starts: \(heard.began.count) |")
        #expect(heard.began.count <= seconds, "a piece is no speech in each of its seconds")
    }

    @Test("Silence is told once for each pause that is long enough, and not within speech")
    func silence() {
        var watch = SilenceWatch(milliseconds: 1000)
        let speaking = [(60, false), (30, true), (49, false), (1, true), (120, false)]
        var told: [Int] = []
        var frame = 0
        for (count, isSpeaking) in speaking {
            for _ in 0..<count {
                frame += 1
                if watch.hear(isSpeaking: isSpeaking) { told.append(frame) }
            }
        }
        #expect(told == [50, 190])
    }
}
