import Flow
import SIP
import Suite
import Testing

@Suite("RFC 3680: who watches a registration is told of it", .timeLimit(.minutes(2)))
struct RegistrationEventTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static func version(_ document: String) -> Int? {
        document.split(separator: "version=\"").last?.split(separator: "\"").first.flatMap { Int($0) }
    }

    private static func isLast(_ document: String, _ notify: Message) -> Bool {
        notify.value(.subscriptionState)?.hasPrefix("terminated") == true
    }

    @Test("RFC 6665 §4.2.1: told at once, at every change, and for the last time when it unsubscribes")
    func life() async throws {
        let watched = try await WatchedExtension(suite)
        let accepted = try await watched.subscribe()
        #expect(accepted.status == 200 && accepted.expires == 600 && accepted.recordRoutes?.count == 2)
        let tag = try #require(accepted.to?.tag)
        let (first, empty) = try await watched.notified("the first")
        #expect(first.value(.subscriptionState)?.hasPrefix("active;expires=") == true)
        #expect(first.to?.tag == "from" && first.from?.tag == tag)
        #expect(first.routes?.map { $0.uri.parameters["to"] } == ["flow", "server"] && empty.contains("state=\"init\"") && Self.version(empty) == 0)

        try await watched.register("sip:phone@127.0.0.1:9")
        let (_, bound) = try await watched.notified("the phone has registered") { document, _ in
            document.contains("sip:phone@127.0.0.1:9")
        }
        #expect(bound.contains("state=\"active\" event=\"registered\""))
        #expect(try #require(Self.version(bound)) > 0)

        #expect(try await watched.subscribe(to: tag, expires: 300).status == 200)
        _ = try await watched.notified("the subscription was renewed")
        try await watched.register("sip:phone@127.0.0.1:9", expires: 0)
        let (_, unbound) = try await watched.notified("the phone has left") { document, _ in document.contains("state=\"terminated\"") }
        #expect(unbound.contains("event=\"unregistered\""))

        #expect(try await watched.subscribe(to: tag, expires: 0).status == 200)
        let (last, _) = try await watched.notified("the end", where: Self.isLast)
        #expect(last.value(.subscriptionState) == "terminated;reason=timeout")
        #expect(try await watched.subscribe(to: tag).status == 481, "it is no more")
    }

    @Test("an extension that is deleted ends what watches it")
    func deletion() async throws {
        let watched = try await WatchedExtension(suite)
        #expect(try await watched.subscribe().status == 200)
        _ = try await watched.notified("the first")
        #expect(try await suite.request("DELETE", "/v1/extensions/\(watched.account.id)").status == 204)
        let (notify, document) = try await watched.notified("the end", where: Self.isLast)
        #expect(notify.value(.subscriptionState) == "terminated;reason=noresource")
        #expect(document.contains("state=\"terminated\""))
    }

    @Test("RFC 6665 §7.2: other packages are refused with the one there is; who is not there and who is a stranger's, alike")
    func refusals() async throws {
        let watched = try await WatchedExtension(suite)
        let answer = try await watched.request(
            "SUBSCRIBE", callID: "watch", ["Event: message-summary", "Contact: <sip:watcher@127.0.0.1:9>"])
        #expect(answer.status == 489 && answer.value(.allowEvents) == "reg, dialog")
        for (uri, package) in ["sip:199999999@\(suite.domain)", "sip:\(watched.account.number)@other.example"].flatMap({ [($0, "reg"), ($0, "dialog")] }) {
            let answer = try await watched.request(
                "SUBSCRIBE", uri, callID: "nobody", ["Event: \(package)", "Contact: <sip:watcher@127.0.0.1:9>"])
            #expect(answer.status == 404 && answer.reason == "Not Found", "\(uri) \(package)")
        }
    }
}
