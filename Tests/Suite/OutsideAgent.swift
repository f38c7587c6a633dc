public import Addresses
public import SIP

/// A phone that a test speaks for line by line: over UDP, at an address of its own, answering challenges by digest.
public final class OutsideAgent {
    public let agent: InsideAgent
    public let edge: UInt16
    private let host: String
    private let domain: String
    private let account: RunningSuite.Account?
    private var sequence: UInt32 = 0
    private let run = UInt32.random(in: 1...999_999)
    public var choice = DigestChallenge.Choice()
    public var maxForwards = 70

    /// Without an account it answers no challenge. `host` is one of 127.0.0.0/8; `edge` the suite's first unless said otherwise.
    public init(
        _ suite: RunningSuite, _ account: RunningSuite.Account?, at host: String = "127.0.0.1", through edge: SocketAddress? = nil
    ) throws {
        agent = try InsideAgent(at: IPAddress(host) ?? .loopbackIPv4)
        (self.edge, self.host, self.account, domain) = (edge?.port ?? suite.sip.port, host, account, suite.domain)
    }

    public var contact: String { "<sip:\(account?.number ?? "trunk")@\(host):\(agent.port)>" }

    public var address: String { "sip:\(account?.number ?? "trunk")@\(domain)" }

    /// The final response, to the request with credentials when the first was challenged.
    public func request(
        _ method: String, _ uri: String, from: String? = nil, to: String? = nil, tag: String? = nil, callID: String, _ headers: [String],
        body: String = ""
    ) async throws -> Message {
        let first = try await attempt(method, uri, from ?? address, to ?? uri, tag, callID, headers, body)
        guard let account, [401, 407].contains(first.status ?? 0), let challenge = first.challenges.first else { return first }
        let credentials = challenge.answer(
            user: account.number, password: account.password, method: Method(method), uri: uri, body: Array(body.utf8),
            clientNonce: "agent\(sequence)", choice: choice)
        let name = first.status == 401 ? "Authorization" : "Proxy-Authorization"
        return try await attempt(
            method, uri, from ?? address, to ?? uri, tag, callID, headers + ["\(name): \(credentials.headerValue)"], body)
    }

    private func attempt(
        _ method: String, _ uri: String, _ from: String, _ to: String, _ tag: String?, _ callID: String, _ headers: [String],
        _ body: String
    ) async throws -> Message {
        sequence += 1
        let cseq = "\(sequence) \(method)"
        let lines = [
            "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/UDP \(host):\(agent.port);rport;branch=z9hG4bK\(run)x\(sequence)",
            "From: <\(from)>;tag=agent\(run)", "To: <\(to)>" + (tag.map { ";tag=\($0)" } ?? ""), "Call-ID: \(callID)-\(run)",
            "CSeq: \(cseq)", "Max-Forwards: \(maxForwards)", "Contact: \(contact)", "User-Agent: a modern phone",
        ] + headers + ["Content-Length: \(body.utf8.count)", "", body]
        let bytes = Array(lines.joined(separator: "\r\n").utf8)
        for _ in 0..<20 {
            try agent.send(bytes, to: edge)
            let answer = try? await agent.receive("the answer to \(cseq)", within: .milliseconds(700)) { message in
                (message.status ?? 0) >= 200 && message.value(.cseq) == cseq
            }
            if let answer { return answer }
        }
        throw InsideAgent.Trouble.silence("the answer to \(cseq)")
    }

    /// The next NOTIFY of that kind; all are accepted.
    public func notified(_ what: String, where isWanted: (String, Message) -> Bool) async throws -> (Message, String) {
        while true {
            let notify = try await agent.receive("a NOTIFY: \(what)", within: .seconds(15)) { $0.isRequest && $0.method == .notify }
            // To the edge it came through, which need not be ours.
            try agent.answer(notify, 200)
            let document = String(decoding: notify.body, as: UTF8.self)
            if isWanted(document, notify) { return (notify, document) }
        }
    }
}
