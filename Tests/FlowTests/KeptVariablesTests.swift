@testable import Flow
import Testing

@Suite("Variables that are written at every step")
struct KeptVariablesTests {
    private static let names = ["voipbin.action.result", "voipbin.action.code", "voipbin.call.digits"]

    @Test("A cursor as earlier versions have stored it is read, and stored the same again")
    func earlierRows() throws {
        let cursor = """
            {"frames":[{"jumps":{"again":1},"position":1}],\
            "results":[{"id":"ask","is":{"digits":"1","result":"completed"}},{"id":"web","is":{"code":"http_404","result":"failed","status":404}}],\
            "state":{"performing":{"id":"digits","option":{"duration":5000,"key":"","length":1},"type":"digits_receive"}},"step":7,"typed_ahead":"2",\
            "variables":{"n":3,"name":"Ada","voipbin.action.code":"","voipbin.action.result":"completed","voipbin.call.digits":"1"}}
            """
        let lists = """
            [[{"id":"ask","option":{"async":false,"text":"?"},"type":"talk"},\
            {"id":"digits","option":{"duration":5000,"length":1},"type":"digits_receive"},\
            {"id":"again","option":{"loop_count":2,"target_id":"ask"},"type":"goto"}]]
            """
        let run = try Run(cursor: JSONValue(json: cursor), lists: JSONValue(json: lists))
        #expect(run.cursor.jsonText == cursor)
        #expect(run.variables["digits"] == "1")
        #expect(run.variables["action.result"] == "completed")
        #expect(run.variables["results.web.status"] == "404")
    }

    @Test("They have any type, are found by every name, count within the limits, and are emptied", arguments: names)
    func places(name: String) throws {
        var limits = Limits()
        (limits.variables, limits.variableBytes) = (2, 60)
        var variables = Variables()
        func set(_ name: String, _ value: JSONValue) -> Bool { variables.set(name, to: value, within: limits) }
        let isSet = set(name, ["a": [1, 2]])
        #expect(isSet)
        #expect(variables.values == [name: ["a": [1, 2]]])
        #expect(variables["\(name.dropFirst(8)).a[1]"] == "2")
        let (isSecond, isThird, isTooLong) = (set("x", "1"), set("y", "1"), set("x", .string(String(repeating: "x", count: 40))))
        #expect(isSecond)
        #expect(!isThird, "two are all there may be")
        #expect(!isTooLong, "all bytes together are bounded")
        let (isEmptied, isLong) = (set(name, ""), set("x", .string(String(repeating: "x", count: 30))))
        #expect(isEmptied)
        #expect(isLong, "what was replaced counts no more")
        let isReplaced = set(name, "7")
        #expect(isReplaced)
        variables.clear(String(name.dropFirst(8)))
        #expect(variables.values[name] == "")
    }

    @Test("Digits that were typed ahead of a gather are taken once, whatever it was told before")
    func typedAheadOnce() throws {
        var script = try Script(
            #"[{"id": "a", "type": "talk", "option": {"text": "?"}}, {"id": "b", "type": "gather", "option": {"length": 2, "typed_ahead": "1"}}, {"id": "c", "type": "gather"}]"#)
        try script.play(.digits("1"))
        guard case .gather(let first)? = script.action?.kind else { throw Run.Unreadable() }
        #expect(first.typedAhead == "1")
        try script.answer(.digits("12"))
        guard case .gather(let second)? = script.action?.kind else { throw Run.Unreadable() }
        #expect(second.typedAhead == "")
    }

    @Test("An action is a value: changing a copy changes nothing else")
    func actionsAreValues() {
        let action = Action(id: "a", nextID: "b", .sleep(Sleep()))
        var other = action
        other.id = "c"
        other.nextID = nil
        other.kind = .answer
        #expect(action == Action(id: "a", nextID: "b", .sleep(Sleep())))
        #expect(other == Action(id: "c", .answer))
        #expect(Set([action, action, other]).count == 2)
    }

    @Test("In a long list every id is found, too")
    func longLists() throws {
        let actions = (0..<40).map { Action(id: "a\($0)", .answer) }
        let frame = Run.Frame(actions)
        #expect((0..<40).allSatisfy { (index: Int) in frame.position(of: "a\(index)") == index })
        #expect(frame.position(of: "b") == nil)
        #expect(Run.Frame(Array(actions.prefix(3))).position(of: "a2") == 2)
    }
}
