public import SIP

/// An extension with a phone and a watcher of its registration (RFC 3680) or its dialogs (RFC 4235), both spoken for by one agent in an
/// edge's place.
public final class WatchedExtension {
    public let agent: InsideAgent
    let registrar: UInt16
    public let account: RunningSuite.Account
    let customer: String
    let domain: String
    private var sequence = 0

    public init(_ suite: RunningSuite) async throws {
        agent = try InsideAgent()
        registrar = try suite.insidePort(of: "Registrar")
        account = try await suite.makeAccount()
        domain = suite.domain
        guard let customer = try await suite.request("GET", "/v1/extensions/\(account.id)").body["customer_id"]?.string else {
            throw RunningSuite.Missing.refused("the extension names no customer")
        }
        self.customer = customer
    }

    /// `uri` is the extension's own when not said otherwise.
    public func request(
        _ method: String, _ uri: String? = nil, to tag: String? = nil, callID: String, _ headers: [String]
    ) async throws -> Message {
        sequence += 1
        let address = "<sip:\(account.number)@\(domain)>"
        let cseq = "\(sequence) \(method)"
        let lines = [
                "\(method) \(uri ?? "sip:\(account.number)@\(domain)") SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1:\(agent.port);branch=z9hG4bK\(sequence)x\(agent.port)",
                "From: \(address);tag=from", "To: \(address)" + (tag.map { ";tag=\($0)" } ?? ""), "Call-ID: \(callID)-\(account.number)",
                "CSeq: \(cseq)", "Max-Forwards: 69", "X-Tandem-Customer: \(customer)", "P-Asserted-Identity: \(address)",
            ] + headers
        // Repeated as a client transaction repeats it: what was sent to a process that has died is lost.
        for _ in 0..<20 {
            try agent.send(lines, to: registrar)
            let answer = try? await agent.receive("the answer to \(cseq)", within: .milliseconds(500)) { message in
                message.status != nil && message.value(.cseq) == cseq
            }
            if let answer { return answer }
        }
        throw InsideAgent.Trouble.silence("the answer to \(cseq)")
    }

    public func subscribe(_ package: String = "reg", to tag: String? = nil, expires: Int = 600) async throws -> Message {
        try await request(
            "SUBSCRIBE", to: tag, callID: "watch",
            [
                "Event: \(package)", "Expires: \(expires)", "Contact: <sip:watcher@127.0.0.1:\(agent.port)>",
                // Without the user part that edges write: the registrar would send past an edge that nobody announces.
                "Record-Route: <sip:127.0.0.1:\(agent.port);lr;to=flow>, <sip:127.0.0.1:\(agent.port);lr;to=server>",
            ])
    }

    public func register(_ contact: String, expires: Int = 300) async throws {
        let answer = try await request(
            "REGISTER", callID: "phone", ["Contact: <\(contact)>;expires=\(expires)", "Path: <sip:flow@127.0.0.1:\(agent.port);lr>"])
        guard answer.status == 200 else { throw RunningSuite.Missing.refused("\(answer.status ?? 0) to a REGISTER") }
    }

    /// The next NOTIFY of that kind, accepted.
    public func notified(_ what: String, where isWanted: (String, Message) -> Bool = { _, _ in true }) async throws -> (Message, String) {
        while true {
            let notify = try await agent.receive("a NOTIFY: \(what)", within: .seconds(15)) { $0.isRequest && $0.method == .notify }
            try agent.answer(notify, 200)
            let document = String(decoding: notify.body, as: UTF8.self)
            if isWanted(document, notify) { return (notify, document) }
        }
    }
}
