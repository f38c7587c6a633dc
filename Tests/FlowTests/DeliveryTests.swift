import Flow
import Testing

@Suite("(run, step) names a delivery for ever")
struct DeliveryTests {
    let interpreter = Interpreter()
    let flow = #"[{"id": "a", "type": "beep"}, {"id": "b", "type": "beep"}, {"id": "c", "type": "beep"}]"#

    private func started() throws -> Run {
        var run = Run(actions: try Script.actions(flow))
        _ = interpreter.start(&run, at: 0)
        return run
    }

    @Test("The same delivery again gets the same answer and changes nothing")
    func again() throws {
        var run = try started()
        let first = try interpreter.advance(&run, step: 1, .completed, at: 0)
        let after = run
        let second = try interpreter.advance(&run, step: 1, .failed("late"), at: 9)
        #expect(first.next == second.next)
        #expect(second.occurrences.isEmpty)
        #expect(run == after)
    }

    @Test("An earlier delivery gets the action that is due: whoever goes on with a call may have known no more")
    func earlier() throws {
        var run = try started()
        for step in 1...2 { _ = try interpreter.advance(&run, step: step, .completed, at: 0) }
        let before = run
        let progress = try interpreter.advance(&run, step: 1, .completed, at: 9)
        #expect(progress.next == before.current && progress.occurrences.isEmpty && run == before)
    }

    @Test("Starting again gives the first action again")
    func startAgain() throws {
        var run = try started()
        let before = run
        #expect(interpreter.start(&run, at: 5).next == before.current)
        #expect(run == before)
    }

    @Test("A step that is not due is refused and names the one that is", arguments: [0, 4, -1, Int.max, Int.min])
    func outOfOrder(step: Int) throws {
        var run = try started()
        _ = try interpreter.advance(&run, step: 1, .completed, at: 0)
        _ = try interpreter.advance(&run, step: 2, .completed, at: 0)
        let before = run
        #expect(throws: Interpreter.OutOfOrder(expected: 3)) {
            try interpreter.advance(&run, step: step, .completed, at: 0)
        }
        #expect(run == before)
    }

    @Test("A finished run stays finished")
    func finished() throws {
        var run = try started()
        for step in 1...3 { _ = try interpreter.advance(&run, step: step, .completed, at: 0) }
        #expect(run.current == .finished(.completed))
        #expect(try interpreter.advance(&run, step: 3, .callEnded, at: 0).next == .finished(.completed))
    }

    @Test("The end of the call counts even when the answer before it was lost")
    func callEndedLate() throws {
        var run = try started()
        _ = try interpreter.advance(&run, step: 1, .completed, at: 0)
        #expect(try interpreter.advance(&run, step: 1, .callEnded, at: 0).next == .finished(.callEnded))
    }

    @Test("A run that was stored and loaded at every step goes on as if it had not been")
    func storedAtEveryStep() throws {
        var kept = Run(actions: try Script.actions(InterpreterTests.menu), variables: Variables(["a": "ä\"\n"]))
        var stored = kept
        let outcomes: [Outcome] = [.completed, .digits("9"), .completed, .digits("1"), .busy, .completed]
        var next = interpreter.start(&kept, at: 0).next
        #expect(interpreter.start(&stored, at: 0).next == next)
        for outcome in outcomes {
            guard case .perform(_, let step) = next else { break }
            stored = try Run(cursor: JSONValue(json: stored.cursor.json), lists: JSONValue(json: stored.lists.json))
            next = try interpreter.advance(&kept, step: step, outcome, at: 0).next
            #expect(try interpreter.advance(&stored, step: step, outcome, at: 0).next == next)
        }
        #expect(kept == stored)
    }

    @Test("A stored run that cannot be read says so", arguments: [
        JSONValue.null, [:], ["state": [:], "step": 1, "variables": [:], "frames": []], ["state": ["finished": "bored"], "step": 1],
    ])
    func unreadable(cursor: JSONValue) {
        #expect(throws: Run.Unreadable.self) { try Run(cursor: cursor, lists: [[]]) }
    }
}
