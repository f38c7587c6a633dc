import Flow
import Testing

@Suite("dial: who is shown")
struct DialOptionTests {
    @Test("The caller; a source that is given; or as caller_id says", arguments: [
        ("", Dial.CallerID.caller), (#", "source": {"type": "tel", "target": "+1"}"#, .source), (#", "source": {}"#, .caller), (#", "caller_id": "called""#, .called),
        (#", "caller_id": "source", "source": {"type": "tel", "target": "+1"}"#, .source),
    ])
    func callerID(option: String, shown: Dial.CallerID) throws {
        let action = try #require(try Script.actions(#"[{"type": "dial", "option": {"targets": [{"type": "extension", "target": "1"}]\#(option)}}]"#).first)
        guard case .dial(let dial) = action.kind else { return #expect(Bool(false)) }
        #expect(dial.shownCallerID == shown)
        #expect(Action(json: action.json) == action)
    }
}
