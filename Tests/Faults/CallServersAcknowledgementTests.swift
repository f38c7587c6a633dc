import Foundation
import Phone
import SIP
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"`, as for `CallServersTests`: the second dies while a provisional response waits for its PRACK.
@Suite("CallServers: killed between a provisional response and its PRACK (RFC 3262, RELIABILITY K2)", .serialized, .timeLimit(.minutes(5)))
struct CallServersAcknowledgementTests {
    private static let service = "CallServer"
    private static let description =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("§3: the phone's PRACK for a 180 of the one that died is answered 200 by its successor within two seconds, and the call is answered", arguments: [0, 300, 1_500])
    func ofThePhone(milliseconds: Int) async throws {
        try await withPhones(1, in: suite, options: { $0.incoming = .ring }) { phones in
            for _ in 0..<30 {
                let before = try await begun(2)
                let caller = try RingingCaller(suite, try await suite.makeAccount(), calls: phones[0].number, Self.description)
                let progress = try await caller.ring()
                let incoming = try await phones[0].incomingCall()
                guard try await begun(2) > before else {
                    try await incoming.hangup()
                    continue
                }
                try await without {
                    try await Task.sleep(for: .milliseconds(milliseconds))
                    #expect(try await caller.acknowledge(progress, within: .seconds(2)) == 200)
                    try await incoming.answer()
                    #expect(try await caller.isAnswered())
                    try await incoming.hangup()
                }
                return
            }
            Issue.record("no call of the second server")
        }
    }

    @Test("§4: a 183 that came to the one that died has its PRACK from its successor, and the call is answered")
    func ofOurs() async throws {
        try await withPhones(1, in: suite) { phones in
            for _ in 0..<30 {
                let before = try await begun(2)
                let callee = try OutsideAgent(suite, try await suite.makeAccount())
                #expect(try await callee.request("REGISTER", "sip:\(suite.domain)", to: callee.address, callID: "rel", ["Expires: 120"]).status == 200)
                let outgoing = try await phones[0].call(String(callee.address.dropFirst(4).prefix { $0 != "@" }))
                let invite = try await callee.agent.receive("the INVITE") { $0.method == .invite }
                guard try await begun(2) > before else {
                    try callee.agent.answer(invite, 486)
                    _ = try await outgoing.ended()
                    continue
                }
                let processes = try suite.processes(of: Self.service, 2)
                for process in processes { kill(process, SIGSTOP) }
                let progress = response(to: invite, 183, from: callee)
                try callee.agent.send(progress, to: callee.edge)
                try await Task.sleep(for: .milliseconds(100))
                try await without {
                    let prack = try await repeating(progress, of: callee) { $0.method == .prack }
                    #expect(prack.value(.rack) == "41 1 INVITE")
                    try callee.agent.answer(prack, 200)
                    let acknowledgement = try await repeating(response(to: invite, 200, from: callee), of: callee) { $0.method == .ack }
                    #expect(acknowledgement.cseq?.number == 1)
                    try await outgoing.answered()
                    async let over: Void = outgoing.hangup()
                    try callee.agent.answer(try await callee.agent.receive("the BYE") { $0.method == .bye }, 200)
                    try await over
                }
                return
            }
            Issue.record("no call of the second server")
        }
    }

    /// Describes our media; a provisional one wants a PRACK.
    private func response(to invite: Message, _ status: Int, from callee: OutsideAgent) -> [UInt8] {
        var builder = ResponseBuilder(invite, status, toTag: "callee")
        builder.copiesRecordRoute = true
        builder.contact = NameAddress(callee.contact)
        if status < 200 {
            builder.add(.require, "100rel")
            builder.add(.rseq, "41")
        }
        builder.contentType = "application/sdp"
        builder.body = Array(Self.description.utf8)
        return builder.serialised()
    }

    /// Until that comes, as RFC 3262 §3 and RFC 3261 §13.3.1.4 have it.
    private func repeating(_ response: [UInt8], of callee: OutsideAgent, until isWanted: (Message) -> Bool) async throws -> Message {
        for _ in 0..<16 {
            try callee.agent.send(response, to: callee.edge)
            if let message = try? await callee.agent.receive("what it waits for", within: .milliseconds(500), where: isWanted) { return message }
        }
        throw InsideAgent.Trouble.silence("what the callee repeats its response for")
    }

    private func begun(_ instance: Int) async throws -> Double { try await suite.metric("tandem_call_legs_total", of: Self.service, instance) }

    /// Kills the second server, and has it started again when the body has ended.
    private func without(_ body: () async throws -> Void) async throws {
        let old = try suite.pid(of: Self.service, 2)
        try suite.leaveAlone(Self.service, 2)
        try suite.killProcess(of: Self.service, 2)
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try suite.supervise(Self.service, 2)
        try await suite.waitUntilBack(Self.service, 2, insteadOf: old, within: .seconds(30))
        try await suite.eventually("both call servers serve") {
            _ = try await begun(2)
            return try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 2
        }
        try result.get()
    }
}

/// A phone that has its provisional responses acknowledged, line by line.
private struct RingingCaller {
    private let agent: OutsideAgent
    private let account: RunningSuite.Account
    private let uri: String
    private let description: String
    private let run = UInt32.random(in: 1...999_999)

    init(_ suite: RunningSuite, _ account: RunningSuite.Account, calls number: String, _ description: String) throws {
        agent = try OutsideAgent(suite, account)
        (self.account, self.description, uri) = (account, description, "sip:\(number)@\(suite.domain)")
    }

    /// The 180 that wants a PRACK.
    func ring() async throws -> Message {
        try send("INVITE", 1, ["Require: 100rel"], description)
        let challenged = try await agent.agent.receive("the challenge") { $0.status == 407 }
        guard let challenge = challenged.challenges.first else { throw InsideAgent.Trouble.silence("a challenge") }
        let credentials = challenge.answer(
            user: account.number, password: account.password, method: .invite, uri: uri, body: Array(description.utf8), clientNonce: "a", choice: .init())
        try send("INVITE", 2, ["Require: 100rel", "Proxy-Authorization: \(credentials.headerValue)"], description)
        return try await agent.agent.receive("a 180 with RSeq") { $0.status == 180 && $0.value(.rseq) != nil }
    }

    /// The status of the PRACK's answer; 0: none came in that time.
    func acknowledge(_ progress: Message, within limit: Duration) async throws -> Int {
        let end = ContinuousClock.now + limit
        let headers = ["RAck: \(progress.value(.rseq) ?? "") 2 INVITE"] + routes(of: progress)
        while ContinuousClock.now < end {
            try send("PRACK", 3, headers, "", to: progress)
            let answer = try? await agent.agent.receive("the answer to PRACK", within: min(.milliseconds(500), end - .now)) { $0.value(.cseq) == "3 PRACK" }
            if let status = answer?.status { return status }
        }
        return 0
    }

    /// Its 200 comes, and is acknowledged.
    func isAnswered() async throws -> Bool {
        let answer = try await agent.agent.receive("the 200") { $0.value(.cseq) == "2 INVITE" && ($0.status ?? 0) >= 200 }
        try send("ACK", 2, routes(of: answer), "", to: answer)
        return answer.status == 200
    }

    private func routes(of response: Message) -> [String] {
        lines(of: response, "Record-Route").reversed().map { "Route: \($0)" }
    }

    private func lines(of message: Message, _ name: String) -> [String] {
        String(decoding: message.bytes, as: UTF8.self).split(separator: "\r\n").filter { $0.hasPrefix("\(name):") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    private func send(_ method: String, _ sequence: Int, _ headers: [String], _ body: String, to response: Message? = nil) throws {
        let target = response.flatMap { lines(of: $0, "Contact").first }.flatMap { NameAddress($0)?.uri.description } ?? uri
        let tag = response?.to?.tag.map { ";tag=\($0)" } ?? ""
        let head = [
            "\(method) \(target) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(agent.agent.port);rport;branch=z9hG4bK\(run)\(method)\(sequence)",
            "From: <\(agent.address)>;tag=caller\(run)", "To: <\(uri)>\(tag)", "Call-ID: rel-\(run)", "CSeq: \(sequence) \(method)",
            "Max-Forwards: 70", "Contact: \(agent.contact)", "User-Agent: a modern phone",
        ]
        let content = body.isEmpty ? [] : ["Content-Type: application/sdp"]
        let text = (head + headers + content + ["Content-Length: \(body.utf8.count)", "", body]).joined(separator: "\r\n")
        try agent.agent.send(Array(text.utf8), to: agent.edge)
    }
}
