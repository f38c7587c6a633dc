import Flow
import Glibc

/// How many actions the interpreter alone takes in a second of one processor: outcome in, next action out, and those it executes by itself.
enum Benchmark {
    private static let menu = """
        [{"id": "ask", "type": "talk", "option": {"text": "One for sales, two for support.", "digits_handle": "next"}},
         {"id": "digits", "type": "digits_receive", "option": {"duration": 5000, "length": 1}},
         {"id": "count", "type": "variable_set", "option": {"key": "n", "expression": "n + 1"}},
         {"id": "check", "type": "condition", "option": {"expression": "n < 0", "true_target_id": "bye"}},
         {"id": "choose", "type": "branch", "option": {"target_ids": {"1": "ask", "2": "bye"}, "default_target_id": "bye"}},
         {"id": "bye", "type": "hangup"}]
        """

    private static let pure = """
        [{"id": "count", "type": "variable_set", "option": {"key": "n", "value": 1}},
         {"id": "check", "type": "condition", "option": {"expression": "n < 0", "true_target_id": "wait"}},
         {"id": "compare", "type": "condition_variable", "option": {"condition": "==", "variable": "n", "value_string": "2", "false_target_id": "again"}},
         {"id": "wait", "type": "beep"},
         {"id": "again", "type": "goto", "option": {"target_id": "count", "loop_count": 200}},
         {"id": "rest", "type": "beep", "next_id": "count"}]
        """

    static func run(seconds: Double) {
        measure("menu: talk, digits_receive, variable_set, condition, branch", menu, seconds)
        measure("loop: variable_set, condition, condition_variable, goto", pure, seconds)
    }

    private static func measure(_ name: String, _ text: String, _ seconds: Double) {
        var limits = Limits()
        (limits.executedActions, limits.iterations) = (.max, 2000)
        let interpreter = Interpreter(limits: limits)
        guard case .success(let actions) = Validation().actions(json: Array(text.utf8)) else { Program.leave(1, "the benchmark's flow is wrong") }
        var run = Run(actions: actions, variables: Variables(["n": "0"]))
        var progress = interpreter.start(&run, at: 0)
        var actionsDone = 0
        var steps = 0
        let end = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        // Of the processor alone: whatever runs beside does not count.
        let begin = clock()
        while ContinuousClock.now < end {
            for _ in 0..<100 {
                guard case .perform(let action, let step) = progress.next else { Program.leave(1, "the benchmark's flow has ended") }
                let outcome: Outcome = if case .digitsReceive = action.kind { .digits("1") } else { .completed }
                do throws(Interpreter.OutOfOrder) { progress = try interpreter.advance(&run, step: step, outcome, at: 0) } catch {
                    Program.leave(1, "step \(error.expected) is awaited")
                }
                steps += 1
                actionsDone += progress.occurrences.count / 2
            }
        }
        let time = Double(clock() - begin) / Double(CLOCKS_PER_SEC)
        print("\(name): \(Int(Double(actionsDone) / time)) actions/s, \(Int(Double(steps) / time)) outcomes/s")
    }
}
