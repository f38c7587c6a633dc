import Flow
import Testing

@Suite("The interpreter plays flows as VoIPbin's vocabulary means them")
struct InterpreterTests {
    static let menu = """
        [{"id": "answer", "type": "answer"},
         {"id": "ask", "type": "talk", "option": {"text": "One for sales, two for support.", "digits_handle": "next"}},
         {"id": "digits", "type": "digits_receive", "option": {"duration": 5000, "length": 1}},
         {"id": "choose", "type": "branch", "option": {"target_ids": {"1": "sales", "2": "support"}, "default_target_id": "again"}},
         {"id": "sales", "type": "connect", "option": {"destinations": [{"type": "extension", "target": "1002"}]}, "next_id": "bye"},
         {"id": "support", "type": "play", "option": {"stream_urls": ["http://127.0.0.1/support.wav"]}, "next_id": "bye"},
         {"id": "again", "type": "goto", "option": {"target_id": "ask", "loop_count": 2}},
         {"id": "sorry", "type": "talk", "option": {"text": "You pressed nothing I know."}},
         {"id": "bye", "type": "hangup"}]
        """

    @Test("A menu branches by the digit that was pressed", arguments: [("1", "sales"), ("2", "support")])
    func menu(digit: String, target: String) throws {
        var script = try Script(Self.menu)
        try script.play(.completed, .completed, .digits(digit), .completed, .completed)
        #expect(script.performed == ["answer", "ask", "digits", target, "bye"])
        #expect(script.finished == .completed)
        #expect(script.run.variables[Variables.digits].isEmpty, "branch clears its variable")
    }

    @Test("A menu asks again as often as its goto says, then goes on")
    func menuRepeats() throws {
        var script = try Script(Self.menu)
        try script.play(
            .completed, .completed, .digits("9"), .completed, .completed, .completed, .digits(""), .completed, .completed)
        #expect(script.performed == ["answer", "ask", "digits", "ask", "digits", "ask", "digits", "sorry", "bye"])
    }

    @Test("A digit that cuts the prompt short is the digit that is waited for")
    func typeAhead() throws {
        var script = try Script(Self.menu)
        try script.play(.completed, .digits("2"), .completed)
        #expect(script.performed == ["answer", "ask", "support", "bye"])
    }

    @Test("Digits typed ahead shorten the wait for the rest; the ending key is part of the digits")
    func typeAheadInPart() throws {
        let flow = """
            [{"id": "ask", "type": "talk", "option": {"text": "Your number", "digits_handle": "next"}},
             {"id": "pin", "type": "digits_receive", "option": {"duration": 9000, "length": 4, "key": "#"}},
             {"id": "say", "type": "talk", "option": {"text": "${digits}"}}]
            """
        var script = try Script(flow)
        try script.play(.digits("12"))
        guard case .digitsReceive(let option) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(option.length == 2)
        try script.answer(.digits("3#"))
        #expect(script.action?.kind == .talk(talk("123#")))

        script = try Script(flow)
        try script.play(.digits("7#"))
        #expect(script.performed == ["ask", "say"], "the key was typed already")
    }

    @Test("A new digits_receive starts with no digits, unless some were typed ahead")
    func freshDigits() throws {
        var script = try Script(
            """
            [{"id": "a", "type": "digits_receive", "option": {"length": 2}},
             {"id": "b", "type": "digits_receive", "option": {"length": 2}},
             {"id": "say", "type": "talk", "option": {"text": "${voipbin.call.digits}"}}]
            """)
        try script.play(.digits("12"), .digits("34"))
        #expect(script.action?.kind == .talk(talk("34")))
    }

    @Test("A loop inside a loop runs in full each time")
    func nestedLoops() throws {
        var script = try Script(
            """
            [{"id": "outer", "type": "beep"}, {"id": "inner", "type": "beep"},
             {"type": "goto", "option": {"target_id": "inner", "loop_count": 1}},
             {"type": "goto", "option": {"target_id": "outer", "loop_count": 1}}]
            """)
        script.start()
        while script.finished == nil { try script.answer(.completed) }
        #expect(script.performed == ["outer", "inner", "inner", "outer", "inner", "inner"])
        #expect(script.finished == .completed)
    }

    @Test("loop_count 0 passes over a goto")
    func gotoZero() throws {
        var script = try Script(
            """
            [{"id": "a", "type": "beep"}, {"type": "goto", "option": {"target_id": "a"}}, {"id": "b", "type": "beep"}]
            """)
        try script.play(.completed, .completed)
        #expect(script.performed == ["a", "b"])
    }

    static let conditions: [(String, Bool)] = [
        (#""condition": "==", "variable": "voipbin.call.source.target", "value_string": "1001""#, true),
        (#""condition": "!=", "variable": "call.from", "value_string": "1001""#, false),
        (#""condition": "==", "variable": "${call.from}", "value_string": "${call.from}""#, true),
        (#""condition": "==", "variable": "${call.from}-${n}", "value_string": "1001-10""#, true),
        (#""condition": ">", "variable": "n", "value_type": "number", "value_number": 9"#, true),
        (#""condition": "<", "variable": "n", "value_type": "string", "value_string": "9""#, true),
        (#""condition": "<=", "variable": "n", "value_type": "number", "value_number": 9.5"#, false),
        (#""condition": "==", "variable": "n", "value_type": "length", "value_length": 2"#, true),
        (#""condition": ">=", "variable": "none", "value_type": "length", "value_length": 1"#, false),
        (#""condition": "==", "variable": "none", "value_string": """#, true),
        (#""condition": "==", "variable": "none", "value_type": "number", "value_number": 0"#, false),
        (#""condition": "!=", "variable": "none", "value_type": "number", "value_number": 0"#, true),
    ]

    @Test("Conditions go on when they hold and to false_target_id when not", arguments: conditions)
    func conditionVariable(option: String, holds: Bool) throws {
        var script = try Script(
            """
            [{"type": "condition_variable", "option": {\(option), "false_target_id": "no"}},
             {"id": "yes", "type": "beep"}, {"id": "no", "type": "beep"}]
            """, variables: ["voipbin.call.source.target": "1001", "n": "10"])
        script.start()
        #expect(script.performed == [holds ? "yes" : "no"])
    }

    /// The moment is Monday, 24 November, 16:00 in UTC and Tuesday, 25 November, 01:00 in Tokyo.
    static let dates: [(String, Bool)] = [
        (#""condition": ">=", "hour": 9, "minute": 30"#, true),
        (#""condition": "<", "hour": 16, "minute": 1"#, true),
        (#""condition": "<=", "hour": 15"#, false),
        (#""condition": "==", "day": 24, "month": 11"#, true),
        (#""condition": "!=", "day": 24, "month": 11"#, false),
        (#""condition": ">", "month": 10, "day": 30"#, true),
        (#""condition": "==", "minute": -1, "hour": -1, "day": -1, "month": 0, "weekdays": [1, 2]"#, true),
        (#""condition": "==", "weekdays": [0, 6]"#, false),
        (#""condition": "!=", "weekdays": [0, 6]"#, true),
        (#""condition": "!=", "weekdays": [1, 2]"#, false),
        (#""condition": "!=", "day": 25, "weekdays": [1, 2]"#, true),
        (#""condition": "!=", "day": 25, "weekdays": [0, 6]"#, false),
        (#""condition": "==", "day": 25, "hour": 1, "weekdays": [2], "timezone": "Asia/Tokyo""#, true),
        (#""condition": ">=", "hour": 9, "timezone": "Asia/Tokyo""#, false),
    ]

    @Test("Dates are compared together, the largest part first, in the zone that is named", arguments: dates)
    func conditionDatetime(option: String, holds: Bool) throws {
        var script = try Script(
            """
            [{"type": "condition_datetime", "option": {\(option), "false_target_id": "no"}},
             {"id": "yes", "type": "beep"}, {"id": "no", "type": "beep"}]
            """)
        script.start()
        #expect(script.performed == [holds ? "yes" : "no"])
    }

    @Test("The reserved ids are the start, the finish and the next action")
    func reservedIDs() throws {
        var script = try Script(
            """
            [{"id": "a", "type": "beep"},
             {"type": "branch", "option": {"variable": "v", "target_ids": {"": "00000000-0000-0000-0000-000000000003"}}},
             {"type": "variable_set", "option": {"key": "v", "value": "x"}},
             {"id": "b", "type": "beep"},
             {"type": "goto", "option": {"target_id": "00000000-0000-0000-0000-000000000001", "loop_count": 1}},
             {"id": "c", "type": "beep", "next_id": "00000000-0000-0000-0000-000000000002"},
             {"id": "d", "type": "beep"}]
            """)
        script.start()
        while script.finished == nil { try script.answer(.completed) }
        #expect(script.performed == ["a", "b", "a", "b", "c"])
        #expect(script.finished == .completed)
    }

    @Test("fetch_flow runs another flow and comes back; a missing one is passed over and said")
    func fetchFlow() throws {
        var script = try Script(
            """
            [{"type": "fetch_flow", "option": {"flow_id": "flow_${which}"}}, {"id": "back", "type": "beep"},
             {"type": "fetch_flow", "option": {"flow_id": "flow_none"}},
             {"id": "say", "type": "talk", "option": {"text": "${voipbin.action.result} ${action.code}"}}]
            """, variables: ["which": "inner"])
        script.library["flow_inner"] = try Script.actions(#"[{"id": "inside", "type": "beep"}]"#)
        try script.play(.completed, .completed, .completed)
        #expect(script.performed == ["inside", "back", "say"])
        #expect(script.action?.kind == .talk(talk("failed not_found")))
        #expect(script.finished == .completed)
    }

    @Test("A flow that fetches itself and has more to do ends at the limit of nested lists")
    func selfFetching() throws {
        let flow = #"[{"id": "again", "type": "fetch_flow", "option": {"flow_id": "flow_self"}}, {"id": "count", "type": "variable_set", "option": {"key": "n", "expression": "n + 1"}}]"#
        var script = try Script(flow, variables: ["n": "0"])
        script.library["flow_self"] = try Script.actions(flow)
        script.start()
        #expect(script.finished == .completed)
        #expect(script.run.variables["results.again.code"] == "nested_too_deeply")
        #expect(script.run.variables["n"] == String(Limits().nestedLists), "each goes on where it was")
    }

    @Test("A circle of fetched flows, in which nothing is ever performed, ends at the limit")
    func fetchingCircle() throws {
        func actions(_ json: String) throws -> [Action] { try Validation(timeZones: .utc).actions(json: Array(json.utf8)).get() }
        let outer = try actions(#"[{"id": "a", "type": "fetch_flow", "option": {"flow_id": "flow_b"}, "next_id": "a"}]"#)
        let inner = try actions(#"[{"id": "b", "type": "variable_set", "option": {"key": "k", "value": "v"}}]"#)
        let interpreter = Interpreter()
        var run = Run(actions: outer)
        var progress = interpreter.start(&run, at: 0)
        var fetches = 0
        while case .needFlow = progress.next, fetches < 10_000 {
            fetches += 1
            // Stored and read again on the way, it still knows how far it is.
            run = try Run(cursor: run.cursor, lists: run.lists)
            progress = interpreter.supply(&run, inner, at: 0)
        }
        #expect(progress.next == .finished(.limit))
        #expect(fetches <= Limits().iterations)
    }

    @Test("A circle that never leaves the interpreter ends at the limit")
    func endlessCircle() throws {
        var script = try Script(
            #"[{"id": "a", "type": "variable_set", "option": {"key": "k", "value": "v"}, "next_id": "a"}]"#)
        script.start()
        #expect(script.finished == .limit)
        #expect(script.occurrences.last == .ended(.limit))
    }

    @Test("A run performs at most so many actions")
    func executedLimit() throws {
        var limits = Limits()
        limits.executedActions = 5
        var script = try Script(#"[{"id": "a", "type": "beep", "next_id": "a"}]"#, limits: limits)
        script.start()
        while script.finished == nil { try script.answer(.completed) }
        #expect(script.performed.count == 5)
        #expect(script.finished == .limit)
    }

    @Test("Outcomes land in variables, so that a flow decides by them")
    func outcomes() throws {
        var script = try Script(
            """
            [{"id": "dial", "type": "connect", "option": {"destinations": [{"type": "extension", "target": "${who}"}]}},
             {"type": "branch", "option": {"variable": "voipbin.action.result", "target_ids": {"busy": "busy", "completed": "bye"}}},
             {"id": "other", "type": "talk", "option": {"text": "Nobody is there."}, "next_id": "bye"},
             {"id": "busy", "type": "talk", "option": {"text": "The line is busy."}},
             {"id": "bye", "type": "hangup"}]
            """, variables: ["who": "1002"])
        script.start()
        guard case .connect(let option) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(option.destinations == [Address(kind: .extension, target: "1002")])
        let started = script
        for (outcome, next) in [(Outcome.busy, "busy"), (.noAnswer, "other"), (.connected, "bye")] {
            script = started
            try script.answer(outcome)
            #expect(script.action?.id == next)
        }
    }

    @Test("The end of the call ends the run, whatever was going on")
    func callEnded() throws {
        var script = try Script(Self.menu)
        try script.play(.completed, .callEnded)
        #expect(script.finished == .callEnded)
        #expect(script.performed == ["answer", "ask"])
    }

    @Test("stop ends the run without ending the call")
    func stop() throws {
        var script = try Script(#"[{"id": "a", "type": "beep"}, {"type": "stop"}, {"id": "b", "type": "beep"}]"#)
        try script.play(.completed)
        #expect(script.finished == .stopped)
    }

    @Test("A value is text, never a template")
    func noInjection() throws {
        var script = try Script(
            """
            [{"type": "variable_set", "option": {"key": "a", "value": "${b}"}},
             {"id": "say", "type": "talk", "option": {"text": "${a}"}}]
            """, variables: ["b": "${secret}", "secret": "42"])
        script.start()
        #expect(script.action?.kind == .talk(talk("${secret}")))
    }

    @Test("A variable beyond the limits is refused and the flow goes on")
    func variableLimit() throws {
        var limits = Limits()
        limits.valueBytes = 10
        var script = try Script(
            """
            [{"id": "set", "type": "variable_set", "option": {"key": "a", "value": "${b}${b}"}},
             {"id": "say", "type": "talk", "option": {"text": "<${a}>"}}]
            """, variables: ["b": "123456"], limits: limits)
        script.start()
        #expect(script.action?.kind == .talk(talk("<>")))
        #expect(script.occurrences.contains { if case .finished(_, _, .failed("variable_limit")) = $0 { true } else { false } })
    }

    @Test("An empty flow is over at once")
    func emptyFlow() throws {
        var script = try Script("[]")
        script.start()
        #expect(script.finished == .completed)
    }

    private func talk(_ text: String) -> Talk {
        var talk = Talk()
        talk.text = text
        return talk
    }
}
