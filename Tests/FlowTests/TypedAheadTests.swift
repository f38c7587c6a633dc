import Flow
import Testing

@Suite("Keys typed ahead count once, for the actions that wait for keys, in their order")
struct TypedAheadTests {
    private static let ask = #"{"id": "ask", "type": "talk", "option": {"text": "?", "digits_handle": "next"}}"#

    private func script(_ actions: String) throws -> Script { try Script("[\(Self.ask), \(actions), {\"id\": \"end\", \"type\": \"beep\"}]") }

    @Test("An action takes as many as it may use, and the next has the rest", arguments: [
        (#""length": 1"#, "1", "23#4"), (#""length": 2"#, "12", "3#4"), (##""key": "#""##, "123#", "4"), (##""length": 3, "key": "2#""##, "12", "3#4"), ("", "1", "23#4"),
    ])
    func split(option: String, taken: String, left: String) throws {
        var script = try script(#"{"id": "in", "type": "digits_receive", "option": {\#(option)}}, {"id": "rest", "type": "gather", "option": {"length": 9, "key": ""}}"#)
        try script.play(.digits("123#4"))
        #expect(script.performed == ["ask", "rest"])
        #expect(script.run.variables["results.in.digits"] == taken)
        guard case .gather(let gather) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(gather.typedAhead == left)
        try script.storeAndLoad()
    }

    @Test("What is left leads through the menus that follow, branches in between or not; it outlives the process")
    func menus() throws {
        let menu = { (name: String) in
            #"{"id": "in\#(name)", "type": "digits_receive", "option": {"length": 1}}, {"type": "branch", "option": {"default_target_id": "say\#(name)", "target_ids": {}}}, {"id": "say\#(name)", "type": "talk", "option": {"text": "${results.in\#(name).digits}"}}"#
        }
        var script = try script([menu("A"), menu("B"), menu("C")].joined(separator: ","))
        try script.play(.digits("47"))
        #expect(script.performed == ["ask", "sayA"])
        try script.storeAndLoad()
        try script.answer(.completed)
        #expect(script.performed == ["ask", "sayA", "sayB"] && script.run.variables["results.inB.digits"] == "7")
        try script.answer(.completed)
        #expect(script.performed.last == "inC", "each counts once")
    }

    @Test("A branch on digits has had what was typed ahead, by whichever of their names", arguments: [
        "", "voipbin.call.digits", "call.digits", "digits", "${digits}", "${voipbin.call.digits}",
    ])
    func branches(name: String) throws {
        var script = try script(
            #"{"id": "by", "type": "branch", "option": {"variable": "\#(name)", "target_ids": {"2": "in"}}}, {"type": "stop"}, {"id": "in", "type": "digits_receive", "option": {"length": 1}}"#)
        try script.play(.digits("2"))
        #expect(script.performed == ["ask", "in"])
        #expect(script.run.variables["digits"].isEmpty)
    }

    @Test("Digits can be emptied by variable_set, with what was typed ahead of them", arguments: ["voipbin.call.digits", "call.digits", "digits"])
    func emptied(name: String) throws {
        var script = try script(
            #"{"type": "variable_set", "option": {"key": "\#(name)", "value": ""}}, {"id": "in", "type": "digits_receive", "option": {"length": 1}}"#)
        try script.play(.digits("2"))
        #expect(script.performed == ["ask", "in"] && script.run.variables["digits"].isEmpty)
    }

    @Test("A question that is answered by voice leaves them to the next action", arguments: [
        #"{"id": "say", "type": "gather", "option": {"input": ["speech"]}}"#, #"{"id": "say", "type": "collect", "option": {"prompt": "?", "variable": "v", "kind": "text"}}"#,
    ])
    func speech(question: String) throws {
        var script = try Script(
            "[\(Self.ask), \(question), {\"id\": \"in\", \"type\": \"digits_receive\", \"option\": {\"length\": 2}}, {\"id\": \"end\", \"type\": \"beep\"}]",
            variables: ["voipbin.activeflow.reference_id": "call_1"])
        try script.play(.digits("12"))
        guard case .gather(let gather) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(gather.typedAhead.isEmpty)
        try script.storeAndLoad()
        try script.answer(Outcome(.completed, digits: "", data: ["input": "speech", "speech": "sales"]))
        #expect(script.performed.last == "end" && script.run.variables["digits"] == "12")
    }

    @Test("Of many keys the newest are kept, no more than an action may be handed")
    func many() throws {
        var script = try script(#"{"id": "in", "type": "gather", "option": {"length": 4}}"#)
        try script.play(.digits(String(repeating: "1", count: 90) + String(repeating: "2", count: 90)))
        guard case .gather(let gather) = script.action?.kind else { return #expect(Bool(false)) }
        #expect(gather.typedAhead == String(repeating: "1", count: 10) + String(repeating: "2", count: 90))
        let action = try #require(script.action)
        #expect(Action(json: action.json) == action, "whoever performs it can read it")
        try script.storeAndLoad()
    }
}
