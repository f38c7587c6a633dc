import SIP
import Testing

@testable import Registrar

@Suite("Bindings (RFC 3261 §10.3)")
struct BindingSetTests {
    private let policy = BindingSet.Policy(minimum: 60, maximum: 3_600, fallback: 600, limit: 3)
    private let start: Int64 = 1_000_000

    private func apply(
        _ set: inout BindingSet, _ contacts: [String], cseq: UInt32 = 1, callID: String = "a@phone", headers: [String] = [],
        path: String? = "<sip:token@127.0.0.1:5070;lr>", now: Int64? = nil
    ) throws -> BindingSet.Change {
        try set.apply(
            RegisterFixture.request(contacts, cseq: cseq, callID: callID, path: path, headers: headers), policy, now: now ?? start)
    }

    @Test(
        "§10.2.1.1: seconds come from the contact, then from Expires, then from the registrar; at most its maximum",
        arguments: [
            ("<sip:a@h>;expires=120", nil, 120), ("<sip:a@h>;expires=120", "Expires: 200", 120), ("<sip:a@h>", "Expires: 200", 200),
            ("<sip:a@h>", nil, 600), ("<sip:a@h>;expires=99999999999", nil, 3_600), ("<sip:a@h>;expires=60", nil, 60),
            ("<sip:a@h>;expires=soon", nil, 3_600),
        ] as [(String, String?, Int)])
    func intervals(_ contact: String, _ header: String?, _ seconds: Int) throws {
        var set = BindingSet()
        _ = try apply(&set, [contact], headers: header.map { [$0] } ?? [])
        #expect(set.bindings.map { $0.remaining(now: start) } == [seconds])
    }

    @Test("§10.3 step 7: an interval below the minimum is refused with the minimum, and nothing changes")
    func briefInterval() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>"])
        let before = set
        #expect(throws: BindingSet.Defect.intervalTooBrief(minimum: 60)) {
            try apply(&set, ["<sip:b@h>", "<sip:a@h>;expires=59"], cseq: 2)
        }
        #expect(set == before)
    }

    @Test("several contacts are bound, refreshed and removed one by one")
    func severalContacts() throws {
        var set = BindingSet()
        let made = try apply(&set, ["<sip:a@h>;q=0.5", "<sip:b@h>"])
        #expect(made.created.map(\.contact) == ["sip:a@h", "sip:b@h"])
        let refreshed = try apply(&set, ["<sip:a@h>;expires=300"], cseq: 2, now: start + 1_000)
        #expect(refreshed.created.isEmpty && refreshed.refreshed.map(\.contact) == ["sip:a@h"])
        #expect(set.bindings[0].expiresAt == start + 301_000)
        let removed = try apply(&set, ["<sip:b@h>;expires=0"], cseq: 3)
        #expect(removed.removed.map(\.contact) == ["sip:b@h"])
        #expect(set.contacts == ["sip:a@h"])
    }

    @Test("§10.2.1, RFC 3665 §2.2: an e-mail address and a telephone number are bound and told, and nobody is called or asked there")
    func otherSchemes() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>", "<mailto:a@h.example>"])
        _ = try apply(&set, ["<tel:+15551234>"], cseq: 2)
        #expect(set.contacts == ["sip:a@h", "mailto:a@h.example", "tel:+15551234"])
        #expect(set.targets(now: start).map { $0.flows.map(\.contact) } == [["sip:a@h"]])
        #expect(set.instance(now: start) { _ in true }.flatMap(\.flows).map(\.contact) == ["sip:a@h"])
        #expect(set.bindings.map { Qualify.request(to: $0, domain: "h", tag: "t") != nil } == [true, false, false])
        let removed = try apply(&set, ["<mailto:a@h.example>;expires=0"], cseq: 3)
        #expect(removed.removed.map(\.contact) == ["mailto:a@h.example"])
    }

    @Test("§19.1.4: the same URI written differently is the same binding")
    func equivalentURIs() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a%31@HOST.example>"])
        let change = try apply(&set, ["<sip:a1@host.example>"], cseq: 2)
        #expect(change.created.isEmpty && change.refreshed.count == 1)
        #expect(set.contacts == ["sip:a1@host.example"])
        _ = try apply(&set, ["<sip:a1@host.example;transport=tcp>"], cseq: 3)
        #expect(set.bindings.count == 2)
    }

    @Test("the same request again changes nothing, so its answer is the same")
    func repetition() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>;expires=120", "<sip:b@h>"], cseq: 7)
        let before = set
        let change = try apply(&set, ["<sip:a@h>;expires=120", "<sip:b@h>"], cseq: 7, now: start + 5_000)
        #expect(!change.isNews && change.refreshed.isEmpty)
        #expect(set == before)
    }

    @Test(
        "§10.3 steps 6 and 7: an older request of the same Call-ID is refused as a whole",
        arguments: [["<sip:new@h>", "<sip:a@h>"], ["<sip:a@h>;expires=0"]])
    func outOfOrder(_ contacts: [String]) throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>"], cseq: 7)
        let before = set
        #expect(throws: BindingSet.Defect.outOfOrder) { try apply(&set, contacts, cseq: 6) }
        #expect(set == before)
    }

    @Test("a phone that restarts comes with another Call-ID: its CSeq may be lower")
    func otherCallID() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>"], cseq: 70)
        let change = try apply(&set, ["<sip:a@h>;expires=100"], cseq: 1, callID: "b@phone")
        #expect(change.refreshed.map(\.callID) == ["b@phone"])
    }

    @Test("§10.3 step 6: * removes everything, unless a binding is newer than the request")
    func star() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>"], cseq: 7)
        _ = try apply(&set, ["<sip:b@h>"], cseq: 1, callID: "b@phone")
        for cseq in [UInt32(6), 7] {
            #expect(throws: BindingSet.Defect.outOfOrder) { try apply(&set, ["*"], cseq: cseq, headers: ["Expires: 0"]) }
        }
        let change = try apply(&set, ["*"], cseq: 8, headers: ["Expires: 0"])
        #expect(change.removed.map(\.contact) == ["sip:a@h", "sip:b@h"])
        #expect(set.bindings.isEmpty)
        _ = try apply(&set, ["*"], cseq: 8, headers: ["Expires: 0"])
    }

    @Test("bindings that have ended are cleared away by the next change and never shown")
    func expiry() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>;expires=60", "<sip:b@h>;expires=120"])
        #expect(set.reachable(now: start + 60_000).map(\.contact) == ["sip:b@h"])
        let change = try apply(&set, [], cseq: 2, now: start + 60_000)
        #expect(change.expired.map(\.contact) == ["sip:a@h"] && change.removed.isEmpty)
        #expect(set.contacts == ["sip:b@h"])
    }

    @Test("one contact more than the limit is refused, and refreshing at the limit is not")
    func limit() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:a@h>", "<sip:b@h>", "<sip:c@h>"])
        #expect(throws: BindingSet.Defect.tooManyContacts) { try apply(&set, ["<sip:d@h>"], cseq: 2) }
        #expect(throws: BindingSet.Defect.tooManyContacts) { try apply(&set, ["<sip:d@h>"], cseq: 1, callID: "b@phone") }
        _ = try apply(&set, ["<sip:a@h>", "<sip:b@h>", "<sip:c@h>"], cseq: 3)
        _ = try apply(&set, ["<sip:a@h>;expires=0", "<sip:d@h>"], cseq: 4)
        #expect(set.contacts == ["sip:b@h", "sip:c@h", "sip:d@h"])
    }

    @Test("what is reachable is ordered by q, then by the later end")
    func order() throws {
        var set = BindingSet()
        _ = try apply(&set, ["<sip:low@h>;q=0.1", "<sip:old@h>;expires=60;q=0.7", "<sip:new@h>;expires=90;q=0.7"])
        #expect(set.reachable(now: start).map(\.contact) == ["sip:new@h", "sip:old@h", "sip:low@h"])
    }

    @Test("RFC 5626 §6: with outbound, instance and reg-id name the binding, whatever its address")
    func outbound() throws {
        var set = BindingSet()
        let path = "<sip:token@127.0.0.1:5070;lr;ob>"
        let contact = { (host: String, reg: Int) in "<sip:a@\(host)>;+sip.instance=\"<urn:uuid:1>\";reg-id=\(reg)" }
        _ = try apply(&set, [contact("10.0.0.1", 1)], path: path)
        let moved = try apply(&set, [contact("10.0.0.2", 1)], callID: "b@phone", path: path)
        #expect(moved.refreshed.count == 1)
        _ = try apply(&set, [contact("10.0.0.3", 2)], callID: "c@phone", path: path)
        #expect(set.contacts == ["sip:a@10.0.0.2", "sip:a@10.0.0.3"])
        // Without outbound at the first hop the reg-id means nothing.
        var plain = BindingSet()
        _ = try apply(&plain, [contact("10.0.0.1", 1)])
        _ = try apply(&plain, [contact("10.0.0.2", 1)], cseq: 2)
        #expect(plain.bindings.count == 2)
        #expect(plain.bindings[0].instanceID == "<urn:uuid:1>" && plain.bindings[0].regID == nil)
    }
}
