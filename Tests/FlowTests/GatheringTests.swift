import Flow
import Testing

@Suite("gather: digits and speech, barge-in, retries, menus")
struct GatheringTests {
    private func option(_ change: (inout Gather) -> Void = { _ in }) -> Gather {
        var option = Gather()
        option.text = "Which one?"
        change(&option)
        return option
    }

    private func choice(_ digits: String? = nil, _ phrases: [String] = [], value: String? = nil) -> Gather.Choice {
        var choice = Gather.Choice()
        (choice.digits, choice.phrases, choice.value) = (digits, phrases, value)
        return choice
    }

    private func outcome(_ commands: [Gathering.Command]) -> Outcome? {
        for case .finish(let outcome) in commands { return outcome }
        return nil
    }

    @Test("The prompt, then so many milliseconds for an answer; digits until their number is there")
    func digits() {
        let option = option { $0.length = 2 }
        var gathering = Gathering()
        #expect(gathering.begin(option, ahead: "") == [.prompt(.question)])
        #expect(gathering.promptEnded(option) == [.wait(milliseconds: 5000)])
        #expect(gathering.pressed("4", option) == [.wait(milliseconds: 3000)])
        let result = outcome(gathering.pressed("2", option))
        #expect(result?.digits == "42")
        #expect(result?.data?["input"] == "digits")
        #expect(gathering.pressed("9", option).isEmpty)
        #expect(gathering.rest == "9", "a key too many is kept for what follows")
    }

    @Test("A key cuts the prompt short; without barge_in it counts, and the prompt goes on")
    func bargeIn() {
        var gathering = Gathering()
        let cut = option { $0.length = 2 }
        _ = gathering.begin(cut, ahead: "")
        #expect(gathering.pressed("1", cut) == [.stopPrompt, .wait(milliseconds: 3000)])
        let patient = option { ($0.length, $0.bargeIn) = (2, false) }
        gathering = Gathering()
        _ = gathering.begin(patient, ahead: "")
        #expect(gathering.pressed("1", patient).isEmpty)
        #expect(gathering.promptEnded(patient) == [.wait(milliseconds: 3000)])
        #expect(outcome(gathering.pressed("2", patient))?.digits == "12")
    }

    @Test("Digits typed ahead are the answer, and spare the question")
    func ahead() {
        var gathering = Gathering()
        let two = option { $0.length = 2 }
        #expect(outcome(gathering.begin(two, ahead: "123"))?.digits == "12")
        #expect(gathering.rest == "3")
        gathering = Gathering()
        #expect(gathering.begin(two, ahead: "1") == [.wait(milliseconds: 3000)])
        #expect(outcome(gathering.pressed("2", two))?.digits == "12")
        gathering = Gathering()
        let speech = option { $0.inputs = ["speech"] }
        #expect(gathering.begin(speech, ahead: "12") == [.prompt(.question)])
        #expect(gathering.rest == "12", "digits that are no answer here stay")
    }

    @Test("The ending key ends the digits and is none of them; alone it is nothing")
    func key() {
        var gathering = Gathering()
        let option = option()
        _ = gathering.begin(option, ahead: "")
        _ = gathering.promptEnded(option)
        #expect(gathering.pressed("#", option) == [.wait(milliseconds: 5000)])
        _ = gathering.pressed("7", option)
        _ = gathering.pressed("8", option)
        #expect(outcome(gathering.pressed("#", option))?.digits == "78")
    }

    @Test("The time between digits ends them; too few are asked for again, and in the end are no_match")
    func tooFew() {
        var gathering = Gathering()
        let option = option { ($0.minimumLength, $0.attempts, $0.noMatchText) = (2, 2, "Two digits, please.") }
        _ = gathering.begin(option, ahead: "")
        _ = gathering.pressed("7", option)
        #expect(gathering.timeIsUp(option) == [.prompt(.hint("Two digits, please."))])
        #expect(gathering.attempt == 2)
        _ = gathering.pressed("7", option)
        let result = outcome(gathering.timeIsUp(option))
        #expect(result?.code == "no_match")
        #expect(result?.digits == "7")
    }

    @Test("Nobody answers: asked again, then no_input")
    func noInput() {
        var gathering = Gathering()
        let option = option { ($0.attempts, $0.noInputText) = (2, "Are you there?") }
        _ = gathering.begin(option, ahead: "")
        _ = gathering.promptEnded(option)
        #expect(gathering.timeIsUp(option) == [.prompt(.hint("Are you there?"))])
        #expect(gathering.promptEnded(option) == [.wait(milliseconds: 5000)])
        let result = outcome(gathering.timeIsUp(option))
        #expect(result?.code == "no_input")
        #expect(result?.data?["attempts"] == 2)
        #expect(gathering.timeIsUp(option).isEmpty, "it is over")
    }

    @Test("A menu: a digit that is one choice alone is taken at once, one that begins several is waited for")
    func menu() {
        let option = option { $0.choices = [choice("1", value: "one"), choice("12"), choice("2", ["sales"])] }
        var gathering = Gathering()
        _ = gathering.begin(option, ahead: "")
        #expect(outcome(gathering.pressed("2", option))?.data?["choice"] == "2")
        gathering = Gathering()
        _ = gathering.begin(option, ahead: "")
        #expect(gathering.pressed("1", option) == [.stopPrompt, .wait(milliseconds: 3000)])
        let result = outcome(gathering.timeIsUp(option))
        #expect(result?.data?["choice"] == "one")
        #expect(result?.data?["choice_index"] == 0)
        gathering = Gathering()
        _ = gathering.begin(option, ahead: "")
        _ = gathering.pressed("9", option)
        #expect(outcome(gathering.timeIsUp(option))?.code == "no_match")
    }

    @Test("Speech: a voice ends the prompt, what is understood is told, the longest phrase counts")
    func speech() {
        let option = option {
            ($0.inputs, $0.interim) = (["digits", "speech"], true)
            $0.choices = [choice("1", ["sales"]), choice("2", ["after sales", "service"], value: "service")]
        }
        #expect(option.allHints == ["sales", "after sales", "service"])
        var gathering = Gathering()
        _ = gathering.begin(option, ahead: "")
        #expect(gathering.speechBegan(option) == [.stopPrompt, .wait(milliseconds: 15_000)])
        #expect(gathering.heard("after", confidence: nil, isFinal: false, option) == [.partial("after")])
        let result = outcome(gathering.heard("I want After Sales, please", confidence: 0.8, isFinal: true, option))
        #expect(result?.data?["choice"] == "service")
        #expect(result?.data?["speech"] == "I want After Sales, please")
        #expect(result?.data?["confidence"] == 0.8)
        #expect(result?.data?["input"] == "speech")
    }

    @Test("Speech that means nothing, or is not certain enough, is asked for again")
    func noMatch() {
        let option = option { ($0.inputs, $0.attempts, $0.confidence, $0.choices) = (["speech"], 3, 0.5, [choice(nil, ["yes"])]) }
        var gathering = Gathering()
        _ = gathering.begin(option, ahead: "")
        #expect(gathering.heard("yesterday", confidence: 0.9, isFinal: true, option) == [.stopPrompt, .prompt(.question)])
        #expect(gathering.heard("yes", confidence: 0.4, isFinal: true, option) == [.stopPrompt, .prompt(.question)])
        #expect(outcome(gathering.heard("maybe", confidence: 0.9, isFinal: true, option))?.code == "no_match")
    }

    @Test("When the recogniser fails, digits may still come; without them it is over")
    func recogniserFails() {
        var gathering = Gathering()
        let both = option { $0.inputs = ["digits", "speech"] }
        _ = gathering.begin(both, ahead: "")
        #expect(gathering.speechFailed("busy", both).isEmpty)
        gathering = Gathering()
        let speech = option { $0.inputs = ["speech"] }
        _ = gathering.begin(speech, ahead: "")
        #expect(outcome(gathering.speechFailed("busy", speech))?.code == "speech_busy")
    }

    @Test("In a flow: typed ahead goes in, the choice decides where it goes on, the result is kept")
    func inFlow() throws {
        let flow = """
            [{"id": "ask", "type": "talk", "option": {"text": "Hello", "digits_handle": "next"}},
             {"id": "menu", "type": "gather", "option": {"text": "?", "choices": [{"digits": "1", "target_id": "one"}, {"digits": "2", "value": "two"}],
               "no_input_target_id": "nobody", "no_match_target_id": "wrong"}},
             {"id": "next", "type": "talk", "option": {"text": "${results.menu.choice} ${digits}"}},
             {"id": "one", "type": "beep"}, {"id": "nobody", "type": "beep"}, {"id": "wrong", "type": "beep"}]
            """
        var script = try Script(flow)
        try script.play(.digits("2"))
        guard case .gather(let option) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(option.typedAhead == "2")
        var gathering = Gathering()
        let result = try #require(outcome(gathering.begin(option, ahead: option.typedAhead)))
        try script.answer(result)
        guard case .talk(let talk) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(talk.text == "two 2")
        for (outcome, expected) in [
            (Outcome(.completed, data: ["choice_index": 0]), "one"), (.failed("no_input"), "nobody"), (.failed("no_match"), "wrong"),
            (Outcome(.completed, data: ["choice_index": 7]), "next"), (.failed("speech_busy"), "next"),
        ] {
            script = try Script(flow)
            try script.play(.completed, outcome)
            #expect(script.performed.last == expected)
        }
    }

    @Test("It survives the snapshot of whoever performs it")
    func stored() throws {
        var gathering = Gathering()
        let option = option { $0.length = 3 }
        _ = gathering.begin(option, ahead: "")
        _ = gathering.pressed("1", option)
        var other = try storedAndLoaded(gathering)
        #expect(other == gathering)
        _ = other.pressed("2", option)
        #expect(outcome(other.pressed("3", option))?.digits == "123")
    }
}
