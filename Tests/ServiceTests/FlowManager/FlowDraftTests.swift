import Contracts
import Flow
import Testing

@testable import FlowManager

@Suite("A flow that is sent in is checked as a whole")
struct FlowDraftTests {
    private func problems(name: String?, actions: JSONValue?) -> [String] {
        do throws(RPCError) {
            _ = try FlowDraft(name: name, actions: actions, validation: Validation())
            return []
        } catch {
            #expect(error.code == .invalid)
            return error.problems.map { "\($0.pointer) \($0.code ?? "")" }
        }
    }

    @Test("Every mistake of name and actions in one answer")
    func mistakes() {
        #expect(problems(name: "", actions: [["type": "levitate"], ["type": "agent_call"]]) == [
            "/name missing", "/actions/0/type unknown_action_type", "/actions/1/type unavailable_action_type",
        ])
        #expect(problems(name: String(repeating: "n", count: 256), actions: nil) == ["/name too_long"])
        #expect(problems(name: "n", actions: .null) == ["/actions wrong_type"])
    }

    @Test("A change names only what changes")
    func partial() throws {
        let draft = try FlowDraft(name: nil, actions: [["type": "beep"]], validation: Validation())
        #expect(draft.name == nil)
        #expect(draft.actions == [Action(id: "action_1", .beep)])
        #expect(problems(name: nil, actions: nil).isEmpty)
    }
}
