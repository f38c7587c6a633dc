import Flow
import FlowSimulation
import Testing

@Suite("park: a slot, the wait, and who fetches")
struct ParkTests {
    private static let flow = """
        [{"id": "park", "type": "park", "option": {"first": 5, "last": 6, "timeout": 60000, "timeout_target_id": "late", "failed_target_id": "full"}},
         {"id": "after", "type": "beep", "next_id": "00000000-0000-0000-0000-000000000002"},
         {"id": "late", "type": "beep", "next_id": "00000000-0000-0000-0000-000000000002"},
         {"id": "full", "type": "beep"}]
        """
    private let variables = ["voipbin.activeflow.reference_id": "call_1"]

    @Test("The slot is had before the wait and given back after it, however that ends; stored and loaded in between")
    func parks() throws {
        for (outcome, last) in [(Outcome(.completed, data: ["call_id": "call_2"]), "after"), (.noAnswer, "late"), (.callEnded, "park.hold")] {
            var script = try Script(Self.flow, variables: variables)
            script.depot = [.parked(slot: "5")]
            script.start()
            #expect(script.asked == [.park(lot: "main", slot: nil, first: 5, last: 6, callID: "call_1", timeout: 60_000)])
            guard case .hold(let hold) = script.action?.kind else { return #expect(Bool(false)) }
            #expect(hold.slot == "5" && hold.timeout == 60_000)
            try script.storeAndLoad()
            try script.answer(outcome)
            #expect(script.asked.last == .unpark(callID: "call_1"))
            #expect(script.performed.last == last)
            if outcome.result != .callEnded {
                #expect(script.run.variables["results.park.slot"] == "5")
                #expect(script.run.variables["results.park.result"] == outcome.result.rawValue)
            } else {
                #expect(script.finished == .callEnded)
            }
        }
    }

    @Test("No slot, nobody in the slot: the flow is told why; who fetches talks with the call that was there")
    func fetches() throws {
        var script = try Script(Self.flow, variables: variables)
        script.depot = [.refused("lot_full")]
        script.start()
        #expect(script.performed == ["full"] && script.run.variables["results.park.code"] == "lot_full")
        let fetch = #"[{"id": "get", "type": "park", "option": {"retrieve": "${call.to}"}}, {"id": "after", "type": "beep"}]"#
        script = try Script(fetch, variables: ["voipbin.activeflow.reference_id": "call_2", "voipbin.call.destination.target": "5"])
        script.depot = [.found(callID: "call_1")]
        script.start()
        #expect(script.asked == [.retrieve(lot: "main", slot: "5", by: "call_2")])
        guard case .meet(let meet) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(meet.callID == "call_1")
        try script.storeAndLoad()
        try script.answer(.completed)
        #expect(script.performed == ["get.meet", "after"] && script.asked.count == 1)
        script = try Script(fetch, variables: variables)
        script.depot = [.refused("not_found")]
        script.start()
        #expect(script.performed == ["after"] && script.run.variables["results.get.code"] == "not_found")
    }

    @Test("A circle of parks that find no slot ends at the limit")
    func circle() throws {
        var script = try Script(#"[{"id": "p", "type": "park", "next_id": "p"}]"#)
        script.depot = Array(repeating: .refused("lot_full"), count: 2000)
        script.start()
        #expect(script.finished == .limit)
    }

    @Test("In virtual time, and what is wrong with it")
    func simulated() throws {
        let text = """
            {"actions": \(Self.flow), "cases": [
              {"expect": {"path": ["park", "park.hold", "late"], "heard": ["music"], "variables": {"results.park.slot": "5"}}},
              {"parked": {"main": ["5"]}, "fetched": 2000, "expect": {"path": ["park", "park.hold", "after"], "variables": {"results.park.slot": "6"}, "longest": 12500}},
              {"parked": {"main": ["5", "6"]}, "expect": {"path": ["park", "full"]}}]}
            """
        let trial = try Trial.read(try JSONValue(json: text), validation: Validation()) { _ in nil }.get()
        for one in trial.cases {
            let report = Player.play(one, of: trial, with: Interpreter())
            #expect(report.mistakes.isEmpty, "\(report.mistakes) \(report.events)")
        }
        #expect(Drawing.svg(trial.actions).contains(">timeout<"))
        for (action, pointer) in [
            (#"{"type": "park", "option": {"slot": "1", "retrieve": "2"}}"#, "/option/retrieve"), (#"{"type": "park", "option": {"first": 5, "last": 4}}"#, "/option/last"),
            (#"{"type": "hold", "option": {"lot": "a", "slot": "1"}}"#, "/type"), (#"{"type": "meet", "option": {"call_id": "call_1"}}"#, "/type"),
        ] {
            guard case .failure(let problems) = Validation().actions(json: Array("[\(action)]".utf8)) else { return #expect(Bool(false)) }
            #expect(problems.list.map(\.pointer) == ["/actions/0" + pointer])
        }
    }
}
