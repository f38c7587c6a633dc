import Flow
import SIP
import Suite
import Testing

@Suite("RFC 3680: who watches a registration is told of it", .timeLimit(.minutes(2)))
struct RegistrationEventTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// A watcher and the phone it watches, both of one extension, as an edge would carry their requests.
    private final class Watched {
        let agent: InsideAgent
        let registrar: UInt16
        let account: RunningSuite.Account
        let customer: String
        let domain: String
        private var sequence = 0

        init(_ suite: RunningSuite) async throws {
            agent = try InsideAgent()
            registrar = try suite.insidePort(of: "Registrar")
            account = try await suite.makeAccount()
            domain = suite.domain
            guard let customer = try await suite.request("GET", "/v1/extensions/\(account.id)").body["customer_id"]?.string else {
                throw RunningSuite.Missing.refused("the extension names no customer")
            }
            self.customer = customer
        }

        func request(_ method: String, to tag: String? = nil, callID: String, _ headers: [String]) async throws -> Message {
            sequence += 1
            let address = "<sip:\(account.number)@\(domain)>"
            let cseq = "\(sequence) \(method)"
            try agent.send(
                [
                    "\(method) sip:\(account.number)@\(domain) SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:\(agent.port);branch=z9hG4bK\(sequence)x\(agent.port)",
                    "From: \(address);tag=from", "To: \(address)" + (tag.map { ";tag=\($0)" } ?? ""), "Call-ID: \(callID)-\(account.number)",
                    "CSeq: \(cseq)", "Max-Forwards: 69", "X-Tandem-Customer: \(customer)", "P-Asserted-Identity: \(address)",
                ] + headers, to: registrar)
            return try await agent.receive("the answer to \(cseq)") { $0.status != nil && $0.value(.cseq) == cseq }
        }

        func subscribe(to tag: String? = nil, expires: Int = 600) async throws -> Message {
            try await request(
                "SUBSCRIBE", to: tag, callID: "watch",
                [
                    "Event: reg", "Expires: \(expires)", "Contact: <sip:watcher@127.0.0.1:\(agent.port)>",
                    "Record-Route: <sip:flow@127.0.0.1:\(agent.port);lr>, <sip:server@127.0.0.1:\(agent.port);lr>",
                ])
        }

        func register(_ contact: String, expires: Int = 300) async throws {
            let answer = try await request("REGISTER", callID: "phone", ["Contact: <\(contact)>;expires=\(expires)", "Path: <sip:flow@127.0.0.1:\(agent.port);lr>"])
            #expect(answer.status == 200)
        }

        /// The next NOTIFY of that kind, accepted.
        func notified(_ what: String, where isWanted: (String, Message) -> Bool = { _, _ in true }) async throws -> (Message, String) {
            while true {
                let notify = try await agent.receive("a NOTIFY: \(what)") { $0.isRequest && $0.method == .notify }
                try agent.answer(notify, 200)
                let document = String(decoding: notify.body, as: UTF8.self)
                if isWanted(document, notify) { return (notify, document) }
            }
        }
    }

    private static func version(_ document: String) -> Int? {
        document.split(separator: "version=\"").last?.split(separator: "\"").first.flatMap { Int($0) }
    }

    @Test("RFC 6665 §4.2.1: told at once, at every change, and for the last time when it unsubscribes")
    func life() async throws {
        let watched = try await Watched(suite)
        let accepted = try await watched.subscribe()
        #expect(accepted.status == 200 && accepted.expires == 600 && accepted.recordRoutes?.count == 2)
        let tag = try #require(accepted.to?.tag)
        let (first, empty) = try await watched.notified("the first")
        #expect(first.value(.subscriptionState)?.hasPrefix("active;expires=") == true && first.to?.tag == "from" && first.from?.tag == tag)
        #expect(first.routes?.map(\.uri.user) == ["flow", "server"] && empty.contains("state=\"init\"") && Self.version(empty) == 0)

        try await watched.register("sip:phone@127.0.0.1:9")
        let (_, bound) = try await watched.notified("the phone has registered") { document, _ in document.contains("sip:phone@127.0.0.1:9") }
        #expect(bound.contains("state=\"active\" event=\"registered\""))
        #expect(try #require(Self.version(bound)) > 0)

        #expect(try await watched.subscribe(to: tag, expires: 300).status == 200)
        _ = try await watched.notified("the subscription was renewed")
        try await watched.register("sip:phone@127.0.0.1:9", expires: 0)
        let (_, unbound) = try await watched.notified("the phone has left") { document, _ in document.contains("state=\"terminated\"") }
        #expect(unbound.contains("event=\"unregistered\""))

        #expect(try await watched.subscribe(to: tag, expires: 0).status == 200)
        let (last, _) = try await watched.notified("the end") { _, notify in notify.value(.subscriptionState)?.hasPrefix("terminated") == true }
        #expect(last.value(.subscriptionState) == "terminated;reason=timeout")
        #expect(try await watched.subscribe(to: tag).status == 481, "it is no more")
    }

    @Test("an extension that is deleted ends what watches it")
    func deletion() async throws {
        let watched = try await Watched(suite)
        #expect(try await watched.subscribe().status == 200)
        _ = try await watched.notified("the first")
        #expect(try await suite.request("DELETE", "/v1/extensions/\(watched.account.id)").status == 204)
        let (notify, document) = try await watched.notified("the end") { _, notify in notify.value(.subscriptionState)?.hasPrefix("terminated") == true }
        #expect(notify.value(.subscriptionState) == "terminated;reason=noresource" && document.contains("state=\"terminated\""))
    }

    @Test("RFC 6665 §7.2: other packages are refused with the one there is; a stranger's number and nobody's are alike")
    func refusals() async throws {
        let watched = try await Watched(suite)
        let answer = try await watched.request("SUBSCRIBE", callID: "watch", ["Event: message-summary", "Contact: <sip:watcher@127.0.0.1:9>"])
        #expect(answer.status == 489 && answer.value(.allowEvents) == "reg")
    }
}
