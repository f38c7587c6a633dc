import SIP
import Testing

@testable import Registrar

@Suite("The reg event package (RFC 3680)")
struct WatcherTests {
    /// A SUBSCRIBE as it comes from the edge, but for what a test changes.
    struct Request: Sendable {
        var event: String? = "reg"
        var uri = "sip:1001@demo.localhost"
        var asserted: String? = "sip:1002@demo.localhost"
        var contact: String? = "<sip:1002@127.0.0.1:5090>"
        var headers: [String] = []
    }

    private static func message(_ request: Request = Request(), to tag: String? = nil) throws -> Message {
        var lines = [
            "SUBSCRIBE \(request.uri) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKone",
            "From: <sip:1002@demo.localhost>;tag=watcher",
            "To: <sip:1001@demo.localhost>" + (tag.map { ";tag=\($0)" } ?? ""), "Call-ID: w@phone", "CSeq: 5 SUBSCRIBE", "Max-Forwards: 69",
            "Record-Route: <sip:flow@127.0.0.1:8800;lr>, <sip:server@127.0.0.1:5060;lr>",
        ]
        if let event = request.event { lines.append("Event: \(event)") }
        if let contact = request.contact { lines.append("Contact: \(contact)") }
        if let asserted = request.asserted { lines += ["X-Tandem-Customer: cust_1", "P-Asserted-Identity: <\(asserted)>"] }
        lines += request.headers + ["Content-Length: 0", "", ""]
        return try Message.parse(Array(lines.joined(separator: "\r\n").utf8))
    }

    @Test(
        "RFC 6665 §4.2.1: what is refused, with what the refusal says",
        arguments: [
            ("no Event", Request(event: nil), 489, HeaderName.allowEvents, "reg, dialog"),
            ("another package", Request(event: "presence"), 489, .allowEvents, "reg, dialog"),
            ("a package that only begins alike", Request(event: "reg.winfo"), 489, .allowEvents, "reg, dialog"),
            ("another document", Request(headers: ["Accept: application/pidf+xml"]), 406, .accept, "application/reginfo+xml"),
            ("another document of dialogs", Request(event: "dialog", headers: ["Accept: application/pidf+xml"]), 406, .accept, "application/dialog-info+xml"),
            ("one dialog alone", Request(event: "dialog;call-id=a;to-tag=b;from-tag=c"), 403, nil, nil),
            ("a trunk, for dialogs", Request(event: "dialog", headers: ["X-Tandem-Trunk: west"]), 403, nil, nil),
            ("dialogs of another domain", Request(event: "dialog", uri: "sip:1001@other.example"), 404, nil, nil),
            ("too short", Request(headers: ["Expires: 59"]), 423, .minExpires, "60"),
            ("an extension nobody knows", Request(headers: ["Require: magic"]), 420, .unsupported, "magic"),
            ("no Contact", Request(contact: nil), 400, nil, nil), ("nobody's request", Request(asserted: nil), 403, nil, nil),
            ("a trunk, whatever it asserts", Request(headers: ["X-Tandem-Trunk: west"]), 403, nil, nil),
            ("another domain", Request(uri: "sip:1001@other.example"), 404, nil, nil),
            ("a telephone number", Request(uri: "tel:+1555"), 404, nil, nil),
        ] as [(String, Request, Int, HeaderName?, String?)])
    func refusals(_ what: String, _ request: Request, _ status: Int, _ header: HeaderName?, _ value: String?) throws {
        let message = try Self.message(request)
        let refusal = try #require(throws: Refusal.self) { try SubscribeRequest(message, SubscribeRequest.Policy()) }
        let answer = try Message.parse(SubscribeRequest.refusal(message, refusal, SubscribeRequest.Policy()).serialised())
        #expect(answer.status == status, "\(what)")
        if let header { #expect(answer.value(header) == value, "\(what)") }
    }

    @Test(
        "§4.4, §4.1: how long, which subscription, and whose registration",
        arguments: [
            ([], 3_600, nil), (["Expires: 120"], 120, nil), (["Expires: 0"], 0, nil), (["Expires: 99999"], 3_600, nil),
            (["Accept: text/plain, application/reginfo+xml;q=0.5"], 3_600, nil),
        ] as [([String], Int, String?)])
    func granted(_ headers: [String], _ seconds: Int, _ id: String?) throws {
        let request = try SubscribeRequest(Self.message(Request(headers: headers)), SubscribeRequest.Policy())
        #expect(request.seconds == seconds && request.eventID == id)
        #expect(request.resource == .init(customer: "cust_1", number: "1001", domain: "demo.localhost", watcher: "1002"))
    }

    @Test("RFC 6665 §4.1.2: inside a dialog the dialog says who asks; the id of Event is kept")
    func insideDialog() throws {
        let request = try SubscribeRequest(
            Self.message(Request(event: "reg ; id=7", asserted: nil), to: "ours"), SubscribeRequest.Policy())
        #expect(request.localTag == "ours" && request.resource == nil && request.eventID == "7" && request.cseq == 5)
    }

    private func watcher(expiresAt: Int64 = 100_000, ending: String? = nil, ended: [EndedContact] = []) throws -> Watcher {
        let dialog = try #require(Dialog(calleeOf: Self.message(), localTag: "ours", state: .confirmed))
        return Watcher(
            id: "watch_1", customerID: "cust_1", extensionID: "ext_1", number: "1001", domain: "demo.localhost", dialog: dialog,
            eventID: "7", expiresAt: expiresAt, ending: ending, notified: 3, changes: 3, ended: .contacts(ended))
    }

    @Test(
        "RFC 6665 §4.2.2: a NOTIFY goes back over the edge's route, says the state, and its version counts",
        arguments: [
            (40_500, nil, "active;expires=60"), (100_000, nil, "terminated;reason=timeout"), (40_000, "noresource", "terminated;reason=noresource"),
        ] as [(Int64, String?, String)])
    func notification(_ now: Int64, _ ending: String?, _ state: String) throws {
        let request = try watcher(ending: ending).notification("document", contact: #require(URI("sip:127.0.0.1:7811")), now: now)
        #expect(request.destination?.description == "127.0.0.1:8800" && request.uri.description == "sip:1002@127.0.0.1:5090")
        let via = Via(transport: .udp, sentBy: try #require(request.destination), branch: "z9hG4bKn")
        let notify = try Message.parse(request.serialised(via: via))
        #expect(notify.routes?.map(\.uri.user) == ["flow", "server"])
        #expect(notify.value(.subscriptionState) == state && notify.value(.event) == "reg;id=7")
        #expect(notify.cseq?.number == 3 && notify.from?.tag == "ours" && notify.to?.tag == "watcher")
        #expect(notify.contentType == "application/reginfo+xml")
        let version = try watcher().version
        #expect(String(decoding: notify.body, as: UTF8.self) == "document" && version == 2)
    }

    @Test(
        "RFC 6665 §4.2.2: what the answer to a NOTIFY means",
        arguments: [
            (200, .told), (202, .told), (481, .end), (408, .end), (430, .end), (489, .end), (404, .end), (405, .end), (500, .tryLater), (503, .tryLater),
            (302, .tryLater),
        ] as [(Int, Watcher.Verdict)])
    func verdicts(_ status: Int, _ verdict: Watcher.Verdict) { #expect(Watcher.verdict(status) == verdict) }

    private func binding(_ contact: String, instance: String? = nil, at registeredAt: Int64 = 0, refreshedAt: Int64 = 0) -> Binding {
        Binding(
            contact: contact, path: [], q: QualityValue(0.3), expiresAt: 600_000, callID: "<a>&b@phone", cseq: 7, instanceID: instance,
            regID: nil, userAgent: nil, registeredAt: registeredAt, refreshedAt: refreshedAt)
    }

    private func document(_ bindings: [Binding]?, ended: [EndedContact] = []) -> String {
        RegistrationInformation(
            number: "1001", domain: "demo.localhost", extensionID: "ext_1", version: 0, bindings: bindings, ended: ended
        ).xml(now: 30_000)
    }

    @Test("§5, RFC 5628 §4: every contact with its state, age, rest, q, instance and public GRUU, escaped")
    func contacts() {
        let text = document([binding("sip:a@h;x=1&2", instance: "<urn:uuid:1>"), binding("sip:b@h", refreshedAt: 20_000)])
        for part in [
            "<registration aor=\"sip:1001@demo.localhost\" id=\"ext_1\" state=\"active\">", "<uri>sip:a@h;x=1&amp;2</uri>",
            "state=\"active\" event=\"registered\" duration-registered=\"30\" expires=\"570\" q=\"0.3\" callid=\"&lt;a&gt;&amp;b@phone\" cseq=\"7\"",
            "<unknown-param name=\"+sip.instance\">&quot;&lt;urn:uuid:1&gt;&quot;</unknown-param>",
            "<gr:pub-gruu uri=\"sip:1001@demo.localhost;gr=urn:uuid:1\"/>", "event=\"refreshed\"",
        ] { #expect(text.contains(part), "\(part)") }
    }

    @Test("§5.2: a contact that ended is told once, unless it is there again; a deleted extension is terminated")
    func endedContacts() {
        let gone = EndedContact(binding: binding("sip:a@h"), event: .expired)
        let last = document([], ended: [gone, EndedContact(binding: binding("sip:a@h"), event: .unregistered)])
        #expect(last.contains("state=\"terminated\" event=\"unregistered\""))
        #expect(!last.contains("expired") && last.contains("id=\"ext_1\" state=\"terminated\""))
        let back = document([binding("sip:a@h")], ended: [gone])
        #expect(!back.contains("expired") && back.contains("event=\"registered\""))
        #expect(document([]).contains("id=\"ext_1\" state=\"init\""))
        #expect(document(nil).contains("id=\"ext_1\" state=\"terminated\""))
    }

    @Test("XML 1.0 §2.2: no contact breaks the document")
    func escaping() { #expect(RegistrationInformation.escaped("\u{0}<\u{9}'\"&>é") == "\u{FFFD}&lt;&#9;&apos;&quot;&amp;&gt;é") }
}
