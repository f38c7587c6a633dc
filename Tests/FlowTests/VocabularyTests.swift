import Flow
import Testing

@Suite("Actions that need no outside world")
struct VocabularyTests {
    @Test("condition and branch by expression", arguments: [("3", "many"), ("1", "one"), ("0", "none")])
    func byExpression(count: String, expected: String) throws {
        var script = try Script(
            """
            [{"type": "condition", "option": {"expression": "count > 1", "true_target_id": "many"}},
             {"type": "branch", "option": {"expression": "count == 1 ? 'single' : 'zero'", "target_ids": {"single": "one"}, "default_target_id": "none"}},
             {"id": "one", "type": "beep", "next_id": "00000000-0000-0000-0000-000000000002"},
             {"id": "none", "type": "beep", "next_id": "00000000-0000-0000-0000-000000000002"},
             {"id": "many", "type": "beep"}]
            """, variables: ["count": count])
        script.start()
        #expect(script.performed == [expected])
        #expect(script.run.variables["count"] == count, "an expression clears nothing")
    }

    @Test("Variables keep their types, and a template alone gives the value itself")
    func types() throws {
        var script = try Script(
            """
            [{"type": "variable_set", "option": {"key": "list", "value": [1, {"a": "${name}"}]}},
             {"type": "variable_set", "option": {"key": "copy", "value": "${list}"}},
             {"type": "variable_set", "option": {"key": "text", "value": "<${list}>"}},
             {"type": "variable_set", "option": {"key": "next", "expression": "list[0] + 1"}},
             {"id": "say", "type": "talk", "option": {"text": "${copy[1].a} ${copy[1]['a']} ${text} ${next}"}}]
            """, variables: ["name": "Ada"])
        script.start()
        #expect(script.run.variables.value(of: "copy") == [1, ["a": "Ada"]])
        #expect(script.run.variables.value(of: "next") == 2)
        guard case .talk(let talk) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(talk.text == #"Ada Ada <[1,{"a":"Ada"}]> 2"#)
        let stored = try Run(cursor: JSONValue(json: script.run.cursor.json), lists: script.run.lists)
        #expect(stored == script.run, "types survive the database")
    }

    @Test("What became of each action is kept by its id, the latest of each, and not for ever")
    func results() throws {
        var script = try Script(
            """
            [{"id": "ask", "type": "digits_receive", "option": {"length": 1}},
             {"id": "ring", "type": "connect", "option": {"destinations": [{"type": "extension", "target": "1"}]}},
             {"id": "say", "type": "talk", "option": {"text": "${results.ask.digits} ${results.ring.result} ${results.ring.code} ${results.none.result}"}}]
            """)
        try script.play(.digits("5"), .failed("486"))
        guard case .talk(let talk) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(talk.text == "5 failed 486 ")

        let many = (0..<40).map { #"{"id": "b\#($0)", "type": "beep"}"# }.joined(separator: ",")
        script = try Script("[\(many)]")
        script.start()
        for _ in 0..<40 { try script.answer(.completed) }
        #expect(script.run.variables["results.b39.result"] == "completed")
        #expect(script.run.variables["results.b0.result"].isEmpty)
    }

    @Test("condition_call_digits and condition_call_status")
    func callConditions() throws {
        let flow = """
            [{"type": "condition_call_digits", "option": {"length": 3, "key": "#", "false_target_id": "no"}},
             {"type": "condition_call_status", "option": {"status": "progressing", "false_target_id": "no"}},
             {"id": "yes", "type": "beep"}, {"id": "no", "type": "beep"}]
            """
        for (digits, status, expected) in [("123", "progressing", "yes"), ("1#", "progressing", "yes"), ("12", "progressing", "no"), ("123", "ringing", "no")] {
            var script = try Script(flow, variables: ["voipbin.call.digits": digits, "voipbin.call.status": status])
            script.start()
            #expect(script.performed == [expected])
        }
    }

    /// The moment is Monday, 24 November 2025, 16:00 in UTC and Tuesday, 25 November, 01:00 in Tokyo.
    static let schedules: [(String, String)] = [
        (#""hours": [{"weekdays": [1], "from": "09:00", "to": "17:00"}]"#, "open"),
        (#""hours": [{"weekdays": [1], "from": "09:00", "to": "16:00"}]"#, "closed"),
        (#""hours": [{"weekdays": [1], "from": "16:00", "to": "16:01"}]"#, "open"),
        (#""hours": [{"weekdays": [2], "from": "00:00", "to": "24:00"}]"#, "closed"),
        (#""hours": [{"weekdays": [2], "from": "00:00", "to": "24:00"}], "timezone": "Asia/Tokyo""#, "open"),
        (#""hours": [{"weekdays": [1], "from": "22:00", "to": "02:00"}], "timezone": "Asia/Tokyo""#, "open"),
        (#""hours": [{"weekdays": [2], "from": "22:00", "to": "02:00"}], "timezone": "Asia/Tokyo""#, "closed"),
        (#""hours": [{"from": "00:00", "to": "24:00"}], "holidays": [{"date": "2025-11-24", "name": "Day"}]"#, "holiday"),
        (#""hours": [{"from": "00:00", "to": "24:00"}], "holidays": [{"date": "11-24"}]"#, "holiday"),
        (#""hours": [{"from": "00:00", "to": "24:00"}], "holidays": [{"date": "2024-11-24"}, {"date": "11-25"}]"#, "open"),
        (#""hours": [{"from": "00:00", "to": "24:00"}], "holidays": [{"date": "11-25"}], "timezone": "Asia/Tokyo""#, "holiday"),
    ]

    @Test("schedule: hours, days, holidays, zones, over midnight", arguments: schedules)
    func schedule(option: String, expected: String) throws {
        var script = try Script(
            """
            [{"id": "when", "type": "schedule", "option": {\(option), "open_target_id": "open", "closed_target_id": "closed", "holiday_target_id": "holiday"}},
             {"id": "open", "type": "beep"}, {"id": "closed", "type": "beep"}, {"id": "holiday", "type": "beep"}]
            """)
        script.start()
        #expect(script.performed == [expected])
        #expect(script.run.variables["results.when.schedule"] == expected)
    }

    @Test("A zone may come from a variable; one that there is not holds nothing, opens nothing, and is told", arguments: [
        ("Asia/Tokyo", "yes", "night", ""), ("UTC", "no", "open", ""), ("Mars/Olympus", "no", "night", "invalid_timezone"), ("", "no", "night", "invalid_timezone"),
    ])
    func zones(zone: String, holds: String, schedule: String, code: String) throws {
        let beeps = #"{"type": "stop"}, {"id": "yes", "type": "beep"}, {"id": "no", "type": "beep"}, {"id": "open", "type": "beep"}, {"id": "night", "type": "beep"}"#
        var script = try Script(
            #"[{"id": "when", "type": "condition_datetime", "option": {"condition": "==", "weekdays": [2], "timezone": "${tz}", "false_target_id": "no"}, "next_id": "yes"}, \#(beeps)]"#,
            variables: ["tz": zone])
        script.start()
        #expect(script.performed == [holds] && script.run.variables["results.when.code"] == code)
        script = try Script(
            #"[{"id": "when", "type": "schedule", "option": {"hours": [{"from": "09:00", "to": "17:00"}], "timezone": "${tz}", "open_target_id": "open", "closed_target_id": "night"}}, \#(beeps)]"#,
            variables: ["tz": zone])
        script.start()
        #expect(script.performed == [schedule] && script.run.variables["results.when.code"] == code)
    }

    static let absent = [
        #"{"id": "a", "type": "email_send", "option": {"destinations": [{"type": "email", "target": "a@b"}], "subject": "s", "content": "c"}}"#,
        #"{"id": "a", "type": "message_send", "option": {"destinations": [{"type": "tel", "target": "+1"}], "text": "t"}}"#,
        #"{"id": "a", "type": "conversation_send", "option": {"conversation_id": "c", "text": "t"}}"#,
        #"{"id": "a", "type": "case_create", "option": {"name": "n"}}"#, #"{"id": "a", "type": "queue_join", "option": {"queue_id": "q"}}"#,
        #"{"id": "a", "type": "ai_talk"}"#, #"{"id": "a", "type": "ai_task"}"#, #"{"id": "a", "type": "ai_summary"}"#, #"{"id": "a", "type": "block"}"#,
        #"{"id": "a", "type": "transcribe_recording"}"#,
    ]

    @Test("What has no service yet fails with an outcome to branch on, and is told by an event", arguments: absent)
    func unavailable(action: String) throws {
        var script = try Script(
            """
            [\(action), {"type": "branch", "option": {"variable": "voipbin.action.code", "target_ids": {"unavailable": "instead"}}},
             {"type": "stop"}, {"id": "instead", "type": "beep"}]
            """)
        script.start()
        #expect(script.performed == ["instead"])
        #expect(script.run.variables["results.a.result"] == "failed")
        #expect(script.occurrences.contains { if case .finished(_, nil, .failed("unavailable")) = $0 { true } else { false } })
    }
}
