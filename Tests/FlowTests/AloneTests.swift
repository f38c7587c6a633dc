import Flow
import Testing

@Suite("Runs without a call")
struct AloneTests {
    private func script(_ json: String) throws -> Script {
        var script = try Script(json)
        script.run = Run(actions: try Script.actions(json), isAlone: true)
        return script
    }

    @Test("What needs a call fails with no_call, and the run goes on; web servers are asked")
    func withoutCall() throws {
        var script = try script("""
            [{"id": "say", "type": "talk", "option": {"text": "?"}}, {"id": "record", "type": "voicemail", "option": {"mailbox": "1"}},
             {"id": "ask", "type": "http_request", "option": {"url": "https://example.com/"}}, {"id": "hear", "type": "parallel", "option": {"branches": [
                {"name": "a", "actions": [{"id": "echo", "type": "echo"}]}, {"name": "b", "actions": [{"id": "n", "type": "variable_set", "option": {"key": "n", "value": 1}}]}]}},
             {"id": "bye", "type": "hangup"}]
            """)
        script.answers = [FlowAnswer(status: 200)]
        script.start()
        #expect(script.performed.isEmpty && script.requests.count == 1)
        #expect(script.finished == .completed)
        #expect(script.run.variables["results.say.code"] == "no_call" && script.run.variables["results.record.code"] == "no_call")
        #expect(script.run.variables["results.ask.result"] == "completed" && script.run.variables["n"] == "1")
        #expect(script.run.variables["results.echo.result"] != "completed")
        #expect(script.occurrences.last == .ended(.completed))
    }

    @Test("It is one for whoever goes on with it, too; earlier rows are of runs with a call")
    func stored() throws {
        var run = Run(actions: try Script.actions(#"[{"id": "ask", "type": "http_request", "option": {"url": "https://example.com/"}}]"#), isAlone: true)
        _ = Interpreter().start(&run, at: 0)
        let loaded = try Run(cursor: JSONValue(json: run.cursor.json), lists: run.lists)
        #expect(loaded == run && loaded.isAlone)
        var earlier = run.cursor.object ?? [:]
        earlier["alone"] = nil
        #expect(try Run(cursor: .object(earlier), lists: run.lists).isAlone == false)
    }

    @Test("recording_start and transcribe_start take on_end_flow_id; Go's zero UUID means none")
    func recording() throws {
        for (id, wanted) in [("flow_1", "flow_1"), ("00000000-0000-0000-0000-000000000000", nil), ("", nil)] as [(String, String?)] {
            let action = try Script.actions(#"[{"type": "recording_start", "option": {"on_end_flow_id": "\#(id)"}}]"#).first
            guard case .recordingStart(let option)? = action?.kind else { throw Run.Unreadable() }
            #expect(option.successor == wanted)
            let transcribes = try Script.actions(#"[{"type": "transcribe_start", "option": {"on_end_flow_id": "\#(id)"}}]"#).first
            guard case .transcribeStart(let transcription)? = transcribes?.kind else { throw Run.Unreadable() }
            #expect(transcription.successor == wanted)
        }
    }
}
