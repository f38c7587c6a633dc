import SIP
import Testing

@testable import Registrar

@Suite("Several flows to one phone, and which bindings a call rings")
struct FlowTests {
    private let start: Int64 = 1_000_000

    private func register(
        _ set: inout BindingSet, _ contact: String, callID: String = "a@phone", cseq: UInt32 = 1, flow: String = "one", at now: Int64
    ) throws -> BindingSet.Change {
        try set.apply(
            RegisterFixture.request([contact], cseq: cseq, callID: callID, path: "<sip:\(flow)@127.0.0.1:5070;lr;ob>"),
            BindingSet.Policy(), now: now)
    }

    private func contact(_ user: String, instance: String, reg: Int? = nil, q: String? = nil) -> String {
        "<sip:\(user)@h>;+sip.instance=\"<urn:uuid:\(instance)>\"" + (reg.map { ";reg-id=\($0)" } ?? "") + (q.map { ";q=\($0)" } ?? "")
    }

    @Test("RFC 5626 §6: one Contact URI over two flows makes two bindings; each is renewed by its reg-id alone")
    func sameContactOverTwoFlows() throws {
        var set = BindingSet()
        _ = try register(&set, contact("a", instance: "1", reg: 1), at: start)
        _ = try register(&set, contact("a", instance: "1", reg: 2), callID: "b@phone", flow: "two", at: start + 1)
        #expect(set.bindings.map(\.regID) == [1, 2] && set.contacts == ["sip:a@h", "sip:a@h"])
        let renewed = try register(&set, contact("a", instance: "1", reg: 1), cseq: 2, flow: "three", at: start + 2)
        #expect(renewed.refreshed.count == 1 && renewed.created.isEmpty)
        #expect(set.bindings.map(\.path) == [["sip:three@127.0.0.1:5070;lr;ob"], ["sip:two@127.0.0.1:5070;lr;ob"]])
    }

    @Test("RFC 5626 §4.4: the answer carries the edge's Flow-Timer, for a phone that uses outbound and no other", arguments: [true, false])
    func flowTimer(usesOutbound: Bool) throws {
        var set = BindingSet()
        let message = try RegisterFixture.message(
            [contact("a", instance: "1", reg: usesOutbound ? 1 : nil)], path: "<sip:one@127.0.0.1:5070;lr\(usesOutbound ? ";ob" : "")>",
            headers: ["X-Tandem-Flow-Timer: 120"])
        let request = try RegisterRequest(message)
        _ = try set.apply(request, BindingSet.Policy(), now: start)
        let answer = try Message.parse(RegisterAnswer.success(message, request, set, now: start) { _ in nil }.serialised())
        #expect(answer.value(named: "Flow-Timer") == (usesOutbound ? "120" : nil))
        #expect(answer.required == (usesOutbound ? ["outbound"] : []))
    }

    @Test("RFC 5626 §7: a phone with several flows is one target, the newest flow in front")
    func oneTargetPerInstance() throws {
        var set = BindingSet()
        _ = try register(&set, contact("a1", instance: "1", reg: 1), at: start)
        _ = try register(&set, contact("a2", instance: "1", reg: 2), callID: "b@phone", at: start + 1)
        _ = try register(&set, contact("b", instance: "2", reg: 1, q: "0.5"), callID: "c@phone", at: start + 2)
        _ = try register(&set, "<sip:plain@h>;q=0.7", callID: "d@phone", at: start + 3)
        let targets = set.targets(now: start + 4).map { $0.flows.map(\.contact) }
        #expect(targets == [["sip:a2@h", "sip:a1@h"], ["sip:plain@h"], ["sip:b@h"]])
    }

    @Test("without reg-id every contact is a target of its own, whatever instance it names")
    func plainContacts() throws {
        var set = BindingSet()
        _ = try register(&set, contact("a", instance: "1"), at: start)
        _ = try register(&set, contact("b", instance: "1"), cseq: 2, at: start + 1)
        #expect(set.targets(now: start + 2).map { $0.flows.map(\.contact) } == [["sip:b@h"], ["sip:a@h"]])
    }

    @Test("a phone that begins to use outbound is not rung twice: its old binding goes")
    func upgrade() throws {
        var set = BindingSet()
        _ = try register(&set, contact("a", instance: "1"), at: start)
        let change = try register(&set, contact("a", instance: "1", reg: 1), cseq: 2, at: start + 1)
        #expect(change.created.count == 1 && change.removed.count == 1)
        #expect(set.bindings.map(\.regID) == [1])
    }

    @Test("RFC 5626 §11.1: a dead flow is forgotten, and only as long as the binding still uses it")
    func deadFlow() throws {
        var set = BindingSet()
        _ = try register(&set, contact("a", instance: "1", reg: 1), at: start)
        let old = set.bindings[0].path
        _ = try register(&set, contact("a", instance: "1", reg: 1), cseq: 2, flow: "new", at: start + 1)
        #expect(!set.removeFlow(contact: "sip:a@h", path: old).isNews)
        #expect(set.removeFlow(contact: "sip:a@h", path: set.bindings[0].path).removed.map(\.contact) == ["sip:a@h"])
        #expect(set.bindings.isEmpty)
    }

    @Test("what does not answer OPTIONS is tried last, until it answers or registers over another flow")
    func unreachable() throws {
        var set = BindingSet()
        _ = try register(&set, "<sip:a@h>", at: start)
        _ = try register(&set, "<sip:b@h>;q=0.2", callID: "b@phone", at: start)
        let path = set.bindings[0].path
        #expect(set.mark("sip:a@h", path: path, isUnreachable: true)?.becameUnreachable.count == 1)
        #expect(set.mark("sip:a@h", path: path, isUnreachable: true) == nil, "told once")
        #expect(set.targets(now: start).map { $0.flows[0].contact } == ["sip:b@h", "sip:a@h"])
        let renewed = try register(&set, "<sip:a@h>", cseq: 2, at: start + 1)
        #expect(set.bindings[0].isUnreachable && renewed.becameReachable.isEmpty, "the same flow says nothing new")
        let moved = try register(&set, "<sip:a@h>", cseq: 3, flow: "new", at: start + 2)
        #expect(!set.bindings[0].isUnreachable && moved.becameReachable.map(\.contact) == ["sip:a@h"])
        #expect(set.mark("sip:a@h", path: path, isUnreachable: true) == nil, "an answer of the old flow is too late")
    }
}
