import Flow
import Testing

@Suite("Flows that VoIPbin has exported run, and what nobody here can do fails with a code")
struct ExportedFlowTests {
    private static let zero = "00000000-0000-0000-0000-000000000000"

    @Test("The zero UUID is no flow: a call has its actions, and a flow that is named counts before them")
    func call() throws {
        for (id, flow) in [(Self.zero, nil), ("", nil), ("flow_1", "flow_1")] as [(String, String?)] {
            var script = try Script(
                #"[{"type": "call", "option": {"destinations": [{"type": "tel", "target": "1"}], "flow_id": "\#(id)", "actions": [{"id": "hello", "type": "beep"}]}}]"#)
            script.start()
            guard case .call(let order)? = script.asked.first else { return #expect(Bool(false)) }
            #expect(order.flowID == flow && order.actions.map(\.id) == (flow == nil ? ["hello"] : []))
        }
        let none = #"[{"type": "call", "option": {"destinations": [{"type": "tel", "target": "1"}], "flow_id": "\#(Self.zero)"}}]"#
        guard case .failure(let problems) = Validation().actions(json: Array(none.utf8)) else { return #expect(Bool(false)) }
        #expect(problems.list.map(\.pointer) == ["/actions/0/option/flow_id"])
        var script = try Script(#"[{"id": "out", "type": "call", "option": {"destinations": [{"type": "tel", "target": "1"}], "flow_id": "${id}"}}]"#, variables: ["id": Self.zero])
        script.start()
        #expect(script.asked.isEmpty && script.run.variables["results.out.code"] == "not_found")
    }

    @Test("Nor is it one that a call is transferred to")
    func transfer() throws {
        var script = try Script(#"[{"id": "t", "type": "transfer", "option": {"destinations": [{"type": "tel", "target": "1"}], "flow_id": "\#(Self.zero)"}}]"#)
        script.start()
        #expect(script.performed == ["t.dial"])
        let none = #"[{"type": "transfer", "option": {"flow_id": "\#(Self.zero)"}}]"#
        guard case .failure(let problems) = Validation().actions(json: Array(none.utf8)) else { return #expect(Bool(false)) }
        #expect(problems.list.map(\.code) == [.missing])
        script = try Script(#"[{"id": "t", "type": "transfer", "option": {"flow_id": "${id}"}}]"#, variables: ["id": Self.zero])
        script.start()
        #expect(script.run.variables["results.t.code"] == "not_found")
    }

    static let refused = [
        (#""external_media_start", "option": {"external_host": "a:1", "encapsulation": "rtp", "transport": "udp", "connection_type": "client", "format": "ulaw"}"#, "unsupported_media"),
        (#""external_media_start", "option": {"external_host": "a:1", "encapsulation": "audiosocket", "transport": "tcp"}"#, "unsupported_media"),
        (#""external_media_start", "option": {"external_host": "", "connection_type": "server"}"#, "unsupported_media"),
        (#""external_media_start", "option": {"external_host": "a:1", "transport": "websocket", "transport_data": "f(json)"}"#, "unsupported_media"),
        (#""recording_start", "option": {"format": "mp3"}"#, "unsupported_format"),
        (#""digits_send", "option": {"digits": "${nothing}"}"#, "no_digits"),
        (#""digits_send", "option": {"digits": "${word}"}"#, "no_digits"),
    ]

    @Test("What cannot be done is saved, is given to nobody, and fails with its code", arguments: refused)
    func refusals(action: String, code: String) throws {
        var script = try Script(
            #"[{"id": "a", "type": \#(action)}, {"type": "branch", "option": {"variable": "voipbin.action.code", "target_ids": {"\#(code)": "instead"}}}, {"type": "stop"}, {"id": "instead", "type": "beep"}]"#,
            variables: ["word": "none"])
        script.start()
        #expect(script.performed == ["instead"])
        #expect(script.run.variables["results.a.result"] == "failed")
        #expect(script.occurrences.contains { if case .finished(_, nil, let outcome) = $0 { outcome == .failed(code) } else { false } })
    }

    @Test("What can be done is", arguments: [
        #""external_media_start", "option": {"external_host": "a:1", "encapsulation": "none", "transport": "websocket", "connection_type": "client", "transport_data": ""}"#,
        #""external_media_start", "option": {"url": "wss://a/"}"#, #""recording_start", "option": {"format": "ogg"}"#, #""digits_send", "option": {"digits": "${n}"}"#,
    ])
    func performed(action: String) throws {
        var script = try Script(#"[{"id": "a", "type": \#(action)}]"#, variables: ["n": "1"])
        script.start()
        #expect(script.performed == ["a"])
    }

    @Test("ai_summary sums up what VoIPbin's does", arguments: ["call", "conference", "recording", "transcribe", "", "${what}"])
    func summaries(type: String) throws {
        #expect(try Script.actions(#"[{"type": "ai_summary", "option": {"reference_type": "\#(type)"}}]"#).count == 1)
    }
}
