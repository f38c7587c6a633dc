import Flow
import FlowSimulation
import Testing

@Suite("parallel: branches beside each other")
struct ParallelTests {
    private static let ask = #"{"id": "ask", "type": "http_request", "option": {"url": "https://a.example/", "variable": "answer"}}"#

    private static func flow(until: String) -> String {
        """
        [{"id": "both", "type": "parallel", "option": {"until": "\(until)", "branches": [
            {"name": "web", "actions": [\(ask), {"id": "set", "type": "variable_set", "option": {"key": "who", "value": "web"}}]},
            {"name": "call", "actions": [{"id": "music", "type": "play", "option": {"stream_urls": ["a.wav"]}},
                {"id": "set2", "type": "variable_set", "option": {"key": "who", "value": "call"}}]}]}},
         {"id": "after", "type": "beep"}]
        """
    }

    private let answer = FlowAnswer(status: 200, contentType: "application/json", body: #"{"n": 7}"#)

    @Test("all: the action is performed while the answer is waited for; the flow goes on when both have ended, whoever is first")
    func all() throws {
        for webFirst in [true, false] {
            var script = try Script(Self.flow(until: "all"))
            script.start()
            #expect(script.performed == ["music"])
            #expect(script.run.openRequests.map(\.url) == ["https://a.example/"])
            try script.storeAndLoad()
            if webFirst {
                script.arrives(answer, to: 1)
                #expect(script.performed == ["music"], "it goes on")
                try script.storeAndLoad()
                try script.answer(.completed)
            } else {
                script.answers = [answer]
                try script.answer(.completed)
            }
            #expect(script.performed == ["music", "after"])
            #expect(script.run.variables["answer.n"] == "7")
            #expect(script.run.variables["who"] == (webFirst ? "call" : "web"), "the later of two has it")
            #expect(script.run.variables["results.both.first"] == (webFirst ? "web" : "call"))
            #expect(script.run.variables["results.both.branches.web.result"] == "completed")
            #expect(script.run.variables["results.music.result"] == "completed")
            try script.answer(.completed)
            #expect(script.finished == .completed)
        }
    }

    @Test("first: what is performed is given up for the next step, and its late outcome changes nothing")
    func first() throws {
        var script = try Script(Self.flow(until: "first"))
        script.start()
        script.arrives(answer, to: 1)
        #expect(script.performed == ["music", "after"])
        #expect(script.run.step == 2)
        #expect(script.run.variables["who"] == "web")
        #expect(script.run.variables["results.both.branches.call.result"] == "canceled")
        #expect(script.occurrences.contains { if case .finished(let action, 1, .canceled) = $0 { action.id == "music" } else { false } })
        let late = try script.interpreter.advance(&script.run, step: 1, .failed("late"), at: 0)
        #expect(late.occurrences.isEmpty)
        #expect(script.run.variables["results.music.code"].isEmpty)
        var other = try Script(Self.flow(until: "first"))
        other.start()
        try other.answer(.completed)
        #expect(other.performed == ["music", "after"])
        other.arrives(answer, to: 1)
        #expect(other.run.variables["answer"].isEmpty, "the answer to a branch that was given up")
    }

    @Test("Keys that came meanwhile are kept for what waits for keys next, also when their branch is given up")
    func keys() throws {
        let flow = Self.flow(until: "first").replacing(#"{"id": "after", "type": "beep"}"#, with: #"{"id": "in", "type": "digits_receive", "option": {"length": 2}}, {"id": "end", "type": "beep"}"#)
        var script = try Script(flow)
        try script.play(.digits("12"))
        #expect(script.performed == ["music", "end"])
        #expect(script.run.variables["digits"] == "12")
    }

    @Test("The end of the call ends all; stop in a branch ends the run; a branch beside the call's performs nothing on it")
    func ends() throws {
        var script = try Script(Self.flow(until: "all"))
        try script.play(.callEnded)
        #expect(script.finished == .callEnded)
        script = try Script(#"[{"type": "parallel", "option": {"branches": [{"name": "a", "actions": [{"type": "stop"}]}, {"name": "b", "actions": [{"id": "x", "type": "beep"}]}]}}]"#)
        script.start()
        #expect(script.finished == .stopped && script.performed.isEmpty)
        script = try Script(
            #"""
            [{"type": "parallel", "option": {"branches": [{"name": "a", "actions": [{"id": "f", "type": "fetch_flow", "option": {"flow_id": "flow_1"}}]},
              {"name": "b", "actions": [{"id": "x", "type": "beep"}]}]}}]
            """#)
        script.library["flow_1"] = try Script.actions(#"[{"id": "y", "type": "beep"}]"#)
        script.start()
        #expect(script.performed == ["x"])
        try script.answer(.completed)
        #expect(script.finished == .completed)
        #expect(script.run.variables["results.y.code"] == "call_in_use")
    }

    @Test("A circle of branches ends at the limit, in a bounded stack")
    func circle() throws {
        var script = try Script(
            #"[{"id": "p", "type": "parallel", "option": {"branches": [{"name": "a", "actions": [{"type": "variable_set", "option": {"key": "n", "value": 1}}]}]}, "next_id": "p"}]"#)
        script.start()
        #expect(script.finished == .limit)
    }

    @Test("Mistakes are named")
    func validation() throws {
        let many = (0..<9).map { #"{"name": "b\#($0)", "actions": []}"# }.joined(separator: ",")
        for (branches, pointer) in [
            (#"{"name": "a", "actions": [{"type": "beep"}]}, {"name": "b", "actions": [{"type": "talk", "option": {"text": "x"}}]}"#, "/1"),
            (#"{"name": "a", "actions": []}, {"name": "a", "actions": []}"#, "/1/name"),
            (#"{"name": "a", "actions": [{"id": "x", "type": "stop"}]}, {"name": "b", "actions": [{"id": "x", "type": "stop"}]}"#, "/1/actions/0/id"),
            (#"{"name": "a", "actions": [{"type": "parallel", "option": {"branches": [{"name": "c"}]}}]}"#, "/0/actions/0/type"),
            (#"{"name": "a", "actions": [{"type": "goto", "option": {"target_id": "outside"}}]}"#, "/0/actions/0/option/target_id"), (many, ""),
            (#"{"actions": []}"#, "/0/name"),
        ] {
            let text = #"[{"id": "outside", "type": "beep"}, {"type": "parallel", "option": {"branches": [\#(branches)]}}]"#
            guard case .failure(let problems) = Validation().actions(json: Array(text.utf8)) else {
                Issue.record("accepted: \(branches)")
                continue
            }
            #expect(problems.list.map(\.pointer) == ["/actions/1/option/branches" + pointer])
        }
        let actions = try Script.actions(#"[{"type": "parallel", "option": {"branches": [{"name": "a", "actions": [{"type": "beep"}, {"type": "stop"}]}]}}]"#)
        guard case .parallel(let option) = actions[0].kind else { return #expect(Bool(false)) }
        #expect(option.branches[0].actions.map(\.id) == ["a_action_1", "a_action_2"])
    }

    @Test("In virtual time: music until the answer is there, keys pressed meanwhile, a caller who hangs up")
    func simulated() throws {
        let text = """
            {"actions": \(Self.flow(until: "first")), "cases": [
              {"servers": {"https://a.example/": [{"json": {"n": 1}, "after": 1200}]}, "prompts": {"music": 60000},
               "expect": {"path": ["both", "ask", "music", "set", "after"], "heard": ["a.wav"], "longest": 1500, "variables": {"who": "web", "answer.n": 1}}},
              {"servers": {"https://a.example/": [{"json": {"n": 1}, "after": 9000}]}, "prompts": {"music": 2000},
               "expect": {"longest": 2300, "variables": {"who": "call"}}},
              {"servers": {"https://a.example/": [{"json": {"n": 1}, "after": 9000}]}, "prompts": {"music": 20000}, "caller": [{"after": 500, "hang_up": true}],
               "expect": {"longest": 500, "finished": "call_ended"}}]}
            """
        let trial = try Trial.read(try JSONValue(json: text), validation: Validation()) { _ in nil }.get()
        for one in trial.cases {
            let report = Player.play(one, of: trial, with: Interpreter())
            #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        }
        #expect(Drawing.svg(trial.actions).contains("first: web (2) | call (2)"))
    }
}
