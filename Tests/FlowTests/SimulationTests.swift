import Flow
import FlowSimulation
import Testing

@Suite("tandem flow test: calls played in virtual time")
struct SimulationTests {
    private func trial(_ cases: String, actions: String = Self.menu, flows: String = "{}") throws -> Trial {
        let text = #"{"actions": \#(actions), "flows": \#(flows), "cases": [\#(cases)]}"#
        return try Trial.read(try JSONValue(json: text), validation: Validation(timeZones: Script.zones)) { _ in nil }.get()
    }

    private func play(_ trial: Trial) -> [Report] {
        trial.cases.map { Player.play($0, of: trial, with: Interpreter(timeZones: Script.zones)) }
    }

    static let menu = """
        [{"id": "hello", "type": "talk", "option": {"text": "One for sales.", "digits_handle": "next"}},
         {"id": "in", "type": "digits_receive", "option": {"duration": 5000, "length": 1}},
         {"id": "choose", "type": "branch", "option": {"target_ids": {"1": "sales"}, "default_target_id": "again"}},
         {"id": "sales", "type": "connect", "option": {"destinations": [{"type": "extension", "target": "1002"}]}},
         {"id": "how", "type": "branch", "option": {"variable": "voipbin.action.result", "target_ids": {"completed": "bye", "busy": "busy"}, "default_target_id": "bye"}},
         {"id": "busy", "type": "talk", "option": {"text": "Busy."}, "next_id": "bye"},
         {"id": "again", "type": "goto", "option": {"target_id": "hello", "loop_count": 1}},
         {"id": "bye", "type": "hangup"}]
        """

    @Test("A caller who presses, one who is silent, a callee who is busy, one who hangs up")
    func cases() throws {
        let trial = try trial(
            #"""
            {"name": "sales", "caller": [{"on": "hello", "after": 300, "press": "1"}], "callees": {"1002": {"rings": 1000, "talks": 5000}},
             "expect": {"path": ["hello", "in", "choose", "sales", "how", "bye"], "called": ["1002"], "finished": "completed", "longest": 6400}},
            {"name": "silence", "expect": {"path": ["hello", "in", "choose", "again", "hello", "in", "choose", "again", "bye"], "heard": ["One for sales.", "One for sales."]}},
            {"name": "busy", "caller": [{"on": "in", "after": 1000, "press": "1"}], "callees": {"1002": {"answer": "busy"}}, "expect": {"passes": ["sales", "busy", "bye"]}},
            {"name": "nobody has that number", "caller": [{"on": "in", "press": "1"}], "expect": {"avoids": ["busy"], "variables": {"results.sales.code": "480"}}},
            {"name": "hangs up", "caller": [{"after": 100, "hang_up": true}], "expect": {"path": ["hello"], "finished": "call_ended", "longest": 100}}
            """#)
        for report in play(trial) { #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)") }
    }

    @Test("What was not expected is named")
    func mistakes() throws {
        let trial = try trial(
            #"""
            {"expect": {"path": ["x"], "passes": ["bye", "hello"], "avoids": ["bye"], "finished": "stopped", "heard": [], "called": ["1"], "requests": ["GET x"],
              "longest": 1, "variables": {"a": "b"}, "holds": ["1 == 2"]}}
            """#)
        #expect(play(trial)[0].mistakes.map { String($0.prefix { $0 != ":" }) }
            == ["path", "heard", "called", "requests", "passes", "avoids", "finished", "longest", "variables", "holds"])
    }

    @Test("Speech, a menu, a schedule, a web server with retries, and time that passes")
    func everything() throws {
        let trial = try trial(
            #"""
            {"name": "by voice", "at": "2025-11-24T16:00:00Z", "caller": [{"on": "menu", "after": 200, "say": "sales please"}],
             "servers": {"https://a.example/": [{"failure": "timeout", "after": 100}, {"status": 200, "json": {"vip": true}, "after": 50}]},
             "expect": {"path": ["when", "look", "menu", "vip"], "requests": ["GET https://a.example/1001"], "variables": {"customer.vip": true, "results.look.attempts": 2},
               "holds": ["results.menu.speech == 'sales please'", "results.when.schedule == 'open'"]}},
            {"name": "at night", "at": "2025-11-24T22:00:00Z", "expect": {"path": ["when", "closed"], "heard": ["We are closed."]}},
            {"name": "nothing said", "at": "2025-11-24T16:00:00Z", "expect": {"passes": ["menu", "closed"], "heard": ["What?", "Pardon?", "What?", "We are closed."]}}
            """#,
            actions: """
                [{"id": "when", "type": "schedule", "option": {"hours": [{"from": "09:00", "to": "18:00"}], "closed_target_id": "closed"}},
                 {"id": "look", "type": "http_request", "option": {"url": "https://a.example/${call.from}", "variable": "customer", "retries": 1}},
                 {"id": "menu", "type": "gather", "option": {"input": ["speech"], "text": "What?", "attempts": 2, "no_input_text": "Pardon?",
                   "choices": [{"phrases": ["sales"], "target_id": "vip"}], "no_input_target_id": "closed"}},
                 {"id": "vip", "type": "stop"},
                 {"id": "closed", "type": "talk", "option": {"text": "We are closed."}}]
                """)
        for report in play(trial) { #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)") }
    }

    @Test("A flow fetched, keys typed too early, digits kept from a prompt that does not end by them")
    func typeAhead() throws {
        let trial = try trial(
            #"""
            {"caller": [{"after": 10, "press": "42#"}], "expect": {"heard": ["a", "42#"], "path": ["f", "say", "in", "tell"]}}
            """#,
            actions: ##"[{"id": "f", "type": "fetch_flow", "option": {"flow_id": "x"}}, {"id": "in", "type": "digits_receive", "option": {"key": "#"}}, {"id": "tell", "type": "talk", "option": {"text": "${digits}"}}]"##,
            flows: #"{"x": [{"id": "say", "type": "talk", "option": {"text": "a"}}]}"#)
        var patient = trial
        patient.cases[0].prompts["say"] = 2000
        #expect(play(patient)[0].mistakes.isEmpty)
    }

    @Test("Mistakes in the file have pointers", arguments: [
        (#"{"cases": []}"#, "/actions"), (#"{"flow": "none.json"}"#, "/flow"), (#"{"actions": [{"type": "levitate"}]}"#, "/actions/0/type"),
        (#"{"actions": [], "cases": [{"caller": [{"after": 1}]}]}"#, "/cases/0/caller/0"), (#"{"actions": [], "cases": [{"at": "noon"}]}"#, "/cases/0/at"),
        (#"{"actions": [], "cases": [{"expect": {"holds": ["1 +"]}}]}"#, "/cases/0/expect/holds/0"), (#"{"actions": [], "case": []}"#, "/case"),
        (#"{"actions": [], "cases": [{"callees": {"1": {"answer": "maybe"}}}]}"#, "/cases/0/callees/1/answer"),
    ])
    func reading(text: String, pointer: String) throws {
        guard case .failure(let problems) = Trial.read(try JSONValue(json: text), validation: Validation(), load: { _ in nil }) else {
            return #expect(Bool(false), "no mistake is found")
        }
        #expect(problems.list.map(\.pointer) == [pointer])
    }

    @Test("A thousand hours of waiting take no time", .timeLimit(.minutes(1)))
    func virtual() throws {
        let trial = try trial(
            #"{"expect": {"finished": "limit"}}"#, actions: #"[{"id": "wait", "type": "sleep", "option": {"duration": 86400000}, "next_id": "wait"}]"#)
        let report = play(trial)[0]
        #expect(report.mistakes.isEmpty)
        #expect(report.duration == 1000 * 86_400_000)
    }

    @Test("The drawing has every action and every jump, and nothing of a text is markup")
    func drawing() throws {
        var actions = try Script.actions(Self.menu)
        var talk = Talk()
        talk.text = "<script>&\""
        actions.append(Action(id: "evil<", .talk(talk)))
        let svg = Drawing.svg(actions, name: "a & b")
        for action in actions.dropLast() { #expect(svg.contains(">\(action.id) · ")) }
        #expect(svg.contains("evil&lt; · talk"))
        #expect(svg.contains("&lt;script&gt;&amp;&quot;"))
        #expect(!svg.contains("<script"))
        #expect(svg.contains(">1 ×<") && svg.contains(">busy<"))
    }
}
