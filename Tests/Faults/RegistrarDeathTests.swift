import Flow
import Phone
import SIP
import Suite
import Testing

/// Beside the other deaths, since they come one at a time.
extension DeathTests {
    @Test("RFC 3680: killed between SUBSCRIBE and the change, its successor tells the watcher, in the same dialog")
    func watcherIsToldBySuccessor() async throws {
        let watched = try await WatchedExtension(suite)
        #expect(try await watched.subscribe().status == 200)
        let (first, _) = try await watched.notified("the first")
        let old = try suite.pid(of: "Registrar")
        try suite.killProcess(of: "Registrar")
        try await suite.waitUntilBack("Registrar", insteadOf: old)
        try await watched.register("sip:phone@127.0.0.1:9")
        let (notify, _) = try await watched.notified("the phone has registered") { document, _ in
            document.contains("sip:phone@127.0.0.1:9")
        }
        #expect(notify.callID == first.callID && notify.from?.tag == first.from?.tag && notify.to?.tag == first.to?.tag)
        #expect(try #require(notify.cseq?.number) > #require(first.cseq?.number))
        let tag = try #require(first.from?.tag)
        #expect(try await watched.subscribe(to: tag, expires: 0).status == 200, "the successor knows the subscription")
    }

    @Test("RFC 4235: a call that ends while no registrar is there is told of by the next one, in the same dialog")
    func dialogsAreToldBySuccessor() async throws {
        let watched = try await WatchedExtension(suite)
        let number = try await suite.makeNumber(running: [["type": "answer"], ["type": "sleep", "option": ["duration": 120_000]], ["type": "hangup"]]).number
        let phone = PhoneLine(
            PhoneSettings(number: watched.account.number, domain: suite.domain, password: watched.account.password, proxy: try suite.proxy(over: .udp)))
        let call = try await phone.call(number)
        try await call.answered()
        #expect(try await watched.subscribe("dialog").status == 200)
        let (first, _) = try await watched.notified("the call") { document, _ in document.contains(">confirmed</state>") }
        let old = try suite.pid(of: "Registrar")
        try suite.leaveAlone("Registrar")
        try suite.killProcess(of: "Registrar")
        try? await call.hangup()
        try suite.supervise("Registrar")
        try await suite.waitUntilBack("Registrar", insteadOf: old, within: .seconds(30))
        let (notify, told) = try await watched.notified("its end") { document, _ in document.contains(">terminated</state>") }
        #expect(notify.callID == first.callID && notify.from?.tag == first.from?.tag)
        #expect(told.contains("direction=\"initiator\"") && told.contains("event=\"local-bye\""))
        #expect(try await watched.subscribe("dialog", to: try #require(first.from?.tag), expires: 0).status == 200)
        await phone.close()
    }
}
