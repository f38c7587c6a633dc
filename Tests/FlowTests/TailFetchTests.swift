import Flow
import Testing

@Suite("What is fetched last takes the place of the list that has fetched it")
struct TailFetchTests {
    private static let turn = """
        [{"id": "ask", "type": "gather", "option": {"text": "And now?", "length": 1}},
         {"id": "next", "type": "fetch", "option": {"event_url": "https://a.example/"}}]
        """

    private func answers(_ count: Int) -> [FlowAnswer] {
        Array(repeating: FlowAnswer(status: 200, contentType: "application/json", body: Self.turn), count: count)
    }

    @Test("An application that answers every turn with a question and a fetch goes on as long as the call does")
    func turns() throws {
        var script = try Script(Self.turn)
        script.answers = answers(40)
        script.start()
        for _ in 0..<40 {
            try script.answer(.digits("1"))
            try script.storeAndLoad()
        }
        #expect(script.performed.count == 41 && script.requests.count == 40)
        #expect(script.run.variables["results.next.result"] == "completed")
        try script.answer(.callEnded)
        #expect(script.finished == .callEnded)
    }

    @Test("It ends with what one run may ask for at most")
    func limit() throws {
        var limits = Limits()
        limits.executedActions = 20
        var script = try Script(Self.turn, limits: limits)
        script.answers = answers(40)
        script.start()
        for _ in 0..<30 where script.finished == nil { try script.answer(.digits("1")) }
        #expect(script.finished == .limit && script.performed.count == 20)
    }

    @Test("What has something left to do is come back to, also from a chain of fetches")
    func outer() throws {
        var script = try Script(#"[{"id": "in", "type": "fetch_flow", "option": {"flow_id": "flow_0"}}, {"id": "back", "type": "beep"}]"#)
        for number in 0..<20 {
            script.library["flow_\(number)"] = try Script.actions(#"[{"id": "f", "type": "fetch_flow", "option": {"flow_id": "flow_\#(number + 1)"}}]"#)
        }
        script.library["flow_20"] = try Script.actions(#"[{"id": "inside", "type": "beep"}]"#)
        try script.play(.completed, .completed)
        #expect(script.performed == ["inside", "back"] && script.finished == .completed)
    }
}
