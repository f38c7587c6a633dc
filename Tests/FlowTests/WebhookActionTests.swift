import Flow
import Testing

@Suite("What a webhook answers with run_actions is performed as what fetch is answered")
struct WebhookActionTests {
    private static func flow(_ options: String = #""sync": true, "run_actions": true"#) -> String {
        #"[{"id": "tell", "type": "webhook_send", "option": {\#(options), "uri": "https://a.example/", "data": "{}"}}, {"id": "after", "type": "beep"}]"#
    }

    private static let told = #"[{"id": "told", "type": "talk", "option": {"text": "Hello"}}]"#

    private func json(_ body: String, status: Int = 200) -> FlowAnswer {
        FlowAnswer(status: status, contentType: "application/json", body: body)
    }

    @Test("The actions are performed before the flow goes on; results and the variable have the answer as well", arguments: [
        told, #"{"actions": \#(told)}"#,
    ])
    func performed(answer: String) throws {
        var script = try Script(Self.flow(#""sync": true, "run_actions": true, "variable": "reply""#))
        script.answers = [json(answer, status: 201)]
        script.start()
        #expect(script.performed == ["told"])
        #expect(script.run.variables["results.tell.status"] == "201" && script.run.variables["results.tell.result"] == "completed")
        let kept = try JSONValue(json: answer)
        #expect(script.run.variables.value(of: "reply") == kept)
        try script.storeAndLoad()
        try script.answer(.completed)
        try script.answer(.completed)
        #expect(script.performed == ["told", "after"] && script.finished == .completed)
    }

    @Test("An empty body, or 204, has no actions, and that is no failure", arguments: [(200, ""), (202, " \n"), (204, "")])
    func nothing(status: Int, body: String) throws {
        var script = try Script(Self.flow())
        script.answers = [json(body, status: status)]
        script.start()
        #expect(script.performed == ["after"])
        #expect(script.run.variables["results.tell.result"] == "completed" && script.run.variables["results.tell.code"].isEmpty)
    }

    @Test("What is no list of actions fails with fetch's code, says what is wrong, and is kept")
    func badActions() throws {
        for (answer, code) in [
            (json(#"[{"type": "levitate"}]"#), "invalid_actions"), (json(#"{"thanks": true}"#), "invalid_actions"), (json("nonsense"), "invalid_actions"),
            (json(Self.told, status: 500), "http_500"), (FlowAnswer(failure: "timeout"), "timeout"),
        ] {
            var script = try Script(Self.flow())
            script.answers = [answer]
            script.start()
            #expect(script.performed == ["after"] && script.run.variables["results.tell.code"] == code)
        }
        var script = try Script(Self.flow())
        script.answers = [json(#"[{"type": "levitate"}]"#)]
        script.start()
        #expect(script.run.variables["results.tell.errors[0].pointer"] == "/0/type")
        #expect(script.run.variables["results.tell.status"] == "200" && script.run.variables["results.tell.body[0].type"] == "levitate")
    }

    @Test("Without run_actions an answer is only an answer, whatever it holds")
    func notWanted() throws {
        var script = try Script(Self.flow(#""sync": true"#))
        script.answers = [json(Self.told)]
        script.start()
        #expect(script.performed == ["after"] && script.run.variables["results.tell.body[0].id"] == "told")
    }

    @Test("run_actions without sync is a mistake: nobody waits for that answer")
    func withoutSync() {
        guard case .failure(let problems) = Validation().actions(json: Array(Self.flow(#""run_actions": true"#).utf8)) else { return #expect(Bool(false)) }
        #expect(problems.list.map(\.pointer) == ["/actions/0/option/run_actions"])
    }

    @Test("The last of a list gives its place to what it is answered; one with more to do each time ends at the limit of nested lists")
    func nesting() throws {
        let tail = #"[{"id": "tell", "type": "webhook_send", "option": {"sync": true, "run_actions": true, "uri": "https://a.example/"}}]"#
        var script = try Script(tail)
        script.answers = Array(repeating: json(tail), count: 40) + [json("")]
        script.start()
        #expect(script.requests.count == 41 && script.finished == .completed && script.run.variables["results.tell.result"] == "completed")
        script = try Script(Self.flow())
        script.answers = Array(repeating: json(Self.flow()), count: 100)
        script.start()
        #expect(script.run.variables["results.tell.code"] == "nested_too_deeply" && script.requests.count == Limits().nestedLists)
    }
}
