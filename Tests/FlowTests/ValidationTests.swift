import Flow
import Testing

@Suite("Every mistake in a flow is named with its JSON pointer (DESIGN §9)")
struct ValidationTests {
    static let mistakeTable: [(String, String, Problem.Code)] = [
        (#"{}"#, "/actions", Problem.Code.wrongType),
        (#"[1]"#, "/actions/0", .wrongType),
        (#"[{}]"#, "/actions/0/type", .missing),
        (#"[{"type": 7}]"#, "/actions/0/type", .wrongType),
        (#"[{"type": "levitate"}]"#, "/actions/0/type", .unknownActionType),
        (#"[{"type": "Answer"}]"#, "/actions/0/type", .unknownActionType),
        (#"[{"type": "agent_call"}]"#, "/actions/0/type", .unavailableActionType),
        (#"[{"type": "answer", "opton": {}}]"#, "/actions/0/opton", .unknownField),
        (#"[{"type": "answer", "option": []}]"#, "/actions/0/option", .wrongType),
        (#"[{"type": "answer", "option": {"loud": true}}]"#, "/actions/0/option/loud", .unknownField),
        (#"[{"type": "answer", "option": {"a/b~c": 1}}]"#, "/actions/0/option/a~1b~0c", .unknownField),
        (#"[{"type": "answer", "id": 1}]"#, "/actions/0/id", .wrongType),
        (#"[{"type": "answer", "id": "00000000-0000-0000-0000-000000000001"}]"#, "/actions/0/id", .reservedID),
        (#"[{"type": "answer", "id": "a"}, {"type": "beep", "id": "a"}]"#, "/actions/1/id", .duplicateID),
        (#"[{"type": "answer", "next_id": "z"}]"#, "/actions/0/next_id", .unknownTarget),
        (#"[{"type": "answer", "next_id": 3}]"#, "/actions/0/next_id", .wrongType),
        (#"[{"type": "talk"}]"#, "/actions/0/option/text", .missing),
        (#"[{"type": "talk", "option": {"text": null}}]"#, "/actions/0/option/text", .missing),
        (#"[{"type": "talk", "option": {"text": ""}}]"#, "/actions/0/option/text", .missing),
        (#"[{"type": "talk", "option": {"text": 5}}]"#, "/actions/0/option/text", .wrongType),
        (#"[{"type": "talk", "option": {"text": "a", "async": "yes"}}]"#, "/actions/0/option/async", .wrongType),
        (#"[{"type": "talk", "option": {"text": "a", "digits_handle": "stop"}}]"#, "/actions/0/option/digits_handle", .invalidValue),
        (#"[{"type": "play", "option": {"stream_urls": []}}]"#, "/actions/0/option/stream_urls", .missing),
        (#"[{"type": "play", "option": {"stream_urls": "a"}}]"#, "/actions/0/option/stream_urls", .wrongType),
        (#"[{"type": "play", "option": {"stream_urls": ["a", 2]}}]"#, "/actions/0/option/stream_urls/1", .wrongType),
        (#"[{"type": "sleep"}]"#, "/actions/0/option/duration", .missing),
        (#"[{"type": "sleep", "option": {"duration": "1"}}]"#, "/actions/0/option/duration", .wrongType),
        (#"[{"type": "sleep", "option": {"duration": 1.5}}]"#, "/actions/0/option/duration", .wrongType),
        (#"[{"type": "sleep", "option": {"duration": -1}}]"#, "/actions/0/option/duration", .outOfRange),
        (#"[{"type": "sleep", "option": {"duration": 9223372036854775807}}]"#, "/actions/0/option/duration", .outOfRange),
        (#"[{"type": "sleep", "option": {"duration": 1e300}}]"#, "/actions/0/option/duration", .wrongType),
        (#"[{"type": "digits_receive", "option": {"key": "x"}}]"#, "/actions/0/option/key", .invalidValue),
        (#"[{"type": "digits_receive", "option": {"length": 101}}]"#, "/actions/0/option/length", .outOfRange),
        (#"[{"type": "digits_send", "option": {"digits": "12a"}}]"#, "/actions/0/option/digits", .invalidValue),
        (#"[{"type": "digits_send", "option": {"digits": "1", "duration": 99}}]"#, "/actions/0/option/duration", .outOfRange),
        (#"[{"type": "digits_send", "option": {"digits": "1", "interval": 5001}}]"#, "/actions/0/option/interval", .outOfRange),
        (#"[{"type": "branch", "option": {"target_ids": {"1/2": "nowhere"}}}]"#, "/actions/0/option/target_ids/1~12", .unknownTarget),
        (#"[{"type": "branch", "option": {"target_ids": ["a"]}}]"#, "/actions/0/option/target_ids", .wrongType),
        (#"[{"type": "branch", "option": {"default_target_id": "q"}}]"#, "/actions/0/option/default_target_id", .unknownTarget),
        (#"[{"type": "goto"}]"#, "/actions/0/option/target_id", .missing),
        (#"[{"type": "goto", "option": {"target_id": ""}}]"#, "/actions/0/option/target_id", .missing),
        (#"[{"type": "goto", "option": {"target_id": "q"}}]"#, "/actions/0/option/target_id", .unknownTarget),
        (#"[{"type": "connect"}]"#, "/actions/0/option/destinations", .missing),
        (#"[{"type": "connect", "option": {"destinations": ["1002"]}}]"#, "/actions/0/option/destinations/0", .wrongType),
        (#"[{"type": "connect", "option": {"destinations": [{"type": "pigeon", "target": "x"}]}}]"#,
            "/actions/0/option/destinations/0/type", .invalidValue),
        (#"[{"type": "connect", "option": {"destinations": [{"type": "sip"}]}}]"#,
            "/actions/0/option/destinations/0/target", .missing),
        (#"[{"type": "connect", "option": {"destinations": [{"type": "sip", "target": "x", "port": 1}]}}]"#,
            "/actions/0/option/destinations/0/port", .unknownField),
        (#"[{"type": "connect", "option": {"source": "1", "destinations": [{"type": "sip", "target": "x"}]}}]"#,
            "/actions/0/option/source", .wrongType),
        (#"[{"type": "conference_join", "option": {"conference_id": ""}}]"#, "/actions/0/option/conference_id", .missing),
        (#"[{"type": "condition_variable", "option": {"variable": "v"}}]"#, "/actions/0/option/condition", .missing),
        (#"[{"type": "condition_variable", "option": {"variable": "v", "condition": "="}}]"#, "/actions/0/option/condition", .invalidValue),
        (#"[{"type": "condition_variable", "option": {"variable": "v", "condition": "==", "value_number": "1"}}]"#,
            "/actions/0/option/value_number", .wrongType),
        (#"[{"type": "condition_datetime", "option": {"condition": "==", "hour": 24}}]"#, "/actions/0/option/hour", .outOfRange),
        (#"[{"type": "condition_datetime", "option": {"condition": "==", "weekdays": [7]}}]"#, "/actions/0/option/weekdays/0", .outOfRange),
        (#"[{"type": "condition_datetime", "option": {"condition": "==", "timezone": "Mars/Olympus"}}]"#,
            "/actions/0/option/timezone", .invalidValue),
        (#"[{"type": "hangup", "option": {"reason": "bored"}}]"#, "/actions/0/option/reason", .invalidValue),
        (#"[{"type": "variable_set", "option": {"value": "v"}}]"#, "/actions/0/option/key", .missing),
        (#"[{"type": "fetch_flow", "option": {}}]"#, "/actions/0/option/flow_id", .missing),
        (#"[{"type": "external_media_start"}]"#, "/actions/0/option/external_host", .missing),
        (#"[{"type": "external_media_start", "option": {"url": "ws://a", "external_host": "a"}}]"#, "/actions/0/option/url", .invalidValue),
        (#"[{"type": "external_media_start", "option": {"url": "http://a"}}]"#, "/actions/0/option/url", .invalidValue),
        (#"[{"type": "external_media_start", "option": {"url": "a:1"}}]"#, "/actions/0/option/url", .invalidValue),
        (#"[{"type": "external_media_start", "option": {"external_host": "a:1", "transport": "pigeon"}}]"#, "/actions/0/option/transport", .invalidValue),
        (#"[{"type": "external_media_start", "option": {"external_host": "a:1", "encapsulation": "srtp"}}]"#, "/actions/0/option/encapsulation", .invalidValue),
        (#"[{"type": "external_media_start", "option": {"external_host": "a:1", "connection_type": "peer"}}]"#, "/actions/0/option/connection_type", .invalidValue),
        (#"[{"type": "external_media_start", "option": {"external_host": "a:1", "format": "opus"}}]"#, "/actions/0/option/format", .invalidValue),
        (#"[{"type": "external_media_start", "option": {"external_host": "a:1", "transport_data": 1}}]"#, "/actions/0/option/transport_data", .wrongType),
        (#"[{"type": "external_media_stop", "option": {"id": "x"}}]"#, "/actions/0/option/id", .unknownField),
        (#"[{"type": "variable_set", "option": {"key": "k"}}]"#, "/actions/0/option/value", .missing),
        (#"[{"type": "variable_set", "option": {"key": "k", "value": 1, "expression": "1"}}]"#, "/actions/0/option/expression", .invalidValue),
        (#"[{"type": "condition"}]"#, "/actions/0/option/expression", .missing),
        (#"[{"type": "condition", "option": {"expression": "1 +"}}]"#, "/actions/0/option/expression", .invalidValue),
        (#"[{"type": "condition", "option": {"expression": "1", "true_target_id": "q"}}]"#, "/actions/0/option/true_target_id", .unknownTarget),
        (#"[{"type": "branch", "option": {"expression": "1", "variable": "v"}}]"#, "/actions/0/option/expression", .invalidValue),
        (#"[{"type": "branch", "option": {"expression": "lower(1, 2)"}}]"#, "/actions/0/option/expression", .invalidValue),
        (#"[{"type": "condition_call_status"}]"#, "/actions/0/option/status", .missing),
        (#"[{"type": "condition_call_status", "option": {"status": "asleep"}}]"#, "/actions/0/option/status", .invalidValue),
        (#"[{"type": "condition_call_digits", "option": {"key": "x"}}]"#, "/actions/0/option/key", .invalidValue),
        (#"[{"type": "schedule"}]"#, "/actions/0/option/hours", .missing),
        (#"[{"type": "schedule", "option": {"hours": [{"from": "9:00", "to": "17:00"}]}}]"#, "/actions/0/option/hours/0/from", .invalidValue),
        (#"[{"type": "schedule", "option": {"hours": [{"from": "09:00", "to": "24:01"}]}}]"#, "/actions/0/option/hours/0/to", .invalidValue),
        (#"[{"type": "schedule", "option": {"hours": [{"from": "09:00", "to": "17:00", "day": 1}]}}]"#, "/actions/0/option/hours/0/day", .unknownField),
        (#"[{"type": "schedule", "option": {"hours": [{"from": "09:00", "to": "17:00"}], "holidays": [{"date": "2026-02-29"}]}}]"#,
            "/actions/0/option/holidays/0/date", .invalidValue),
        (#"[{"type": "fetch"}]"#, "/actions/0/option/event_url", .missing),
        (#"[{"type": "fetch", "option": {"event_url": "ftp://a.example/"}}]"#, "/actions/0/option/event_url", .invalidValue),
        (#"[{"type": "http_request", "option": {"url": "https://a.example/", "method": "BREW"}}]"#, "/actions/0/option/method", .invalidValue),
        (#"[{"type": "http_request", "option": {"url": "https://a.example/", "headers": {"Host": "b"}}}]"#, "/actions/0/option/headers/Host", .invalidValue),
        (#"[{"type": "http_request", "option": {"url": "https://a.example/", "headers": {"a b": "b"}}}]"#, "/actions/0/option/headers/a b", .invalidValue),
        (#"[{"type": "http_request", "option": {"url": "https://a.example/", "body": "a", "json": {}}}]"#, "/actions/0/option/json", .invalidValue),
        (#"[{"type": "webhook_send", "option": {"uri": "https://a.example/", "timeout": 99}}]"#, "/actions/0/option/timeout", .outOfRange),
        (#"[{"type": "gather", "option": {"input": ["telepathy"]}}]"#, "/actions/0/option/input/0", .invalidValue),
        (#"[{"type": "gather", "option": {"choices": [{"value": "x"}]}}]"#, "/actions/0/option/choices/0", .missing),
        (#"[{"type": "gather", "option": {"choices": [{"digits": "1", "target_id": "q"}]}}]"#, "/actions/0/option/choices/0/target_id", .unknownTarget),
        (#"[{"type": "gather", "option": {"length": 2, "min_length": 3}}]"#, "/actions/0/option/min_length", .outOfRange),
        (#"[{"type": "gather", "option": {"confidence": 1.5}}]"#, "/actions/0/option/confidence", .outOfRange),
        (#"[{"type": "dial"}]"#, "/actions/0/option/targets", .missing),
        (#"[{"type": "dial", "option": {"targets": [{"type": "extension", "target": "1", "timeout": 1}]}}]"#, "/actions/0/option/targets/0/timeout", .outOfRange),
        (#"[{"type": "dial", "option": {"targets": [{"type": "extension", "target": "1"}], "caller_id": "source"}}]"#, "/actions/0/option/source", .missing),
        (#"[{"type": "recording_start", "option": {"format": "flac"}}]"#, "/actions/0/option/format", .invalidValue),
        (#"[{"type": "record", "option": {"format": "mp3"}}]"#, "/actions/0/option/format", .invalidValue),
        (#"[{"type": "ai_summary", "option": {"reference_type": "weather"}}]"#, "/actions/0/option/reference_type", .invalidValue),
        (#"[{"type": "play_tone"}]"#, "/actions/0/option/tone", .missing),
        (#"[{"type": "play_tone", "option": {"tone": "busy", "frequency": 440}}]"#, "/actions/0/option/tone", .invalidValue),
        (#"[{"type": "set_header", "option": {"name": "Via", "value": "x"}}]"#, "/actions/0/option/name", .invalidValue),
        (#"[{"type": "set_header", "option": {"name": "X-Tandem-Customer", "value": "x"}}]"#, "/actions/0/option/name", .invalidValue),
        (#"[{"type": "queue_join"}]"#, "/actions/0/option/queue_id", .missing),
        (#"[{"type": "email_send", "option": {"destinations": [{"type": "email", "target": "a@b"}], "subject": "s", "content": "c", "attachments": [{"reference_type": "picture", "reference_id": "1"}]}}]"#, "/actions/0/option/attachments/0/reference_type", .invalidValue),
        (#"[{"type": "call", "option": {"destinations": [{"type": "tel", "target": "+1"}], "actions": [{"type": "levitate"}]}}]"#,
            "/actions/0/option/actions/0/type", .unknownActionType),
        (#"[{"type": "answer"}"#, "/actions", .invalidJSON),
    ]

    @Test("One mistake each", arguments: mistakeTable)
    func oneMistake(json: String, pointer: String, code: Problem.Code) throws {
        let problems = problems(json)
        #expect(problems.map(\.pointer) == [pointer])
        #expect(problems.map(\.code) == [code])
    }

    @Test("All problems at once, and the names of the types that are not there")
    func allAtOnce() {
        let problems = problems(
            """
            [{"type": "levitate"}, {"type": "chatbot_talk"}, {"type": "talk", "option": {"txt": "a", "async": 1}},
             {"type": "goto", "option": {"target_id": "nowhere", "loop_count": -1}}]
            """)
        #expect(problems.map(\.pointer) == [
            "/actions/0/type", "/actions/1/type", "/actions/2/option/text", "/actions/2/option/async", "/actions/2/option/txt",
            "/actions/3/option/loop_count", "/actions/3/option/target_id",
        ])
        #expect(problems[0].detail.contains("levitate"))
        #expect(problems[1].detail.contains("chatbot_talk"))
        #expect(problems[4].detail == #"talk has no option "txt""#)
    }

    @Test("Limits hold exactly")
    func limits() throws {
        var validation = Validation()
        validation.limits.actions = 3
        validation.limits.text = 4
        validation.limits.identifier = 5
        validation.limits.elements = 2
        validation.limits.problems = 2
        func codes(_ json: String) -> [Problem.Code] {
            if case .failure(let found) = validation.actions(json: Array(json.utf8)) { found.list.map(\.code) } else { [] }
        }
        let beep = #"{"type": "beep"}"#
        #expect(codes("[\(beep),\(beep),\(beep)]").isEmpty)
        #expect(codes("[\(beep),\(beep),\(beep),\(beep)]") == [.tooMany])
        #expect(codes(#"[{"type": "talk", "option": {"text": "éé"}}]"#).isEmpty)
        #expect(codes(#"[{"type": "talk", "option": {"text": "ééa"}}]"#) == [.tooLong])
        #expect(codes(#"[{"type": "beep", "id": "12345"}]"#).isEmpty)
        #expect(codes(#"[{"type": "beep", "id": "123456"}]"#) == [.tooLong])
        #expect(codes(#"[{"type": "play", "option": {"stream_urls": ["a", "b", "c"]}}]"#) == [.tooMany])
        #expect(codes(#"[{"type": "a"}, {"type": "b"}, {"type": "c"}]"#).count == 2)
    }

    @Test("Missing ids are made from the position, reproducibly and without clashes")
    func generatedIDs() throws {
        let json = """
            [{"type": "beep"}, {"type": "beep", "id": "action_1"}, {"type": "beep", "id": ""},
             {"type": "beep", "id": "00000000-0000-0000-0000-000000000000"}]
            """
        let actions = try Script.actions(json)
        #expect(actions.map(\.id) == ["action_1_2", "action_1", "action_3", "action_4"])
        #expect(try Script.actions(json) == actions)
        let validation = Validation(makeID: { "00000000-0000-4000-8000-00000000000\($0)" })
        #expect(try validation.actions(json: Array(json.utf8)).get().first?.id == "00000000-0000-4000-8000-000000000000")
    }

    @Test("What VoIPbin exports is accepted: zero UUIDs, empty words, tm_execute")
    func exported() throws {
        let actions = try Script.actions(
            """
            [{"id": "e34ab97a-c53a-4eb4-aebf-36767a528f00", "next_id": "00000000-0000-0000-0000-000000000000", "type": "talk",
              "option": {"text": "hi", "provider": "", "voice_id": "", "digits_handle": ""}, "tm_execute": ""},
             {"id": "e34ab97a-c53a-4eb4-aebf-36767a528f01", "next_id": "", "type": "branch",
              "option": {"variable": "", "default_target_id": "00000000-0000-0000-0000-000000000000", "target_ids": null}},
             {"type": "answer", "option": null}]
            """)
        #expect(actions.count == 3)
        #expect(actions[0].nextID == nil)
        #expect(actions[1].kind == .branch(Branch()))
    }

    private func problems(_ json: String) -> [Problem] {
        let result = Validation(timeZones: Script.zones).actions(json: Array(json.utf8))
        guard case .failure(let found) = result else { return [] }
        return found.list
    }
}
