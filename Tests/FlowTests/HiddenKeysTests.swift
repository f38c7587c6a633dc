import Flow
import Testing

@Suite("PINs are shown to nobody")
struct HiddenKeysTests {
    @Test("Of an action that hides its keys others see how many there were, and of no other anything less")
    func outcomes() {
        var gather = Gather()
        gather.keys = .hidden
        let outcome = Outcome(
            .completed, digits: "4711", variables: ["a": "b"], data: ["digits": "4711", "choice": "47", "choice_index": 3, "attempts": 2, "input": "digits"])
        let hidden = outcome.shown(of: Action(id: "a", .gather(gather)))
        #expect(hidden.digits == "????")
        #expect(hidden.data == ["digits": "????", "choice": "??", "attempts": 2, "input": "digits"])
        gather.keys = .shown
        #expect(outcome.shown(of: Action(id: "a", .gather(gather))) == outcome)
        for json in [#"{"type": "digits_receive", "option": {"keys": "hidden"}}"#, #"{"type": "talk", "option": {"text": "?", "keys": "hidden"}}"#] {
            let action = try? Validation().actions(json: Array("[\(json)]".utf8)).get().first
            #expect(action?.kind.hidesKeys == true)
            #expect(action.flatMap { Action(json: $0.json) } == action, "also for the successor of who performs it")
        }
    }

    @Test("The PIN that a flow knows, and digits that were typed ahead of a hidden question, are not shown with the action")
    func actions() {
        var check = VoicemailCheck()
        check.pin = "4711"
        #expect(Action(id: "a", .voicemailCheck(check)).shown.json["option"]?["pin"] == "????")
        var gather = Gather()
        (gather.keys, gather.typedAhead) = (.hidden, "47")
        #expect(Action(id: "a", .gather(gather)).shown.json["option"]?["typed_ahead"] == "??")
        #expect(Action(id: "a", nextID: "b", .answer).shown == Action(id: "a", nextID: "b", .answer))
    }

    @Test("voicemail_check hides what is pressed from its question on, also while it says that it was wrong; then keys are shown again")
    func mailbox() throws {
        var script = try Script(#"[{"id": "check", "type": "voicemail_check", "option": {"mailbox": "1001", "attempts": 2}}]"#)
        script.depot = [.refused("pin")]
        script.start()
        #expect(script.action?.kind.hidesKeys == true)
        script.depot = [.refused("pin")]
        try script.answer(.digits("1111"))
        #expect(script.performed.last == "check.wrong_pin" && script.action?.kind.hidesKeys == true)
        try script.answer(Outcome(.completed, digits: "47"))
        #expect(script.performed.last == "check.pin" && script.action?.kind.hidesKeys == true)
        script.depot = [.done, .opened([.init(id: "vm_1", recordingID: "rec_1", status: .new)])]
        try script.answer(.digits("4711"))
        #expect(script.performed.last == "check.count" && script.action?.kind.hidesKeys == false)
        try script.answer(.completed)
        #expect(script.performed.last == "check.message" && script.action?.kind.hidesKeys == false)
    }

    @Test("collect hides what it is answered")
    func collect() throws {
        var script = try Script(
            #"[{"id": "c", "type": "collect", "option": {"prompt": "?", "variable": "pin", "kind": "digits", "keys": "hidden"}}]"#,
            variables: ["voipbin.activeflow.reference_id": "call_1"])
        try script.play(Outcome(.completed, digits: "4711", data: ["input": "digits", "digits": "4711"]))
        #expect(script.run.variables["pin"] == "4711", "the flow has it")
        let told = script.occurrences.compactMap { occurrence -> Outcome? in
            if case .finished(let action, _, let outcome) = occurrence { outcome.shown(of: action) } else { nil }
        }
        #expect(told.count == 2)
        #expect(told.allSatisfy { !"\($0)".contains("4711") })
    }
}
