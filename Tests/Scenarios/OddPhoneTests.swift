import Flow
import Phone
import SIP
import Suite
import Testing

@Suite("Phones that do less than they should, or it in another way: no call hangs, and nobody talks to nobody", .timeLimit(.minutes(2)))
struct OddPhoneTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let sound = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

    /// A number that answers and says nothing.
    private func waiting() async throws -> String {
        try await suite.makeNumber(running: [["type": "answer"], ["type": "sleep", "option": ["duration": 60_000]]]).number
    }

    private func phone() async throws -> OddPhone { try OddPhone(suite, try await suite.makeAccount()) }

    @Test("RFC 3261 §13.2.1: an ACK without the answer that it owes ends a call of which nothing was agreed, and the record says why")
    func owesAnswer() async throws {
        let phone = try await phone()
        let answer = try await phone.call(try await waiting(), [], body: "")
        #expect(answer.status == 200 && answer.contentType == "application/sdp")
        try phone.acknowledge(answer, in: answer)
        #expect(try await phone.isHungUpOn())
        try await suite.eventually("the record says why") {
            let calls = try await suite.request("GET", "/v1/calls?from=\(phone.number)").body["data"]?.array ?? []
            return calls.contains { $0["hangup_reason"]?.string == "offer_unanswered" && $0["hangup_cause"]?.integer == 88 }
        }
    }

    @Test("RFC 3261 §14.1: a re-INVITE without an offer whose ACK has no answer changes nothing, and the next offer is answered")
    func owesAnswerAgain() async throws {
        let phone = try await phone()
        let answer = try await phone.call(try await waiting(), OddPhone.describes, body: Self.sound)
        #expect(answer.status == 200)
        try phone.acknowledge(answer, in: answer)
        let offered = try await phone.request("INVITE", in: answer, [], body: "")
        #expect(offered.status == 200 && offered.contentType == "application/sdp")
        try phone.acknowledge(offered, in: answer)
        let again = try await phone.request("INVITE", in: answer, OddPhone.describes, body: Self.sound)
        #expect(again.status == 200)
        try phone.acknowledge(again, in: answer)
        #expect(try await phone.request("BYE", in: answer, [], body: "").status == 200)
    }

    @Test("RFC 3311 §5.2, RFC 4028 §7.4: an UPDATE without an offer refreshes the session, each time anew")
    func refreshes() async throws {
        let phone = try await phone()
        let answer = try await phone.call(try await waiting(), OddPhone.describes, body: Self.sound)
        #expect(answer.status == 200)
        try phone.acknowledge(answer, in: answer)
        for seconds in [600, 700] {
            let refreshed = try await phone.request("UPDATE", in: answer, ["Supported: timer", "Session-Expires: \(seconds);refresher=uac"], body: "")
            #expect(refreshed.status == 200 && refreshed.sessionExpires == SessionExpires(seconds: seconds, refresher: .uac))
        }
        #expect(try await phone.request("BYE", in: answer, [], body: "").status == 200)
    }

    @Test("RFC 5621 §3.1, RFC 3261 §8.2.3: a description among other parts is read; what has to be understood and is not is 415, and says what is")
    func bodies() async throws {
        let (phone, number) = (try await phone(), try await waiting())
        let parts = "--b\r\nContent-Type: application/pidf+xml\r\nContent-Disposition: render;handling=optional\r\n\r\n<presence/>\r\n"
            + "--b\r\nContent-Type: application/sdp\r\n\r\n\(Self.sound)\r\n--b--\r\n"
        let answer = try await phone.call(number, ["Content-Type: multipart/mixed;boundary=b"], body: parts)
        #expect(answer.status == 200 && String(decoding: answer.body, as: UTF8.self).contains("m=audio "))
        try phone.acknowledge(answer, in: answer)
        let update = try await phone.request("UPDATE", in: answer, ["Content-Type: text/plain"], body: "hold")
        #expect(update.status == 415 && update.value(.accept)?.contains("application/sdp") == true)
        #expect(try await phone.request("BYE", in: answer, [], body: "").status == 200)
        let refused = try await phone.call(number, ["Content-Type: text/plain"], body: "hello")
        #expect(refused.status == 415 && refused.value(.accept)?.contains("application/sdp") == true)
        #expect(try await phone.call(number, ["Content-Type: multipart/mixed"], body: parts).status == 400)
    }

    @Test("RFC 3261 §19.1.4: a number that is spelled with escapes is that number")
    func escaped() async throws {
        let phone = try await phone()
        let number = try await waiting().utf8.map { "%" + String($0, radix: 16) }.joined()
        let answer = try await phone.call(number, OddPhone.describes, body: Self.sound)
        #expect(answer.status == 200)
        try phone.acknowledge(answer, in: answer)
        #expect(try await phone.request("BYE", in: answer, [], body: "").status == 200)
    }

    @Test("RFC 7332: what a call leads to has one hop fewer than the call; without any it leads nowhere, and hears its flow")
    func hops() async throws {
        let callee = try await phone()
        try await callee.register()
        try await withPhones(1, in: suite) { phones in
            let outgoing = try await phones[0].call(callee.number)
            let invite = try await callee.agent.receive("the INVITE") { $0.method == .invite }
            // An edge before and behind.
            #expect(invite.maxForwards == 67)
            try callee.agent.answer(invite, 486)
            guard case .refused(486, _) = try await outgoing.ended() else {
                Issue.record("not refused")
                return
            }
        }
        let caller = try await phone()
        caller.maxForwards = 1
        #expect(try await caller.call(callee.number, OddPhone.describes, body: Self.sound).status == 483)
        let answer = try await caller.call(try await waiting(), OddPhone.describes, body: Self.sound)
        #expect(answer.status == 200)
        try caller.acknowledge(answer, in: answer)
        #expect(try await caller.request("BYE", in: answer, [], body: "").status == 200)
    }

    @Test("RFC 3261 §12.1.2: who answers without a Contact is acknowledged and hung up on; nobody has answered")
    func withoutContact() async throws {
        let callee = try await phone()
        try await callee.register()
        try await withPhones(1, in: suite) { phones in
            let outgoing = try await phones[0].call(callee.number)
            let invite = try await callee.agent.receive("the INVITE") { $0.method == .invite }
            var builder = ResponseBuilder(invite, 200, toTag: "odd")
            builder.copiesRecordRoute = true
            (builder.contentType, builder.body) = ("application/sdp", Array(Self.sound.utf8))
            try callee.agent.send(builder.serialised(), to: callee.edge)
            let acknowledgement = try await callee.agent.receive("the ACK") { $0.method == .ack }
            #expect(acknowledgement.to?.tag == "odd" && acknowledgement.cseq?.number == invite.cseq?.number)
            #expect(try await callee.isHungUpOn())
            guard case .refused(502, _) = try await outgoing.ended() else {
                Issue.record("not refused")
                return
            }
        }
    }

    @Test("RFC 3261 §13.2.2.4: a second 200, of another fork, is acknowledged and hung up; who answered first talks on")
    func secondAnswer() async throws {
        let callee = try await phone()
        try await callee.register()
        try await withPhones(1, in: suite) { phones in
            let outgoing = try await phones[0].call(callee.number)
            let invite = try await callee.agent.receive("the INVITE") { $0.isRequest && $0.method == .invite }
            try await callee.answer(invite, "first", Self.sound)
            try await outgoing.answered()
            try await callee.answer(invite, "fork", Self.sound)
            let bye = try await callee.agent.receive("the BYE of the fork") { $0.isRequest && $0.method == .bye }
            try callee.agent.answer(bye, 200)
            #expect(bye.to?.tag == "fork")
            try await outgoing.hangup()
            let last = try await callee.agent.receive("the BYE of the call") { $0.isRequest && $0.method == .bye && $0.to?.tag == "first" }
            try callee.agent.answer(last, 200)
        }
    }

    @Test("RFC 3428: a text goes to the other phone within its dialog, and is an event; no text is 415, too long a one 413, one outside calls 405")
    func texts() async throws {
        let (first, second) = (try await phone(), try await phone())
        try await first.register()
        try await second.register()
        let created = try await suite.create("calls", [
            "from": "1001", "to": [.string(first.number)],
            "actions": [["id": "c", "type": "connect", "option": ["destinations": [["type": "extension", "target": .string(second.number)]]]]],
        ])
        let id = try #require(created["id"]?.string)
        var dialog = try await first.answers(Self.sound)
        _ = try await second.answers(Self.sound)
        var arrived: Message?
        // Until the two talk with each other it goes nowhere.
        for _ in 0..<10 where arrived == nil {
            let taken = try await first.request("MESSAGE", in: &dialog, "text/plain; charset=UTF-8", "Grüße")
            #expect(taken.status == 200)
            arrived = try? await second.agent.receive("the MESSAGE", within: .seconds(1)) { $0.isRequest && $0.method == .message }
        }
        let text = try #require(arrived)
        try second.agent.answer(text, 200)
        #expect(String(decoding: text.body, as: UTF8.self) == "Grüße" && text.contentType == "text/plain" && text.contact == nil)
        try await suite.eventually("it is an event") {
            let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
            return events.contains {
                $0["type"]?.string == "call.message" && $0["data"]?["message"] == ["from": .string(first.number), "text": "Grüße"]
            }
        }
        let refused = try await first.request("MESSAGE", in: &dialog, "text/html", "<b>Hello</b>")
        #expect(refused.status == 415 && refused.value(.accept) == "text/plain")
        let long = try await first.request("MESSAGE", in: &dialog, "text/plain", String(repeating: "a", count: 9_000))
        #expect(long.status == 413)
        let bye = try await first.request("BYE", in: &dialog, nil, "")
        #expect(bye.status == 200)
        #expect(try await second.isHungUpOn())
        let outside = try await first.ask("MESSAGE", second.number, ["Content-Type: text/plain"], body: "Hello")
        #expect(outside.status == 405 && !outside.allowed.contains(.message) && outside.allowed.contains(.invite))
    }
}

/// A phone that says what a test has it say, in calls that it makes.
private final class OddPhone {
    static let describes = ["Content-Type: application/sdp"]

    private let phone: OutsideAgent
    let number: String
    private let domain: String
    private var calls = 0
    private var sequence = 100

    init(_ suite: RunningSuite, _ account: RunningSuite.Account) throws {
        phone = try OutsideAgent(suite, account)
        (number, domain) = (account.number, suite.domain)
    }

    var agent: InsideAgent { phone.agent }
    var edge: UInt16 { phone.edge }

    var maxForwards: Int {
        get { phone.maxForwards }
        set { phone.maxForwards = newValue }
    }

    func register() async throws {
        #expect(try await phone.request("REGISTER", "sip:\(domain)", to: phone.address, callID: "odd", ["Expires: 120"]).status == 200)
    }

    /// What its INVITE is answered with in the end.
    func call(_ user: String, _ headers: [String], body: String) async throws -> Message {
        calls += 1
        return try await phone.request("INVITE", "sip:\(user)@\(domain)", callID: "odd\(calls)", headers, body: body)
    }

    /// The final response to a request outside calls.
    func ask(_ method: String, _ user: String, _ headers: [String], body: String) async throws -> Message {
        calls += 1
        return try await phone.request(method, "sip:\(user)@\(domain)", callID: "odd\(calls)", headers, body: body)
    }

    /// Takes the next call; the dialog that this makes.
    func answers(_ description: String) async throws -> Dialog {
        let invite = try await agent.receive("the INVITE", within: .seconds(15)) { $0.isRequest && $0.method == .invite }
        guard let dialog = Dialog(calleeOf: invite, localTag: "odd", state: .confirmed) else { throw InsideAgent.Trouble.silence("an INVITE for a dialog") }
        try await answer(invite, "odd", description)
        return dialog
    }

    /// Answers as the fork with that tag, until it is acknowledged.
    func answer(_ invite: Message, _ tag: String, _ description: String) async throws {
        var builder = ResponseBuilder(invite, 200, toTag: tag)
        builder.copiesRecordRoute = true
        builder.contact = NameAddress(phone.contact)
        (builder.contentType, builder.body) = ("application/sdp", Array(description.utf8))
        for _ in 0..<10 {
            try agent.send(builder.serialised(), to: edge)
            let acknowledgement = try? await agent.receive("the ACK", within: .milliseconds(700)) {
                $0.isRequest && $0.method == .ack && $0.to?.tag == tag
            }
            if acknowledgement != nil { return }
        }
        throw InsideAgent.Trouble.silence("the ACK of \(tag)")
    }

    /// The final response to a request within that dialog.
    func request(_ method: String, in dialog: inout Dialog, _ type: String?, _ body: String) async throws -> Message {
        var request = dialog.request(Method(method))
        (request.contentType, request.body) = (type, Array(body.utf8))
        let cseq = "\(request.cseq) \(method)"
        guard let via = Via("SIP/2.0/UDP 127.0.0.1:\(agent.port);rport;branch=z9hG4bKcallee\(request.cseq)x\(agent.port)") else {
            throw InsideAgent.Trouble.silence("a Via")
        }
        for _ in 0..<10 {
            try agent.send(request.serialised(via: via), to: edge)
            let response = try? await agent.receive("the answer to \(cseq)", within: .milliseconds(700)) {
                ($0.status ?? 0) >= 200 && $0.value(.cseq) == cseq
            }
            if let response { return response }
        }
        throw InsideAgent.Trouble.silence("the answer to \(cseq)")
    }

    func acknowledge(_ response: Message, in answer: Message) throws {
        try send("ACK", Int(response.cseq?.number ?? 0), in: answer, [], body: "")
    }

    /// The final response to a request within the dialog that the 200 of the INVITE has made.
    func request(_ method: String, in answer: Message, _ headers: [String], body: String) async throws -> Message {
        sequence += 1
        let cseq = "\(sequence) \(method)"
        for _ in 0..<10 {
            try send(method, sequence, in: answer, headers, body: body)
            let response = try? await agent.receive("the answer to \(cseq)", within: .milliseconds(700)) {
                ($0.status ?? 0) >= 200 && $0.value(.cseq) == cseq
            }
            if let response { return response }
        }
        throw InsideAgent.Trouble.silence("the answer to \(cseq)")
    }

    func isHungUpOn() async throws -> Bool {
        let bye = try? await agent.receive("a BYE", within: .seconds(10)) { $0.isRequest && $0.method == .bye }
        guard let bye else { return false }
        try agent.answer(bye, 200)
        return true
    }

    private func send(_ method: String, _ sequence: Int, in answer: Message, _ headers: [String], body: String) throws {
        let routes = (answer.recordRoutes ?? []).reversed().map { "Route: \($0.description)" }
        let lines =
            [
                "\(method) \(answer.contact?.uri.description ?? "") SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1:\(agent.port);rport;branch=z9hG4bK\(answer.callID ?? "")\(method)\(sequence)",
                "From: \(answer.value(.from) ?? "")", "To: \(answer.value(.to) ?? "")", "Call-ID: \(answer.callID ?? "")",
                "CSeq: \(sequence) \(method)", "Max-Forwards: 70", "Contact: \(phone.contact)", "User-Agent: a modern phone",
            ] + routes + headers + ["Content-Length: \(body.utf8.count)", "", body]
        try agent.send(Array(lines.joined(separator: "\r\n").utf8), to: edge)
    }
}
