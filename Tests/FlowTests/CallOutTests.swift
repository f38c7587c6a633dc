import Flow
import FlowSimulation
import Testing

@Suite("call: calls that run a flow of their own")
struct CallOutTests {
    private let variables = [
        "voipbin.activeflow.id": "run_1", "voipbin.activeflow.reference_id": "call_1", "voipbin.call.source.target": "1001",
    ]

    private func orders(_ script: Script) -> [CallRequest] { script.asked.compactMap { if case .call(let order) = $0 { order } else { nil } } }

    @Test("One for each destination, told by their ids, and the flow goes on at once; each has a name of its own, for ever")
    func made() throws {
        let flow = """
            [{"id": "out", "type": "call", "option": {"destinations": [{"type": "extension", "target": "1002"}, {"type": "sip", "target": "sip:1003@a.example"}],
               "flow_id": "flow_1", "chained": true, "early_execution": true}},
             {"id": "again", "type": "call", "option": {"source": {"type": "sip", "target": "sip:700@a", "name": "Sales"}, "destinations": [{"type": "tel", "target": "1004"}],
               "actions": [{"id": "hello", "type": "talk", "option": {"text": "${call.to}"}}], "anonymous": "no"}},
             {"id": "say", "type": "talk", "option": {"text": "${results.out.call_ids[0]} ${results.out.calls[1].code} ${results.again.result}"}}]
            """
        var script = try Script(flow, variables: variables)
        script.depot = [.called(id: "call_a"), .refused("exhausted"), .called(id: "call_c")]
        script.start()
        let orders = orders(script)
        #expect(orders.map(\.to.target) == ["1002", "sip:1003@a.example", "1004"])
        #expect(orders.map { "\($0.runID)/\($0.number)/\($0.index)" } == ["run_1/1/0", "run_1/1/1", "run_1/2/0"])
        #expect(orders.map(\.from) == ["1001", "1001", "700"] && orders.map(\.name) == ["", "", "Sales"])
        #expect(orders.map(\.chainedTo) == ["call_1", "call_1", nil] && orders.map(\.isEarly) == [true, true, false])
        #expect(orders[0].flowID == "flow_1" && orders[0].actions.isEmpty)
        #expect(orders[2].actions == (try Script.actions(#"[{"id": "hello", "type": "talk", "option": {"text": "${call.to}"}}]"#)), "variables are those of their own run")
        guard case .talk(let talk) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(talk.text == "call_a exhausted completed")
        try script.storeAndLoad()
        // Whoever takes the same step again asks for the same calls.
        var repeated = try Script(flow, variables: variables)
        repeated.start()
        #expect(self.orders(repeated).prefix(2) == orders.prefix(2))
    }

    @Test("Beside others that ask, each call has its own name all the same")
    func inBranches() throws {
        func branch(_ name: String) -> String {
            #"{"name": "\#(name)", "actions": [{"id": "out\#(name)", "type": "call", "option": {"destinations": [{"type": "tel", "target": "1"}, {"type": "tel", "target": "2"}], "flow_id": "f"}}]}"#
        }
        var script = try Script(#"[{"type": "parallel", "option": {"branches": [\#(branch("a")), \#(branch("b"))]}}]"#, variables: variables)
        script.start()
        #expect(Set(orders(script).map { "\($0.number)/\($0.index)" }) == ["1/0", "1/1", "2/0", "2/1"])
    }

    @Test("RFC 3323: who hides hides in these calls, too, unless the flow says who calls", arguments: [("yes", true), ("auto", true), ("no", false)])
    func hidden(anonymous: String, isHidden: Bool) throws {
        let flow = #"[{"id": "out", "type": "call", "option": {"destinations": [{"type": "tel", "target": "1"}], "flow_id": "f", "anonymous": "\#(anonymous)"}}]"#
        var script = try Script(flow, variables: variables.merging(["voipbin.call.anonymous": "yes"]) { $1 })
        script.start()
        #expect(orders(script).map(\.from) == [isHidden ? "anonymous" : "1001"])
    }

    @Test("Where no call came of it the flow is told why")
    func failed() throws {
        var script = try Script(#"[{"id": "out", "type": "call", "option": {"destinations": [{"type": "tel", "target": "1"}], "flow_id": "f"}}]"#, variables: variables)
        script.depot = [.refused("exhausted")]
        script.start()
        #expect(script.run.variables["results.out.code"] == "exhausted" && script.finished == .completed)
    }

    @Test("It wants a flow; and is played in virtual time, confbridge_join too")
    func checkedAndPlayed() throws {
        guard case .failure(let problems) = Validation().actions(json: Array(#"[{"type": "call", "option": {"destinations": [{"type": "tel", "target": "1"}]}}]"#.utf8))
        else { return #expect(Bool(false)) }
        #expect(problems.list.map(\.pointer) == ["/actions/0/option/flow_id"])
        let text = """
            {"actions": [{"id": "out", "type": "call", "option": {"destinations": [{"type": "extension", "target": "1002"}], "flow_id": "f"}},
               {"id": "in", "type": "confbridge_join", "option": {"confbridge_id": "office"}}],
             "cases": [{"caller": [{"hang_up": true, "on": "in", "after": 1000}], "expect": {"path": ["out", "in"], "called": ["1002"], "finished": "call_ended", "longest": 1000}}]}
            """
        let trial = try Trial.read(try JSONValue(json: text), validation: Validation()) { _ in nil }.get()
        let report = Player.play(trial.cases[0], of: trial, with: Interpreter())
        #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
    }
}
