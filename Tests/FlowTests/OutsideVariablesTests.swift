import Flow
import Testing

@Suite("Flow: what comes from outside while it runs")
struct OutsideVariablesTests {
    @Test("variables are set but for the platform's and those beyond the limits, and steps are counted from where they are told to be")
    func set() throws {
        let action = try #require(Action(json: ["id": "x", "type": "digits_send", "option": ["digits": "${a}"]]))
        var run = Run(actions: [action], variables: Variables(["a": "1"]), after: 4)
        let interpreter = Interpreter()
        let refused = interpreter.set(
            ["a": "2", "order.total": 7, "voipbin.call.id": "x", "call.from": "x", "digits": "1", "results.x": "y", "": "z"], in: &run)
        #expect(refused == ["", "call.from", "digits", "results.x", "voipbin.call.id"])
        #expect(run.variables["a"] == "2" && run.variables["order.total"] == "7" && run.variables["voipbin.call.id"] == "")
        guard case .perform(let given, step: let step) = interpreter.start(&run, at: 0).next, case .digitsSend(let option) = given.kind else {
            Issue.record("an action is given out")
            return
        }
        #expect(step == 5 && option.digits == "2")
        _ = try interpreter.advance(&run, step: 5, .completed, at: 1)
        #expect(run.step == 5 && run.state == .finished(.completed))
    }
}
