import Flow
import FlowSimulation
import Testing

@Suite("collect: one thing is asked for until the answer is one")
struct CollectTests {
    private let variables = ["voipbin.activeflow.reference_id": "call_1"]

    private func script(_ option: String) throws -> Script {
        try Script(
            """
            [{"id": "ask", "type": "collect", "option": {"prompt": "Well?", "variable": "v", \(option)}}, {"id": "after", "type": "beep"},
             {"id": "none", "type": "beep"}, {"id": "bad", "type": "beep"}, {"id": "failed", "type": "beep"}]
            """, variables: variables)
    }

    private func keys(_ digits: String) -> Outcome { Outcome(.completed, digits: digits, data: ["input": "digits", "digits": .string(digits)]) }

    @Test("What was pressed is what is wanted, with its type", arguments: [
        (#""kind": "digits", "pattern": "4*""#, "4711", JSONValue.string("4711")), (#""kind": "number", "min": 1, "max": 99"#, "42", 42),
        (#""kind": "number""#, "3*5", 3.5), (#""kind": "date""#, "20240229", "2024-02-29"), (#""kind": "date", "date_format": "dmy""#, "31122025", "2025-12-31"),
        (#""kind": "date", "date_format": "mdy""#, "12312025", "2025-12-31"), (#""kind": "time""#, "0905", "09:05"),
    ])
    func kinds(option: String, digits: String, value: JSONValue) throws {
        var script = try script(option)
        script.start()
        guard case .gather(let gather) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(gather.text == "Well?" && script.performed == ["ask.ask"])
        try script.storeAndLoad()
        try script.answer(keys(digits))
        #expect(script.run.variables.value(of: "v") == value)
        #expect(script.performed.last == "after" && script.run.variables["results.ask.attempts"] == "1")
    }

    @Test("What is none of the kind is asked for again, and then the flow goes on where it says", arguments: [
        (#""kind": "digits", "min_length": 4"#, "12"), (#""kind": "digits", "pattern": "4?""#, "471"), (#""kind": "number", "max": 10"#, "11"), (#""kind": "number""#, "1*2*3"),
        (#""kind": "number""#, "#"), (#""kind": "date""#, "20250229"), (#""kind": "date""#, "2025"), (#""kind": "time""#, "2460"), (#""kind": "time""#, "09*5"),
    ])
    func invalid(option: String, digits: String) throws {
        var script = try script(option + #", "retries": 1, "invalid_text": "No.", "invalid_target_id": "bad""#)
        script.start()
        try script.answer(keys(digits))
        guard case .gather(let gather) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(gather.text == "No. Well?")
        try script.storeAndLoad()
        try script.answer(keys(digits))
        #expect(script.performed == ["ask.ask", "ask.ask", "bad"] && script.run.variables["results.ask.code"] == "invalid")
        #expect(script.run.variables.value(of: "v") == nil)
    }

    @Test("No answer, no way to understand speech, the end of the call; a run without a call")
    func failures() throws {
        var script = try script(#""kind": "digits", "retries": 1, "no_input_target_id": "none", "failed_target_id": "failed""#)
        try script.play(.failed("no_input"), .failed("no_input"))
        #expect(script.performed == ["ask.ask", "ask.ask", "none"])
        script = try self.script(#""kind": "text", "failed_target_id": "failed""#)
        try script.play(.failed("speech_unavailable"))
        #expect(script.performed == ["ask.ask", "failed"] && script.run.variables["results.ask.code"] == "speech_unavailable")
        script = try self.script(#""kind": "text""#)
        try script.play(.callEnded)
        #expect(script.finished == .callEnded)
        script = try Script(
            #"[{"id": "ask", "type": "collect", "option": {"prompt": "?", "variable": "v", "failed_target_id": "f"}}, {"type": "stop"}, {"id": "f", "type": "beep"}]"#,
            variables: ["voipbin.activeflow.reference_id": "msg_1"])
        script.start()
        #expect(script.performed == ["f"] && script.run.variables["results.ask.code"] == "unavailable")
    }

    @Test("In virtual time: yes and no by key and by word, a text by voice; and what is wrong with it")
    func playedAndChecked() throws {
        let text = """
            {"actions": [{"id": "sure", "type": "collect", "option": {"prompt": "Sure?", "variable": "sure", "kind": "yes_no", "retries": 1}},
               {"id": "name", "type": "collect", "option": {"prompt": "Your name?", "variable": "name", "min_length": 3}}],
             "cases": [
               {"caller": [{"press": "2", "on": "sure.ask", "after": 100}, {"say": "Ada Lovelace", "on": "name.ask", "after": 2000}],
                "expect": {"variables": {"sure": false, "name": "Ada Lovelace"}, "heard": ["Sure?", "Your name?"]}},
               {"caller": [{"say": "oh yes please", "on": "sure.ask", "after": 1000}, {"say": "Bo", "on": "name.ask", "after": 1000}, {"say": "Bob", "after": 3000}],
                "expect": {"variables": {"sure": true, "name": "Bob"}, "heard": ["Sure?", "Your name?", "Your name?"]}}]}
            """
        let trial = try Trial.read(try JSONValue(json: text), validation: Validation()) { _ in nil }.get()
        for one in trial.cases {
            let report = Player.play(one, of: trial, with: Interpreter())
            #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        }
        for (option, pointer) in [
            (#""min": 1"#, "/min"), (#""kind": "date", "pattern": "a""#, "/pattern"), (#""kind": "number", "min": 2, "max": 1"#, "/max"),
            (#""max_length": 1, "min_length": 2"#, "/max_length"), (#""kind": "colour""#, "/kind"),
        ] {
            let json = #"[{"type": "collect", "option": {"prompt": "?", "variable": "v", \#(option)}}]"#
            guard case .failure(let problems) = Validation().actions(json: Array(json.utf8)) else { Issue.record("\(option) is taken"); continue }
            #expect(problems.list.map(\.pointer) == ["/actions/0/option" + pointer])
        }
    }
}
