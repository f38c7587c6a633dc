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
}
