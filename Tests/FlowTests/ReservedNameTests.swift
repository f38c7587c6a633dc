import Flow
import Testing

@Suite("A flow reads the platform's variables, and sets others")
struct ReservedNameTests {
    static let names = [
        "voipbin.call.id", "voipbin.anything", "call.from", "call.digits", "digits", "call['from']", "amd.result", "results", "results.ask",
    ]

    @Test("Where one is to be set the flow is not saved", arguments: names)
    func refusedAtSave(name: String) {
        for (action, field) in [
            (#"{"type": "variable_set", "option": {"key": "\#(name)", "value": "x"}}"#, "key"),
            (#"{"type": "http_request", "option": {"url": "https://a.example/", "variable": "\#(name)"}}"#, "variable"),
            (#"{"type": "webhook_send", "option": {"uri": "https://a.example/", "sync": true, "variable": "\#(name)"}}"#, "variable"),
            (#"{"type": "collect", "option": {"prompt": "?", "variable": "\#(name)"}}"#, "variable"),
        ] {
            guard case .failure(let problems) = Validation().actions(json: Array("[\(action)]".utf8)) else {
                Issue.record("\(action) is taken")
                continue
            }
            #expect(problems.list.map(\.pointer) == ["/actions/0/option/\(field)"] && problems.list.map(\.code) == [.invalidValue])
        }
    }

    @Test("A name that a variable has made is refused when it is due, and the flow is told")
    func refusedWhenDue() throws {
        let flow = """
            [{"id": "set", "type": "variable_set", "option": {"key": "${name}", "value": "x"}},
             {"id": "ask", "type": "http_request", "option": {"url": "https://a.example/", "variable": "${name}"}},
             {"id": "say", "type": "collect", "option": {"prompt": "?", "variable": "${name}", "failed_target_id": "no"}}, {"type": "stop"}, {"id": "no", "type": "beep"}]
            """
        for name in Self.names {
            var script = try Script(flow, variables: ["name": name, "voipbin.call.source.target": "1001", "voipbin.activeflow.reference_id": "call_1"])
            script.answers = [FlowAnswer(status: 200, body: "x")]
            try script.play(Outcome(.completed, data: ["input": "speech", "speech": "x"]))
            for id in ["set", "ask", "say"] { #expect(script.run.variables["results.\(id).code"] == "reserved_name", "\(name)") }
            #expect(script.performed.last == "no")
            #expect(script.run.variables["call.from"] == "1001")
        }
    }

    @Test("Names that only look like them are the flow's own", arguments: ["order.call", "caller", "digit", "digits_of_pin", "myvoipbin.x", "result"])
    func others(name: String) throws {
        var script = try Script(#"[{"type": "variable_set", "option": {"key": "\#(name)", "value": "x"}}]"#)
        script.start()
        #expect(script.run.variables[name] == "x")
    }
}
