@testable import Flow
import Foundation
import Testing

func storedAndLoaded<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
}

@Suite("Actions, outcomes and JSON survive the wire")
struct CodingTests {
    /// One action of every type, every option given.
    static let everything = """
        [{"id": "1", "type": "answer"}, {"id": "2", "type": "beep"}, {"id": "3", "type": "mute"},
         {"id": "4", "type": "talk", "option": {"text": "<speak>Hi</speak>", "language": "en-GB", "provider": "gcp",
           "voice_id": "x", "digits_handle": "next", "async": true}},
         {"id": "5", "type": "play", "option": {"stream_urls": ["http://a/b.wav", "c.wav"]}},
         {"id": "6", "type": "digits_receive", "option": {"duration": 1, "length": 2, "key": "*#"}},
         {"id": "7", "type": "branch", "option": {"variable": "v", "target_ids": {"1": "1", "": "2"}, "default_target_id": "3"}},
         {"id": "8", "type": "echo", "option": {"duration": 30000}},
         {"id": "9", "type": "connect", "option": {"source": {"type": "tel", "target": "+1"}, "destinations":
           [{"type": "sip", "target": "sip:a@b", "target_name": "A", "name": "a", "detail": "d"}],
           "early_media": true, "relay_reason": true, "anonymous": "auto"}},
         {"id": "10", "type": "conference_join", "option": {"conference_id": "conf_1"}},
         {"id": "11", "type": "sleep", "option": {"duration": 10}},
         {"id": "12", "type": "goto", "option": {"target_id": "1", "loop_count": 3}, "next_id": "3"},
         {"id": "13", "type": "variable_set", "option": {"key": "k", "value": ""}},
         {"id": "14", "type": "condition_variable", "option": {"condition": "<=", "variable": "v", "value_type": "number",
           "value_string": "s", "value_number": 1.5, "value_length": 3, "false_target_id": "1"}},
         {"id": "15", "type": "condition_datetime", "option": {"condition": "!=", "minute": 1, "hour": 2, "day": 3, "month": 4,
           "weekdays": [5, 6], "timezone": "Asia/Tokyo", "false_target_id": "2"}},
         {"id": "16", "type": "fetch_flow", "option": {"flow_id": "flow_1"}},
         {"id": "17", "type": "digits_send", "option": {"digits": "0123456789ABCD*#", "duration": 100, "interval": 0}},
         {"id": "18", "type": "hangup", "option": {"reason": "busy", "reference_id": "call_1"}},
         {"id": "20", "type": "amd", "option": {"machine_handle": "hangup", "async": true, "detect_beep": true, "timeout": 1000,
           "initial_silence": 100, "greeting": 101, "after_greeting_silence": 102, "total_analysis_time": 503,
           "min_word_length": 104, "between_words_silence": 105, "maximum_number_of_words": 6}},
         {"id": "21", "type": "listen_start", "option": {"events": ["speech", "fax"], "silence": 500}},
         {"id": "22", "type": "listen_stop"},
         {"id": "23", "type": "transcribe_start", "option": {"language": "en-US", "direction": "in", "provider": "gcp",
           "provider_url": "https://a/b", "hints": ["yes", "no"], "interim": true}},
         {"id": "24", "type": "transcribe_stop"},
         {"id": "25", "type": "recording_start", "option": {"format": "ogg", "layout": "stereo", "end_of_silence": 3, "end_of_key": "#",
           "duration": 60, "beep_start": true, "digits": false}},
         {"id": "26", "type": "recording_stop"},
         {"id": "27", "type": "external_media_start", "option": {"url": "wss://bot.example.com/x", "encapsulation": "none", "transport": "websocket",
           "connection_type": "client", "format": "slin24", "direction_listen": "both", "direction_speak": "in", "authorization": "Bearer a", "data": "d"}},
         {"id": "27b", "type": "external_media_start", "option": {"external_host": "a:1", "encapsulation": "rtp", "transport": "udp", "transport_data": "t",
           "connection_type": "server"}},
         {"id": "28", "type": "external_media_stop"},
         {"id": "29", "type": "variable_set", "option": {"key": "k", "value": {"a": [1, true, "${b}"]}}},
         {"id": "30", "type": "variable_set", "option": {"key": "k", "expression": "a + 1"}},
         {"id": "31", "type": "condition", "option": {"expression": "digits == '1'", "true_target_id": "1", "false_target_id": "2"}},
         {"id": "32", "type": "condition_call_digits", "option": {"length": 2, "key": "#", "false_target_id": "1"}},
         {"id": "33", "type": "condition_call_status", "option": {"status": "progressing", "false_target_id": "1"}},
         {"id": "34", "type": "schedule", "option": {"timezone": "Asia/Tokyo", "hours": [{"weekdays": [1, 2], "from": "09:00", "to": "24:00"}],
           "holidays": [{"date": "12-25", "name": "Christmas"}], "open_target_id": "1", "closed_target_id": "2", "holiday_target_id": "3"}},
         {"id": "35", "type": "fetch", "option": {"event_url": "https://a/b", "event_method": "POST", "headers": {"x-a": "b"},
           "send_variables": true, "timeout": 100, "retries": 0}},
         {"id": "36", "type": "http_request", "option": {"url": "https://a/b", "method": "PUT", "json": {"a": 1}, "variable": "v",
           "headers": {"x-a": "b"}, "timeout": 100, "retries": 5}},
         {"id": "37", "type": "webhook_send", "option": {"sync": true, "uri": "https://a/b", "method": "POST", "data_type": "text/plain",
           "data": "d", "headers": {"x-a": "b"}, "variable": "v", "run_actions": true, "timeout": 100, "retries": 1}},
         {"id": "38", "type": "play_tone", "option": {"tone": "busy", "country": "de", "duration": 1000, "digits_handle": "next"}},
         {"id": "39", "type": "set_header", "option": {"name": "X-A", "value": "b"}},
         {"id": "40", "type": "stream_echo", "option": {"duration": 1000}},
         {"id": "41", "type": "block"},
         {"id": "41b", "type": "parallel", "option": {"until": "first", "branches": [{"name": "a", "actions": [{"id": "p1", "type": "beep"}]},
           {"name": "b", "actions": [{"id": "p2", "type": "fetch_flow", "option": {"flow_id": "f"}}]}]}},
         {"id": "41c", "type": "record", "option": {"format": "ogg", "duration": 60, "end_of_silence": 3, "end_of_key": "#", "beep": false}},
         {"id": "41d", "type": "voicemail", "option": {"mailbox": "m", "greeting_text": "t", "greeting_urls": ["a"], "language": "en-US", "voice_id": "v", "shortest": 1,
           "format": "ogg", "duration": 60, "end_of_silence": 3, "end_of_key": "#", "beep": false}},
         {"id": "41e", "type": "voicemail_check", "option": {"mailbox": "m", "pin": "1234", "attempts": 1, "language": "en-US", "voice_id": "v", "limit": 3, "texts": {"end": "e"}}},
         {"id": "41f", "type": "park", "option": {"lot": "l", "slot": "5", "first": 1, "last": 9, "timeout": 1000, "stream_urls": ["a"],
           "timeout_target_id": "1", "failed_target_id": "2"}},
         {"id": "42", "type": "ai_talk", "option": {"assistance_type": "team", "assistance_id": "a", "ai_id": "b", "duration": 3}},
         {"id": "43", "type": "ai_task", "option": {"assistance_type": "ai", "assistance_id": "a", "ai_id": "b"}},
         {"id": "44", "type": "ai_summary", "option": {"on_end_flow_id": "f", "reference_type": "call", "reference_id": "c", "language": "en-US"}},
         {"id": "45", "type": "transcribe_recording", "option": {"language": "en-US", "on_end_flow_id": "f", "provider": "gcp", "direction": "in"}},
         {"id": "46", "type": "queue_join", "option": {"queue_id": "q"}},
         {"id": "47", "type": "confbridge_join", "option": {"confbridge_id": "c"}},
         {"id": "48", "type": "case_create", "option": {"name": "n", "detail": "d", "note": "o", "sync": true}},
         {"id": "49", "type": "conversation_send", "option": {"conversation_id": "c", "text": "t", "sync": true}},
         {"id": "50", "type": "message_send", "option": {"source": {"type": "tel", "target": "+1"}, "destinations": [{"type": "tel", "target": "+2"}],
           "text": "t"}},
         {"id": "51", "type": "email_send", "option": {"destinations": [{"type": "email", "target": "a@b"}], "subject": "s", "content": "c",
           "attachments": [{"reference_type": "recording", "reference_id": "rec_1"}]}},
         {"id": "52", "type": "call", "option": {"source": {"type": "tel", "target": "+1"}, "destinations": [{"type": "tel", "target": "+2"}],
           "flow_id": "f", "actions": [{"id": "a", "type": "beep"}], "chained": true, "early_execution": true, "anonymous": "no"}},
         {"id": "53", "type": "gather", "option": {"input": ["digits", "speech"], "text": "t", "stream_urls": [], "language": "en-US", "provider": "p",
           "voice_id": "v", "barge_in": false, "timeout": 1, "length": 4, "min_length": 2, "key": "*", "digit_timeout": 100,
           "speech_duration": 1000, "speech_language": "de-DE", "speech_provider": "sphinx", "speech_provider_url": "https://a/b",
           "hints": ["h"], "interim": true, "confidence": 0.5, "attempts": 3, "no_input_text": "n", "no_match_text": "m",
           "choices": [{"value": "v", "digits": "1", "phrases": ["p"], "target_id": "1"}], "no_input_target_id": "2",
           "no_match_target_id": "3", "typed_ahead": "12"}},
         {"id": "54", "type": "dial", "option": {"targets": [{"type": "extension", "target": "1", "name": "n", "timeout": 5000, "group": 1}],
           "strategy": "groups", "timeout": 2000, "caller_id": "source", "source": {"type": "tel", "target": "+1"}, "ringback": "music",
           "ringback_url": "u", "confirm_text": "c", "confirm_key": "5", "confirm_timeout": 1000, "whisper_text": "w", "language": "en-US",
           "voice_id": "v", "relay_reason": true, "answered_target_id": "1", "busy_target_id": "2", "no_answer_target_id": "3",
           "failed_target_id": "4"}},
         {"id": "55", "type": "transfer", "option": {"destinations": [{"type": "tel", "target": "1"}], "method": "dial", "source": {"type": "tel", "target": "+1"},
           "timeout": 5000, "busy_target_id": "1", "no_answer_target_id": "2", "failed_target_id": "3"}},
         {"id": "56", "type": "transfer", "option": {"destinations": [{"type": "tel", "target": "1"}], "method": "refer", "timeout": 5000}},
         {"id": "57", "type": "transfer", "option": {"destinations": [], "flow_id": "f", "method": "dial", "timeout": 5000}},
         {"id": "58", "type": "collect", "option": {"prompt": "p", "prompt_urls": ["u"], "variable": "v", "kind": "number", "min": 1.5, "max": 2.5, "retries": 1, "invalid_text": "i", "timeout": 1000, "min_length": 2, "max_length": 3, "date_format": "dmy", "yes_phrases": ["y"], "no_phrases": ["n"],
           "language": "en-US", "voice_id": "v", "no_input_target_id": "1", "invalid_target_id": "2", "failed_target_id": "3"}},
         {"id": "59", "type": "collect", "option": {"prompt": "p", "prompt_urls": [], "variable": "v", "kind": "text", "pattern": "*", "retries": 1, "invalid_text": "i", "timeout": 1000, "min_length": 2, "max_length": 3, "date_format": "dmy", "yes_phrases": ["y"], "no_phrases": ["n"],
           "language": "en-US", "voice_id": "v", "no_input_target_id": "1", "invalid_target_id": "2", "failed_target_id": "3"}},
         {"id": "19", "type": "stop"}]
        """

    @Test("Every action type is written as it was read")
    func everyType() throws {
        let actions = try Script.actions(Self.everything)
        #expect(Set(actions.map(\.type)) == Set(ActionType.allCases).subtracting(ActionType.parts))
        #expect(try storedAndLoaded(actions) == actions)
        let document = try JSONValue(json: Self.everything).array ?? []
        for (action, original) in zip(actions, document) { #expect(action.json == original) }
    }

    @Test("An option that only a newer version knows does not keep an action from being read on the wire")
    func newer() throws {
        let text = #"{"id": "1", "type": "beep", "option": {"loud": true}, "colour": "red"}"#
        #expect(try JSONDecoder().decode(Action.self, from: Data(text.utf8)) == Action(id: "1", .beep))
        guard case .failure(let problems) = Validation().actions(json: Array("[\(text)]".utf8)) else { return #expect(Bool(false)) }
        #expect(problems.list.map(\.code) == [.unknownField, .unknownField], "where people write it, it is a mistake")
    }

    @Test("An action with an unknown type, or with an option that is no such thing, is refused on the wire as well", arguments: [
        #"{"id": "1", "type": "levitate"}"#, #"{"type": "beep"}"#, "[]",
        #"{"id": "1", "type": "sleep", "option": {"duration": "long"}}"#,
    ])
    func refused(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Action.self, from: Data(text.utf8)) }
    }

    @Test("Outcomes survive", arguments: [Outcome.completed, .digits("12#"), .failed("486"), .callEnded, .noAnswer])
    func outcomes(outcome: Outcome) throws {
        #expect(try storedAndLoaded(outcome) == outcome)
    }

    @Test("JSON values survive other coders", arguments: [
        JSONValue.null, true, 0, -7, 1.5, "text", [], [:], ["a": [nil, 1, "x", ["b": false]]], .integer(.max), .integer(.min),
    ])
    func values(value: JSONValue) throws {
        #expect(try storedAndLoaded([value]) == [value])
        #expect(try JSONValue(json: value.json) == value)
    }
}
