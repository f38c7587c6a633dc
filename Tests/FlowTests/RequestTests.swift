import Flow
import Testing

@Suite("Flows ask web servers (docs/flow-requests.md)")
struct RequestTests {
    private func json(_ body: String, status: Int = 200) -> FlowAnswer {
        FlowAnswer(status: status, contentType: "application/json; charset=utf-8", body: body, milliseconds: 12)
    }

    @Test("fetch performs the actions it is answered with, then the flow goes on")
    func fetch() throws {
        var script = try Script(
            #"[{"id": "ask", "type": "fetch", "option": {"event_url": "https://a.example/${digits}", "send_variables": true}}, {"id": "after", "type": "beep"}]"#,
            variables: ["voipbin.activeflow.id": "run_1", "voipbin.activeflow.reference_id": "call_1", "voipbin.call.digits": "7"])
        script.answers = [json(#"[{"id": "told", "type": "talk", "option": {"text": "${digits}"}}]"#)]
        try script.play(.completed, .completed)
        #expect(script.performed == ["told", "after"])
        let request = try #require(script.requests.first)
        #expect(request.url == "https://a.example/7")
        #expect(request.method == .post)
        let body = try JSONValue(json: request.body ?? "")
        #expect(body["activeflow_id"] == "run_1")
        #expect(body["reference_id"] == "call_1")
        #expect(body["action_id"] == "ask")
        #expect(body["variables"]?["voipbin.call.digits"] == "7")
        #expect(script.finished == .completed)
    }

    @Test("fetch: what is no list of actions fails, and says what is wrong with it")
    func badActions() throws {
        let flow = #"[{"id": "ask", "type": "fetch", "option": {"event_url": "https://a.example/"}}, {"id": "after", "type": "beep"}]"#
        for (answer, code) in [
            (json(#"[{"type": "levitate"}]"#), "invalid_actions"), (json(#"{"actions": {}}"#), "invalid_actions"), (json("nonsense"), "invalid_actions"),
            (json("[]", status: 500), "http_500"), (FlowAnswer(failure: "timeout"), "timeout"), (FlowAnswer(failure: "address_refused"), "address_refused"),
        ] {
            var script = try Script(flow)
            script.answers = [answer]
            script.start()
            #expect(script.performed == ["after"])
            #expect(script.run.variables["results.ask.code"] == code)
            #expect(script.run.variables["action.result"] == "failed")
        }
        var script = try Script(flow)
        script.answers = [json(#"[{"type": "levitate"}]"#)]
        script.start()
        #expect(script.run.variables["results.ask.errors[0].pointer"] == "/0/type")
        script = try Script(flow)
        script.answers = [json(#"{"actions": [{"id": "x", "type": "beep"}]}"#)]
        script.start()
        #expect(script.performed == ["x"])
    }

    @Test("A flow that fetches itself for ever, with more to do each time, ends at the limit of nested lists")
    func fetchesItself() throws {
        let actions = #"[{"id": "again", "type": "fetch", "option": {"event_url": "https://a.example/"}}, {"id": "n", "type": "variable_set", "option": {"key": "n", "value": 1}}]"#
        var script = try Script(actions)
        script.answers = Array(repeating: json(actions), count: 100)
        script.start()
        #expect(script.finished == .completed)
        #expect(script.requests.count <= Limits().nestedLists)
        #expect(script.run.variables["results.again.code"] == "nested_too_deeply")
    }

    @Test("http_request keeps status and body, as a value, where the flow finds them")
    func httpRequest() throws {
        var script = try Script(
            """
            [{"id": "look", "type": "http_request", "option": {"url": "https://a.example/o?from=${call.from}", "method": "PUT",
               "json": {"who": "${call.from}", "n": 1}, "headers": {"Authorization": "Bearer ${token}"}, "variable": "order"}},
             {"type": "condition", "option": {"expression": "results.look.status == 201 and order.items[0].price > 2"}},
             {"id": "say", "type": "talk", "option": {"text": "${order.items[0].name} ${results.look.body.items[0].price}"}}]
            """, variables: ["call.from": "+49", "token": "t\\r\\nEvil: 1"])
        script.answers = [json(#"{"items": [{"name": "tea", "price": 2.5}]}"#, status: 201)]
        script.start()
        guard case .talk(let talk) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(talk.text == "tea 2.5")
        #expect(script.requests.first?.body == #"{"n":1,"who":"+49"}"#)
        #expect(script.requests.first?.contentType == "application/json")
    }

    @Test("A header that a variable has made two lines of is not sent")
    func headerInjection() throws {
        var script = try Script(
            #"[{"type": "http_request", "option": {"url": "https://a.example/", "headers": {"X-A": "${evil}", "X-B": "${good}"}}}]"#,
            variables: ["evil": "a\r\nHost: b", "good": "c"])
        script.start()
        #expect(script.requests.first?.headers == ["X-B": "c"])
    }

    @Test("webhook_send: with sync the flow waits and has the answer, without it goes on at once")
    func webhook() throws {
        let flow = { (sync: Bool) in
            #"[{"id": "tell", "type": "webhook_send", "option": {"sync": \#(sync), "uri": "https://a.example/", "data": "{}"}}, {"id": "after", "type": "beep"}]"#
        }
        var script = try Script(flow(true))
        script.answers = [FlowAnswer(status: 200, contentType: "text/plain", body: "thanks")]
        script.start()
        #expect(script.requests.count == 1)
        #expect(script.run.variables["results.tell.body"] == "thanks")
        script = try Script(flow(false))
        script.start()
        #expect(script.requests.isEmpty)
        #expect(script.sends.count == 1)
        #expect(script.performed == ["after"])
    }

    @Test("webhook_send with sync keeps the answer in its variable; without sync there is none to keep")
    func webhookVariable() throws {
        let flow = #"[{"id": "tell", "type": "webhook_send", "option": {"sync": true, "uri": "https://a.example/", "data": "{}", "variable": "reply"}}]"#
        var script = try Script(flow)
        script.answers = [json(#"{"n": 7}"#)]
        script.start()
        #expect(script.run.variables["reply.n"] == "7")
        guard case .failure(let problems) = Validation().actions(json: Array(flow.replacing("true", with: "false").utf8)) else { return #expect(Bool(false)) }
        #expect(problems.list.map(\.pointer) == ["/actions/0/option/variable"])
    }

    @Test("An answer too long for the results is said to be left out, and the variable has it")
    func longAnswer() throws {
        for action in [
            #"{"id": "look", "type": "http_request", "option": {"url": "https://a.example/", "variable": "page"}}"#,
            #"{"id": "look", "type": "webhook_send", "option": {"sync": true, "uri": "https://a.example/", "variable": "page"}}"#,
        ] {
            let page = String(repeating: "x", count: 10_000)
            var script = try Script("[\(action)]")
            script.answers = [FlowAnswer(status: 200, contentType: "text/plain", body: page)]
            script.start()
            #expect(script.run.variables["results.look.body"].isEmpty && script.run.variables["results.look.body_omitted"] == "true")
            #expect(script.run.variables["page"] == page)
            script = try Script("[\(action)]")
            script.answers = [FlowAnswer(status: 200, contentType: "text/plain", body: "short")]
            script.start()
            #expect(script.run.variables["results.look.body"] == "short" && script.run.variables["results.look.body_omitted"].isEmpty)
        }
    }

    @Test("fetch: actions are taken from servers that call their JSON text, or nothing; a page is none", arguments: [
        ("text/plain; charset=utf-8", "told"), (nil, "told"), ("application/json ; charset=utf-8", "told"), ("text/html", "after"),
    ] as [(String?, String)])
    func typesOfActions(type: String?, first: String) throws {
        var script = try Script(#"[{"id": "ask", "type": "fetch", "option": {"event_url": "https://a.example/"}}, {"id": "after", "type": "beep"}]"#)
        script.answers = [FlowAnswer(status: 200, contentType: type, body: #"[{"id": "told", "type": "beep"}]"#)]
        script.start()
        #expect(script.performed == [first])
        #expect(script.run.variables["results.ask.code"] == (first == "told" ? "" : "invalid_actions"))
    }

    @Test("Only fetch expects JSON: to others a text is a text, whatever it looks like")
    func textIsText() throws {
        var script = try Script(#"[{"id": "look", "type": "http_request", "option": {"url": "https://a.example/", "variable": "page"}}]"#)
        script.answers = [FlowAnswer(status: 200, contentType: "text/plain", body: "[1]")]
        script.start()
        #expect(script.run.variables.value(of: "page") == "[1]")
    }

    @Test("Webhooks that nobody waits for count as requests of the run, too")
    func webhooksAreCounted() throws {
        var limits = Limits()
        limits.executedActions = 3
        var script = try Script(#"[{"id": "tell", "type": "webhook_send", "option": {"uri": "https://a.example/", "data": "{}"}, "next_id": "tell"}]"#, limits: limits)
        script.start()
        #expect(script.finished == .limit)
        #expect(script.sends.map(\.number) == [1, 2, 3])
    }

    @Test("Methods are written in whatever case")
    func methods() throws {
        var script = try Script(#"[{"type": "http_request", "option": {"url": "https://a.example/", "method": "put", "body": "x"}}]"#)
        script.start()
        #expect(script.requests.first?.method == .put)
    }

    @Test("A request has one number, its answer counts once, and the run is stored while it waits")
    func numbers() throws {
        let interpreter = Interpreter()
        let request = #"{"type": "http_request", "option": {"url": "https://a.example/"}}"#
        var run = Run(actions: try Script.actions("[\(request), \(request), {\"id\": \"after\", \"type\": \"beep\"}]"))
        guard case .needAnswer(let first) = interpreter.start(&run, at: 0).next else { return #expect(Bool(false)) }
        #expect(first.number == 1)
        run = try Run(cursor: JSONValue(json: run.cursor.json), lists: run.lists)
        #expect(run.current == .needAnswer(first))
        #expect(interpreter.start(&run, at: 0).occurrences.isEmpty, "asked again, it is the same request")
        let answer = FlowAnswer(status: 200)
        guard case .needAnswer(let second) = interpreter.supply(&run, answer, to: 1, at: 0).next else { return #expect(Bool(false)) }
        #expect(second.number == 2)
        #expect(interpreter.supply(&run, answer, to: 1, at: 0).occurrences.isEmpty, "an answer that comes twice")
        #expect(run.current == .needAnswer(second))
        guard case .perform(_, step: 1) = interpreter.supply(&run, answer, to: 2, at: 0).next else { return #expect(Bool(false)) }
    }

    @Test("The end of the call ends a run that waits for a web server; the late answer changes nothing")
    func callEnds() throws {
        let interpreter = Interpreter()
        var run = Run(actions: try Script.actions(#"[{"type": "beep"}, {"type": "http_request", "option": {"url": "https://a.example/"}}]"#))
        _ = interpreter.start(&run, at: 0)
        _ = try interpreter.advance(&run, step: 1, .completed, at: 0)
        #expect(try interpreter.advance(&run, step: 1, .callEnded, at: 0).next == .finished(.callEnded))
        #expect(interpreter.supply(&run, FlowAnswer(status: 200), to: 1, at: 0).occurrences.isEmpty)
    }

    @Test("Which answers are worth another attempt", arguments: [
        (FlowAnswer(status: 200), false), (FlowAnswer(status: 404), false), (FlowAnswer(status: 429), true), (FlowAnswer(status: 503), true),
        (FlowAnswer(failure: "timeout"), true), (FlowAnswer(failure: "unreachable"), true), (FlowAnswer(failure: "address_refused"), false),
    ])
    func repeated(answer: FlowAnswer, isRepeated: Bool) {
        #expect(answer.mayBeRepeated == isRepeated)
    }
}
