import Flow
import FlowSimulation
import Testing

@Suite("transfer: the call is handed on")
struct TransferTests {
    private static let flow = """
        [{"id": "hand", "type": "transfer", "option": {"destinations": [{"type": "extension", "target": "1002"}], "timeout": 8000,
           "source": {"type": "tel", "target": "+49"}, "busy_target_id": "busy", "no_answer_target_id": "late", "failed_target_id": "failed"}},
         {"id": "after", "type": "beep"}, {"id": "busy", "type": "beep"}, {"id": "late", "type": "beep"}, {"id": "failed", "type": "beep"}]
        """

    @Test("To somebody: rung as dial rings; whoever has talked with it leaves nothing to the flow, which is told of what failed")
    func dialled() throws {
        for (outcome, last) in [(Outcome.busy, "busy"), (.declined, "busy"), (.noAnswer, "late"), (.failed("404"), "failed"), (.completed, nil), (.callEnded, nil)] {
            var script = try Script(Self.flow)
            script.start()
            #expect(script.performed == ["hand.dial"])
            guard case .dial(let dial) = script.action?.kind else { return #expect(Bool(false)) }
            #expect(dial.targets.map(\.target) == ["1002"] && dial.timeout == 8000 && dial.callerID == .source && dial.source?.target == "+49")
            try script.storeAndLoad()
            try script.answer(outcome)
            #expect(script.performed.last == last ?? "hand.dial")
            #expect(script.run.variables["results.hand.result"] == (outcome == .callEnded ? "" : outcome.result.rawValue) || outcome == .callEnded)
            if last == nil { #expect(script.finished == (outcome == .callEnded ? .callEnded : .transferred)) }
        }
    }

    @Test("RFC 5589 §6: by REFER, it is the call's own phone that rings; with its success the run is over")
    func referred() throws {
        let flow = """
            [{"id": "hand", "type": "transfer", "option": {"destinations": [{"type": "extension", "target": "1002"}], "method": "refer", "failed_target_id": "failed"}},
             {"id": "after", "type": "beep"}, {"id": "failed", "type": "beep"}]
            """
        for (outcome, last, end) in [(Outcome.completed, "hand", FinishReason?.some(.transferred)), (.failed("405"), "failed", nil), (.busy, "failed", nil)] {
            var script = try Script(flow)
            script.start()
            guard case .transfer = script.action?.kind else { return #expect(Bool(false)) }
            try script.storeAndLoad()
            try script.answer(outcome)
            #expect(script.performed.last == last && script.finished == end)
        }
    }

    @Test("To a flow: its actions come in place of all that were to follow, also of those of outer flows; one that is not there is a failure")
    func toFlow() throws {
        let outer = #"[{"id": "in", "type": "fetch_flow", "option": {"flow_id": "inner"}}, {"id": "back", "type": "beep"}]"#
        var script = try Script(outer)
        script.library["inner"] = try Script.actions(#"[{"id": "t", "type": "transfer", "option": {"flow_id": "${next}", "failed_target_id": "no"}}, {"id": "not", "type": "beep"}, {"id": "no", "type": "beep"}]"#)
        script.library["other"] = try Script.actions(#"[{"id": "there", "type": "talk", "option": {"text": "${activeflow.flow_id}"}}]"#)
        #expect(script.run.variables["next"].isEmpty)
        script.start()
        #expect(script.performed == ["no"] && script.run.variables["results.t.code"] == "not_found")
        script = try Script(outer, variables: ["next": "other"])
        script.library = ["inner": try Script.actions(#"[{"id": "t", "type": "transfer", "option": {"flow_id": "${next}"}}]"#), "other": try Script.actions(#"[{"id": "there", "type": "talk", "option": {"text": "${activeflow.flow_id}"}}]"#)]
        script.start()
        guard case .talk(let talk) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(talk.text == "other")
        try script.storeAndLoad()
        try script.answer(.completed)
        #expect(script.performed == ["there"] && script.finished == .completed)
    }

    @Test("In a branch: one that rings ends the whole run, one to a flow is refused")
    func inBranch() throws {
        func script(_ option: String) throws -> Script {
            try Script(
                """
                [{"id": "p", "type": "parallel", "option": {"branches": [{"name": "a", "actions": [{"id": "t", "type": "transfer", "option": \(option)}]},
                   {"name": "b", "actions": [{"id": "q", "type": "http_request", "option": {"url": "https://a.example"}}]}]}},
                 {"id": "after", "type": "beep"}]
                """)
        }
        var ringing = try script(#"{"destinations": [{"type": "extension", "target": "1"}]}"#)
        ringing.start()
        #expect(ringing.performed == ["t.dial"])
        try ringing.answer(.completed)
        #expect(ringing.finished == .transferred)
        var other = try script(#"{"flow_id": "f"}"#)
        other.start()
        #expect(other.run.variables["results.t.code"] == "in_branch" || other.performed == ["after"])
    }

    @Test("What is wrong with it is told; it is drawn, and played in virtual time")
    func checkedAndPlayed() throws {
        for (option, pointers) in [
            ("{}", ["/option/destinations"]), (#"{"flow_id": "f", "destinations": [{"type": "tel", "target": "1"}]}"#, ["/option/destinations"]),
            (#"{"method": "refer", "flow_id": "f"}"#, ["/option/method"]),
            (#"{"method": "refer", "destinations": [{"type": "tel", "target": "1"}, {"type": "tel", "target": "2"}]}"#, ["/option/destinations"]),
            (#"{"method": "refer", "source": {"type": "tel", "target": "1"}, "destinations": [{"type": "tel", "target": "1"}]}"#, ["/option/source"]),
            (#"{"flow_id": "f", "failed_target_id": "nowhere"}"#, ["/option/failed_target_id"]),
        ] {
            guard case .failure(let problems) = Validation().actions(json: Array(#"[{"type": "transfer", "option": \#(option)}]"#.utf8)) else {
                Issue.record("\(option) is taken")
                continue
            }
            #expect(problems.list.map(\.pointer) == pointers.map { "/actions/0" + $0 })
        }
        let text = """
            {"actions": \(Self.flow), "cases": [
              {"callees": {"1002": {"rings": 1000, "talks": 2000}}, "expect": {"path": ["hand", "hand.dial"], "finished": "transferred", "called": ["1002"], "longest": 3000}},
              {"callees": {"1002": {"answer": "busy"}}, "expect": {"path": ["hand", "hand.dial", "busy", "late", "failed"]}}]}
            """
        let trial = try Trial.read(try JSONValue(json: text), validation: Validation()) { _ in nil }.get()
        for one in trial.cases {
            let report = Player.play(one, of: trial, with: Interpreter())
            #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        }
        #expect(Drawing.svg(trial.actions).contains(">transferred<"))
    }
}
