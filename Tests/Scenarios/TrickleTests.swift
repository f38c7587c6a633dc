import Deadlines
import Phone
import SIP
import Suite
import Testing

@Suite("RFC 8840: candidates that a phone finds after its description come in INFO requests", .timeLimit(.minutes(2)))
struct TrickleTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func waiting() async throws -> String {
        try await suite.makeNumber(running: [["type": "answer"], ["type": "sleep", "option": ["duration": 60_000]]]).number
    }

    @Test("§4.4, §10: they are checked; of another package INFO is 469, of other content 415, of none 400; what comes again has the answer it had")
    func inCall() async throws {
        let phone = try TricklingPhone(suite, try await suite.makeAccount())
        try await phone.invite(try await waiting(), TricklingPhone.offer)
        let answer = try await phone.response("1 INVITE", in: 200..<700)
        #expect(answer.status == 200 && answer.supported.contains("trickle-ice") && answer.value(named: "Recv-Info") == "trickle-ice")
        #expect(String(decoding: answer.body, as: UTF8.self).contains("a=ice-options:ice2 trickle\r\n"))
        try phone.acknowledge(answer)
        let other = try await phone.info(2, in: answer, package: "conference", type: "application/xml", body: "<x/>")
        #expect(other.status == 469 && other.value(named: "Recv-Info") == "trickle-ice")
        let content = try await phone.info(3, in: answer, type: "application/sdp", body: phone.fragment)
        #expect(content.status == 415 && content.value(.accept) == "application/trickle-ice-sdpfrag")
        #expect(try await phone.info(4, in: answer, body: "no candidates").status == 400)
        #expect(try await phone.info(5, in: answer, body: "").status == 400)
        #expect(!phone.isChecked(within: 10), "of nothing so far")
        #expect(try await phone.info(6, in: answer, body: phone.fragment).status == 200)
        #expect(phone.isChecked(within: 200))
        #expect(try await phone.info(6, in: answer, body: phone.fragment).status == 200, "RFC 3261 §12.2.2: over another way")
        #expect(try await phone.request("BYE", 7, in: answer, [], "").status == 200)
    }

    @Test("§4.3: they are welcome in the dialog of a 180, before the answer")
    func early() async throws {
        try await withPhones(1, in: suite, options: { $0.incoming = .answer(after: .seconds(4)) }) { phones in
            let phone = try TricklingPhone(suite, try await suite.makeAccount())
            try await phone.invite(phones[0].number, TricklingPhone.offer)
            let ringing = try await phone.response("1 INVITE", in: 180..<200)
            #expect(ringing.value(named: "Recv-Info") == "trickle-ice" && ringing.supported.contains("trickle-ice"))
            #expect(try await phone.info(2, in: ringing, body: phone.fragment).status == 200)
            #expect(phone.isChecked(within: 100))
            let answer = try await phone.response("1 INVITE", in: 200..<700)
            #expect(answer.status == 200)
            try phone.acknowledge(answer)
            #expect(try await phone.request("BYE", 3, in: answer, [], "").status == 200)
        }
    }

    @Test("RFC 6086 §4.2.2: in a call without ICE nobody is told of the package, and it is 469")
    func withoutICE() async throws {
        let phone = try TricklingPhone(suite, try await suite.makeAccount())
        try await phone.invite(try await waiting(), TricklingPhone.plain)
        let answer = try await phone.response("1 INVITE", in: 200..<700)
        #expect(answer.status == 200 && !answer.supported.contains("trickle-ice") && answer.value(named: "Recv-Info") == nil)
        try phone.acknowledge(answer)
        let refused = try await phone.info(2, in: answer, body: phone.fragment)
        #expect(refused.status == 469 && refused.value(named: "Recv-Info") == "")
        #expect(try await phone.request("BYE", 3, in: answer, [], "").status == 200)
    }
}

/// A phone that is a lite agent (RFC 8445 §2.5), so that the relay has to check, and tells its candidate later. One call.
private final class TricklingPhone {
    private static let credentials = ["a=ice-ufrag:EsAw", "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y"]
    private static let head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    static let offer = joined(head + ["a=ice-lite", "a=ice-options:trickle"] + credentials + ["m=audio 9 RTP/AVP 0", "a=rtcp-mux", "a=mid:0"])
    static let plain = joined(head + ["m=audio 40000 RTP/AVP 0"])

    private let suite: RunningSuite
    private let account: RunningSuite.Account
    private let agent: InsideAgent
    private let media: InsideAgent
    private var branch = 0

    init(_ suite: RunningSuite, _ account: RunningSuite.Account) throws {
        (self.suite, self.account) = (suite, account)
        (agent, media) = (try InsideAgent(), try InsideAgent())
    }

    private static func joined(_ lines: [String]) -> String { lines.map { $0 + "\r\n" }.joined() }

    var fragment: String {
        let candidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 \(media.port) typ host"
        return Self.joined(Self.credentials + ["m=audio 9 RTP/AVP 0", "a=mid:0", candidate, "a=end-of-candidates"])
    }

    /// Whether a Binding request has come (RFC 8489 §5), in so many times 20 ms.
    func isChecked(within tries: Int) -> Bool {
        for _ in 0..<tries {
            if let datagram = media.nextDatagram(), datagram.starts(with: [0, 1]) { return true }
        }
        return false
    }

    // MARK: Requests

    func invite(_ number: String, _ body: String) async throws {
        let uri = "sip:\(number)@\(suite.domain)"
        let headers = ["Content-Type: application/sdp", "Supported: trickle-ice", "Recv-Info: trickle-ice"]
        try send("INVITE", uri, to: "<\(uri)>", 1, headers, body)
        let first = try await response("1 INVITE", in: 400..<500)
        guard let challenge = first.challenges.first else { throw InsideAgent.Trouble.silence("a challenge") }
        let credentials = challenge.answer(
            user: account.number, password: account.password, method: .invite, uri: uri, body: Array(body.utf8), clientNonce: "trickle")
        let name = first.status == 401 ? "Authorization" : "Proxy-Authorization"
        try send("INVITE", uri, to: "<\(uri)>", 1, headers + ["\(name): \(credentials.headerValue)"], body)
    }

    func response(_ cseq: String, in statuses: Range<Int>, within limit: Duration = .seconds(8)) async throws -> Message {
        try await agent.receive("a response to \(cseq)", within: limit) { statuses.contains($0.status ?? 0) && $0.value(.cseq) == cseq }
    }

    func acknowledge(_ answer: Message) throws { try send("ACK", in: answer, 1, [], "") }

    func info(
        _ number: Int, in dialog: Message, package: String = "trickle-ice", type: String = "application/trickle-ice-sdpfrag", body: String
    ) async throws -> Message {
        let headers = ["Info-Package: \(package)", "Content-Type: \(type)", "Content-Disposition: Info-Package"]
        return try await request("INFO", number, in: dialog, headers, body)
    }

    /// The final response to a request within the dialog that a response has made.
    func request(_ method: String, _ number: Int, in dialog: Message, _ headers: [String], _ body: String) async throws -> Message {
        for _ in 0..<10 {
            try send(method, in: dialog, number, headers, body)
            if let answer = try? await response("\(number) \(method)", in: 200..<700, within: .milliseconds(700)) { return answer }
        }
        throw InsideAgent.Trouble.silence("the answer to \(method)")
    }

    private func send(_ method: String, in dialog: Message, _ number: Int, _ headers: [String], _ body: String) throws {
        let routes = (dialog.recordRoutes ?? []).reversed().map { "Route: \($0.description)" }
        try send(method, dialog.contact?.uri.description ?? "", to: dialog.value(.to) ?? "", number, routes + headers, body)
    }

    private func send(_ method: String, _ uri: String, to: String, _ number: Int, _ headers: [String], _ body: String) throws {
        branch += 1
        let lines: [String] = [
            "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(agent.port);rport;branch=z9hG4bKt\(agent.port)x\(branch)",
            "From: <sip:\(account.number)@\(suite.domain)>;tag=t\(agent.port)", "To: \(to)", "Call-ID: trickle-\(agent.port)-\(account.number)",
            "CSeq: \(number) \(method)", "Max-Forwards: 70", "Contact: <sip:\(account.number)@127.0.0.1:\(agent.port)>", "User-Agent: a modern phone",
        ]
        let end = ["Content-Length: \(body.utf8.count)", "", body]
        try agent.send(Array((lines + headers + end).joined(separator: "\r\n").utf8), to: suite.sip.port)
    }
}
