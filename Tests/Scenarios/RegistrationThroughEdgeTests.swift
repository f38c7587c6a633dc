import Phone
import SIP
import Suite
import Testing

@Suite("A phone's registration, through the edge", .timeLimit(.minutes(2)))
struct RegistrationThroughEdgeTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("RFC 3608: the 200 names the way in; who begins with it as Route comes to this edge and is asked for its password")
    func serviceRoute() async throws {
        let account = try await suite.makeAccount()
        let phone = try OutsideAgent(suite, account)
        let accepted = try await phone.request("REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "reg", ["Expires: 120"])
        #expect(accepted.status == 200)
        let route = try #require(accepted.value(.serviceRoute))
        #expect(NameAddress(route)?.uri.socketAddress == suite.sip && NameAddress(route)?.uri.isLooseRouter == true)
        let preloaded = ["Route: \(route)", "Event: reg", "Expires: 60"]
        let stranger = try OutsideAgent(suite, nil)
        for tag in [nil, "made-up"] as [String?] {
            let refused = try await stranger.request(
                "SUBSCRIBE", phone.address, from: phone.address, tag: tag, callID: "preloaded", preloaded)
            #expect(refused.status == 407, "a Route is no dialog")
        }
        #expect(try await phone.request("SUBSCRIBE", phone.address, callID: "preloaded", preloaded).status == 200)
    }

    @Test("RFC 3680: a phone that subscribes is told of the other phones of its account, until it unsubscribes")
    func watching() async throws {
        let account = try await suite.makeAccount()
        let (watcher, phone) = (try OutsideAgent(suite, account), try OutsideAgent(suite, account))
        func subscribe(_ tag: String?, _ routes: [String], expires: Int) async throws -> Message {
            try await watcher.request(
                "SUBSCRIBE", watcher.address, tag: tag, callID: "watch", ["Event: reg", "Expires: \(expires)"] + routes)
        }
        let accepted = try await subscribe(nil, [], expires: 600)
        #expect(accepted.status == 200)
        let tag = try #require(accepted.to?.tag)
        let routes = (accepted.recordRoutes ?? []).reversed().map { "Route: \($0)" }
        #expect(routes.count == 2)
        let (first, _) = try await watcher.notified("the first") { _, _ in true }
        #expect(first.value(.event) == "reg" && first.value(.contentType) == "application/reginfo+xml")
        #expect(first.from?.tag == tag)
        func register(_ expires: Int) async throws {
            let answer = try await phone.request(
                "REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "reg", ["Expires: \(expires)"])
            #expect(answer.status == 200)
        }
        let there = "@127.0.0.1:\(phone.agent.port)</uri>"
        try await register(120)
        _ = try await watcher.notified("the other phone is there") { document, _ in
            document.contains("state=\"active\" event=\"registered\"") && document.contains(there)
        }
        #expect(try await subscribe(tag, routes, expires: 300).status == 200, "refreshed")
        _ = try await watcher.notified("the subscription was renewed") { document, _ in document.contains(there) }
        try await register(0)
        _ = try await watcher.notified("the other phone has left") { document, _ in document.contains("event=\"unregistered\"") }
        #expect(try await subscribe(tag, routes, expires: 0).status == 200)
        let (last, _) = try await watcher.notified("the end") { _, notify in
            notify.value(.subscriptionState)?.hasPrefix("terminated") == true
        }
        #expect(last.value(.subscriptionState) == "terminated;reason=timeout")
        #expect(try await subscribe(tag, routes, expires: 300).status == 481)
    }

    @Test("RFC 5626 §6: a phone that numbers its flows has one binding for each, wherever its address moves")
    func outbound() async throws {
        let account = try await suite.makeAccount()
        let phone = try OutsideAgent(suite, account)
        var bound: [String] = []
        for (host, flow) in [("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.3", 1)] {
            let contact = "Contact: <sip:phone@\(host)>;+sip.instance=\"<urn:uuid:7>\";reg-id=\(flow);expires=120"
            let answer = try await phone.request(
                "REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "flow\(host)", ["Supported: outbound, path", contact])
            #expect(answer.status == 200 && answer.required.contains("outbound"))
            bound = answer.values(.contact).filter { $0.contains("reg-id") }
        }
        #expect(bound.count == 2 && !bound.contains { $0.contains("10.0.0.1") })
    }

    @Test("RFC 7616 §3.4: credentials that protect the body and hide the name are as good")
    func integrity() async throws {
        let phone = try OutsideAgent(suite, try await suite.makeAccount())
        phone.choice.protectsBody = true
        phone.choice.hidesUser = true
        func register(_ body: String) async throws -> Message {
            try await phone.request("REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "int", ["Expires: 120"], body: body)
        }
        #expect(try await register("").status == 200)
        #expect(try await register("something of its own").status == 200)
    }
}
