import Contracts
import Flow
import Testing

@testable import CallServer

@Suite("What a call to an extension does that its phones do not take") struct DialPlanTests {
    private func forwarding(_ change: (inout CallForwarding) -> Void) -> CallForwarding {
        var forwarding = CallForwarding()
        change(&forwarding)
        return forwarding
    }

    private func plan(_ forwarding: CallForwarding, _ others: [String: DialPlan.Found] = [:]) -> [String: Action.Kind] {
        var plan = DialPlan("1", forwarding, domain: "demo.localhost", longestRing: 60_000)
        while let number = plan.unknown.first { plan.note(number, is: others[number] ?? .nobody) }
        let ids = plan.actions.map(\.id)
        #expect(Set(ids).count == ids.count, "every jump leads to one action")
        return Dictionary(uniqueKeysWithValues: plan.actions.map { ($0.id, $0.kind) })
    }

    private func dial(_ kind: Action.Kind?) throws -> Flow.Dial {
        guard case .dial(let dial)? = kind else { throw Missing() }
        return dial
    }

    private struct Missing: Error {}

    @Test("each reason leads to its own destination, and to the end where there is none")
    func reasons() throws {
        let actions = plan(forwarding { ($0.busy, $0.noAnswer, $0.ringSeconds) = ("2", "voicemail", 7) }, ["2": .extension(nil)])
        let first = try dial(actions["ring"])
        #expect(first.targets.map(\.target) == ["1"] && first.timeout == 7_000 && first.ringback == .earlyMedia)
        #expect(first.busyTargetID == "ring-busy" && first.noAnswerTargetID == "ring-no-answer")
        #expect(first.unreachableTargetID == nil, "as if nobody answered")
        #expect(first.failedTargetID == "ring-no-answer" && first.answeredTargetID == "ring-end")
        guard case .voicemail(let voicemail)? = actions["ring-no-answer"] else { return #expect(Bool(false)) }
        #expect(voicemail.mailbox == "1")
        let second = try dial(actions["ring-busy-ring"])
        #expect(second.targets.map(\.target) == ["2"] && second.timeout == 60_000)
        #expect(second.busyTargetID == "ring-busy-end", "whoever is busy there is the last word")
    }

    @Test("RFC 5806 §4.1: the phones that ring next are told who has sent the call on, and why")
    func diversion() {
        let actions = plan(forwarding { $0.busy = "2" }, ["2": .extension(forwarding { $0.noAnswer = "3" }), "3": .extension(nil)])
        func header(_ id: String) -> String? { if case .setHeader(let header)? = actions[id] { header.value } else { nil } }
        #expect(header("ring-busy") == "<sip:1@demo.localhost>;reason=user-busy;counter=1")
        #expect(header("ring-busy-ring-no-answer") == nil)
        #expect(header("ring-busy-no-answer") == "<sip:2@demo.localhost>;reason=no-answer;counter=2")
    }

    @Test("a number with a flow and a conference are gone on to as what they are; one of nobody is the end")
    func kinds() throws {
        let actions = plan(
            forwarding { ($0.busy, $0.noAnswer, $0.unreachable) = ("700", "800", "999") }, ["700": .flow("flow_1"), "800": .conference("conf_1")])
        guard case .fetchFlow(let fetch)? = actions["ring-busy"], case .conferenceJoin(let join)? = actions["ring-no-answer"] else {
            return #expect(Bool(false))
        }
        #expect(fetch.flowID == "flow_1" && join.conferenceID == "conf_1")
        #expect(try dial(actions["ring"]).unreachableTargetID == "ring-end")
    }

    @Test("always: no phone of its own rings; a circle of extensions ends with the last that is new")
    func always() throws {
        let circle: [String: DialPlan.Found] = [
            "2": .extension(forwarding { $0.always = "3" }), "3": .extension(forwarding { ($0.always, $0.busy) = ("1", "2") }),
        ]
        let actions = plan(forwarding { $0.always = "2" }, circle)
        let dials = actions.values.compactMap { if case .dial(let dial) = $0 { dial.targets.map(\.target) } else { nil } }
        #expect(dials == [["3"]], "it would lead back to 1, so 3 rings itself")
    }

    @Test("a call goes no further than six numbers")
    func bounded() {
        var others: [String: DialPlan.Found] = [:]
        for number in 2...40 { others["\(number)"] = .extension(forwarding { $0.busy = "\(number + 1)" }) }
        let actions = plan(forwarding { $0.busy = "2" }, others)
        #expect(actions.values.count { if case .dial = $0 { true } else { false } } == DialPlan.mostNumbers)
    }

    @Test("a change names what it changes; an empty text and zero take away, null all of it")
    func changes() {
        let former = forwarding { ($0.busy, $0.ringSeconds) = ("2", 9) }
        var change = CallForwarding.Change()
        change.noAnswer = "3"
        #expect(change.applied(to: former) == forwarding { ($0.busy, $0.noAnswer, $0.ringSeconds) = ("2", "3", 9) })
        (change.busy, change.ringSeconds) = ("", 0)
        #expect(change.applied(to: former) == forwarding { $0.noAnswer = "3" })
        change.replaces = true
        #expect(change.applied(to: former) == forwarding { $0.noAnswer = "3" })
        change = CallForwarding.Change()
        change.replaces = true
        #expect(change.applied(to: former).isEmpty)
    }
}
