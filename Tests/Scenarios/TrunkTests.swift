import Foundation
import Phone
import SIP
import Suite
import Testing

@Suite("Trunks: peers that call without a phone's account", .timeLimit(.minutes(2)), .serialized)
struct TrunkTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let address = "127.0.0.77"

    /// Writes the edge's file of trunks, as an operator does beside running calls.
    private func write(_ trunks: String) throws {
        try Data(trunks.utf8).write(to: URL(filePath: "\(suite.folder)/trunks.json"), options: .atomic)
    }

    private func customer() async throws -> String {
        let account = try await suite.makeAccount()
        let customer = try await suite.request("GET", "/v1/extensions/\(account.id)").body["customer_id"]?.string
        return try #require(customer)
    }

    private func options(_ trunk: OutsideAgent, _ number: Int) async throws -> Int? {
        try await trunk.request(
            "OPTIONS", "sip:1001@\(suite.domain)", from: "sip:+4930\(number)@\(suite.domain)", callID: "ask-\(number)", []
        ).status
    }

    @Test("a trunk that is written into the file is let in by its address within seconds, and calls; taken out, it is nobody")
    func life() async throws {
        defer { try? write("[]") }
        let customer = try await customer()
        let trunk = try OutsideAgent(suite, nil, at: Self.address)
        #expect(try await options(trunk, 0) == 407)
        try write(#"[{"name": "west", "customer": "\#(customer)", "domain": "\#(suite.domain)", "addresses": ["\#(Self.address)"]}]"#)
        try await changes("it is let in") { try await options(trunk, $0) != 407 }
        let neighbour = try OutsideAgent(suite, nil)
        #expect(try await options(neighbour, 1) == 407, "another address of the same machine")

        let sound = "v=0\r\no=- 1 1 IN IP4 \(Self.address)\r\ns=-\r\nc=IN IP4 \(Self.address)\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
        try await withPhones(1, in: suite) { phones in
            let answer = try await trunk.request(
                "INVITE", "sip:\(phones[0].number)@\(suite.domain)", from: "sip:+4930123@carrier.example", callID: "call",
                ["Content-Type: application/sdp", "X-Tandem-Customer: cust_other"], body: sound)
            #expect(answer.status == 200 && !answer.contains(.pAssertedIdentity))
            #expect(try await phones[0].incomingCall().peer.contains("+4930123"))
        }
        try await withPhones(2, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            for field in ["Replaces", "Join"] {
                let vain = try await trunk.request(
                    "INVITE", "sip:\(phones[1].number)@\(suite.domain)", from: "sip:+4930123@carrier.example", callID: "take-\(field)",
                    ["\(field): \(try await incoming.reference)", "Content-Type: application/sdp"], body: sound)
                #expect(vain.status == 481, "\(field): phones' dialogs are none of its business")
            }
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
        }
        let strange = try await trunk.request(
            "INVITE", "sip:1001@other.example", from: "sip:+4930123@carrier.example", callID: "strange", [])
        #expect(strange.status == 404, "only its customer's numbers")

        try write("[{")
        try await changes("the mistake is told") { _ in
            try String(contentsOfFile: "\(suite.folder)/logs/EdgeProxy-1.log", encoding: .utf8).contains("the trunks stay as they were")
        }
        #expect(try await options(trunk, 900) != 407, "it changed nothing")
        try write("[]")
        try await changes("it is nobody") { try await options(trunk, 1_000 + $0) == 407 }
    }

    @Test("a trunk of one channel has one call; the next is 480 with cause 34 (docs/limits.md), until the first has ended; a phone's calls are not its")
    func oneChannel() async throws {
        defer { try? write("[]") }
        let (customer, name) = (try await customer(), "one\(UInt32.random(in: .min ... .max))")
        let key = try suite.bootstrapKey()
        let limit = try await suite.request(
            "POST", "/v1/limits?customer_id=\(customer)", ["scope": "trunk", "target": .string(name), "concurrent_calls": 1], key: key)
        #expect(limit.status == 201, "\(limit.body.jsonText)")
        let address = "127.0.0.78"
        let trunk = try OutsideAgent(suite, nil, at: address)
        try write(#"[{"name": "\#(name)", "customer": "\#(customer)", "domain": "\#(suite.domain)", "addresses": ["\#(address)"], "gets_identity": true}]"#)
        try await changes("it is let in") { try await options(trunk, $0) != 407 }
        let number = try await suite.makeNumber(running: [["type": "answer"], ["type": "sleep", "option": ["duration": 60_000]]]).number
        let (uri, from) = ("sip:\(number)@\(suite.domain)", "sip:+4930123@carrier.example")
        let sound = "v=0\r\no=- 1 1 IN IP4 \(address)\r\ns=-\r\nc=IN IP4 \(address)\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
        func call(_ callID: String) async throws -> Message {
            try await trunk.request("INVITE", uri, from: from, callID: callID, ["Content-Type: application/sdp"], body: sound)
        }
        let first = try await call("first")
        #expect(first.status == 200)
        #expect(first.addresses(.pAssertedIdentity)?.first?.uri.user == number, "RFC 3325 §9.1: who has answered")
        let second = try await call("second")
        #expect(second.status == 480 && second.value(.reason)?.contains("cause=34") == true, "\(second.value(.reason) ?? "")")
        try await withPhones(1, in: suite) { phones in
            let outgoing = try await phones[0].call(number)
            try await outgoing.answered()
            try await outgoing.hangup()
        }
        let routes = first.recordRoutes?.reversed().map { "Route: \($0.description)" } ?? []
        let target = try #require(first.contact?.uri.description)
        let bye = try await trunk.request("BYE", target, from: from, to: uri, tag: first.to?.tag, callID: "first", routes)
        #expect(bye.status == 200)
        #expect(try await call("third").status == 200, "its channel is free again")
        try await suite.eventually("the record says why") {
            let calls = try await suite.request("GET", "/v1/calls?to=\(number)").body["data"]?.array ?? []
            return calls.contains { $0["hangup_reason"]?.string == "limit_trunk_calls" && $0["trunk"]?.string == name }
        }
    }

    private func changes(_ what: Comment, _ happened: (Int) async throws -> Bool) async throws {
        for round in 2..<100 {
            if try await happened(round) { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record(what)
    }
}
