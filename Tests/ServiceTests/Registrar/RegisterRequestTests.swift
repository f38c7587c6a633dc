import SIP
import Testing

@testable import Registrar

@Suite("Reading and answering REGISTER")
struct RegisterRequestTests {
    @Test("RFC 3327 §5.3: the path is kept in order, as URIs")
    func path() throws {
        let request = try RegisterFixture.request(
            ["<sip:a@h>"], path: "<sip:edge@10.0.0.1;lr>, <sip:inner@10.0.0.2:5070;lr>", headers: ["Supported: path"])
        #expect(request.path == ["sip:edge@10.0.0.1;lr", "sip:inner@10.0.0.2:5070;lr"])
        #expect(request.supportsPath && !request.usesOutbound)
    }

    @Test(
        "what is refused before anything is looked up",
        arguments: [
            ("not authenticated", "1001", nil, "cust_1", [], [], 403), ("no customer", "1001", "1001", nil, [], [], 403),
            ("another's address", "1002", "1001", "cust_1", [], [], 403),
            ("* without Expires", "1001", "1001", "cust_1", ["*"], [], 400),
            ("* that binds", "1001", "1001", "cust_1", ["*"], ["Expires: 60"], 400),
            ("* beside another", "1001", "1001", "cust_1", ["*", "<sip:a@h>"], ["Expires: 0"], 400),
            ("unknown extension", "1001", "1001", "cust_1", ["<sip:a@h>"], ["Require: path, magic"], 420),
            ("an endless e-mail address", "1001", "1001", "cust_1", ["<mailto:\(String(repeating: "x", count: 2_048))@h>"], [], 400),
            ("q above 1", "1001", "1001", "cust_1", ["<sip:a@h>;q=2"], [], 400),
            ("q with an exponent", "1001", "1001", "cust_1", ["<sip:a@h>;q=1e-05"], [], 400),
            ("its own GRUU as contact", "1001", "1001", "cust_1", ["<sip:1001@demo.localhost;gr=urn:uuid:1>"], [], 403),
            ("an endless push identifier", "1001", "1001", "cust_1",
                ["<sip:a@h;pn-provider=fcm;pn-prid=\(String(repeating: "x", count: 1_025))>"], [], 400),
        ] as [(String, String, String?, String?, [String], [String], Int)])
    func refusals(
        _ what: String, _ number: String, _ asserted: String?, _ customer: String?, _ contacts: [String], _ headers: [String],
        _ status: Int
    ) throws {
        let message = try RegisterFixture.message(
            contacts, number: number, asserted: asserted, customer: customer, headers: headers)
        let refusal = #expect(throws: Refusal.self) { try RegisterRequest(message) }
        #expect(refusal?.status == status, "\(what)")
    }

    @Test("§10.3 step 8: the answer lists every binding with what is left of it")
    func success() throws {
        var set = BindingSet()
        let request = try RegisterFixture.request(
            ["<sip:a@h>;expires=100;q=0.5;+sip.instance=\"<urn:uuid:1>\"", "<sip:b@h>;expires=200"], headers: ["Supported: path"])
        _ = try set.apply(request, .init(), now: 0)
        let message = try RegisterFixture.message([])
        let answer = try Message.parse(RegisterAnswer.success(message, request, set, now: 30_500) { _ in nil }.serialised())
        #expect(answer.status == 200)
        #expect(answer.values(.contact) == ["<sip:b@h>;expires=170", "<sip:a@h>;expires=70;q=0.5;+sip.instance=\"<urn:uuid:1>\""])
        #expect(answer.values(.path) == ["<sip:token@127.0.0.1:5070;lr>"])
    }

    @Test("RFC 3608 §6.3: every 200 names the service route that the edge gave; RFC 8599: push parameters stay in the contact")
    func serviceRoute() throws {
        let contact = "<sip:a@h;pn-provider=fcm;pn-param=app;pn-prid=token>"
        for contacts in [[contact], []] {
            let request = try RegisterFixture.request(
                contacts, headers: ["X-Tandem-Service-Route: <sip:token@192.0.2.1:5061;lr;transport=tls>"])
            var set = BindingSet()
            _ = try set.apply(request, .init(), now: 0)
            let message = try RegisterFixture.message(contacts)
            let answer = try Message.parse(RegisterAnswer.success(message, request, set, now: 0) { _ in nil }.serialised())
            #expect(answer.values(.serviceRoute) == ["<sip:token@192.0.2.1:5061;lr;transport=tls>"])
            #expect(answer.values(.contact) == contacts.map { "\($0);expires=600" })
        }
    }

    @Test("§21.4.17: 423 tells the shortest interval")
    func tooBrief() throws {
        let answer = try Message.parse(
            RegisterAnswer.refusal(RegisterFixture.message([]), BindingSet.Defect.intervalTooBrief(minimum: 60)).serialised())
        #expect(answer.status == 423)
        #expect(answer.value(.minExpires) == "60")
    }

    @Test("§21.4.15: 420 names what is not understood")
    func badExtension() throws {
        let message = try RegisterFixture.message([], headers: ["Require: path, magic"])
        let answer = try Message.parse(RegisterAnswer.refusal(message, Refusal(420)).serialised())
        #expect(answer.value(.unsupported) == "magic")
    }
}
