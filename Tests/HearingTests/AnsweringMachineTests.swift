import Audio
import Hearing
import Testing

@Suite("Who answers: a person, a machine, a fax (docs/hearing.md)", .timeLimit(.minutes(5)))
struct AnsweringMachineTests {
    @Test("People and machines of eight languages are told apart in noise, and beeps are heard where they end")
    func rates() async throws {
        print("| answered by | heard as | calls |\n|---|---|---|")
        for surroundings in Surroundings.all {
            var counts: [String: Int] = [:]
            var (beeps, missed, lag) = (0, 0, 0)
            for level in [Float(-20), -40] {
                for (index, saying) in Saying.people.enumerated() {
                    var line = Line()
                    line.pause(500)
                    line.say(try await saying.spoken(), level: level)
                    line.pause(2000)
                    surroundings.add(to: &line, speech: level, seed: index)
                    let heard = Heard(line.coded)
                    counts["person | \(heard.verdict?.result.rawValue ?? "nothing")", default: 0] += 1
                    #expect(heard.beeps.isEmpty)
                }
                for (index, saying) in Saying.machines.enumerated() {
                    var line = Line()
                    line.pause(600)
                    line.say(try await saying.spoken(rate: 170), level: level)
                    line.pause(600)
                    let length = [200, 400, 600, 1000][index % 4]
                    line.tone([[440, 700, 1000, 1400][index % 4]], level: level + 4, milliseconds: length)
                    let end = line.samples.count / 8
                    line.pause(2000)
                    surroundings.add(to: &line, speech: level, seed: index)
                    let heard = Heard(line.coded)
                    counts["machine | \(heard.verdict?.result.rawValue ?? "nothing")", default: 0] += 1
                    beeps += 1
                    if let beep = heard.beeps.first, heard.beeps.count == 1, abs(beep.at - end) <= 100, abs(beep.milliseconds - length) <= 100 {
                        lag = max(lag, beep.at - end)
                    } else {
                        missed += 1
                    }
                }
            }
            for (kind, count) in counts.sorted(by: { $0.key < $1.key }) { print("| \(surroundings): \(kind) | \(count) |") }
            print("| \(surroundings): beeps missed | \(missed) of \(beeps), told at most \(lag) ms after their end |")
            #expect(counts["person | machine", default: 0] <= 1, "\(surroundings)")
            #expect(counts["machine | human", default: 0] == 0, "\(surroundings)")
            #expect(counts["machine | notsure", default: 0] <= 4, "\(surroundings)")
            #expect(missed == 0, "\(surroundings)")
        }
    }

    /// Frames of a call: so many ms of speech, or of silence.
    private func verdict(_ parts: [(milliseconds: Int, speaks: Bool)], _ change: (inout AnsweringMachine.Settings) -> Void = { _ in })
        -> AnsweringMachine.Verdict?
    {
        var settings = AnsweringMachine.Settings()
        change(&settings)
        var machine = AnsweringMachine(settings)
        for (milliseconds, speaks) in parts {
            for _ in 0..<(milliseconds / 20) {
                if let verdict = machine.hear(isActive: speaks, isVoiced: speaks) { return verdict }
            }
        }
        return nil
    }

    @Test("Each rule decides for its own reason, at its own time")
    func rules() {
        #expect(verdict([(2400, false), (400, true), (2000, false)]) == .init(.human, .shortGreeting, milliseconds: 3600))
        #expect(verdict([(9000, false)]) == .init(.machine, .initialSilence, milliseconds: 2500))
        #expect(verdict([(500, false), (9000, true)]) == .init(.machine, .longGreeting, milliseconds: 2020))
        let words = Array(repeating: [(200, true), (100, false)], count: 9).flatMap { $0 }
        #expect(verdict(words) == .init(.machine, .tooManyWords, milliseconds: 1300))
        #expect(verdict(words) { $0.maximumWords = 50 } == .init(.machine, .longGreeting, milliseconds: 2220))
        let mumbling = Array(repeating: [(60, true), (700, false)], count: 20).flatMap { $0 }
        #expect(verdict([(200, true)] + mumbling) { $0.initialSilence = 30_000 } == .init(.notsure, .tooLong, milliseconds: 5000))
        #expect(verdict([(900, true)]) { ($0.maximumWordLength, $0.greeting) = (500, 5000) } == .init(.machine, .longWord, milliseconds: 520))
        #expect(verdict([(80, true), (2600, false)]) == .init(.machine, .initialSilence, milliseconds: 2580), "a click is no word")
    }

    @Test("A tone decides at once; after a verdict nothing does")
    func tones() {
        var machine = AnsweringMachine()
        #expect(machine.hear(tone: .fax) == .init(.machine, .fax, milliseconds: 0))
        #expect(machine.hear(tone: .beep) == nil && machine.hear(isActive: true, isVoiced: true) == nil)
    }

    @Test("Faxes: CNG and CED of -15 and -30 dBov in line noise, and a CED whose phase turns (ANSam)")
    func fax() {
        for level in [Float(-15), -30] {
            var line = Line()
            line.pause(400)
            line.tone([1100], level: level, milliseconds: 500)
            line.pause(1500)
            line.add(.white, level: -55, seed: 3)
            #expect(Heard(line.coded).tones.map(\.finding) == [.faxCalling])

            var answer = Line()
            answer.pause(400)
            for turn in 0..<6 {
                let start = answer.samples.count
                answer.tone([2100], level: level, milliseconds: 450)
                if turn % 2 == 1 { for index in start..<answer.samples.count { answer.samples[index] = -answer.samples[index] } }
            }
            answer.pause(500)
            answer.add(.white, level: -55, seed: 4)
            #expect(Heard(answer.coded).tones.map(\.finding) == [.faxAnswering])
        }
    }
}
