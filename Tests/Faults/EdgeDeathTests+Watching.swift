import SIP
import Suite
import Testing

extension EdgeDeathTests {
    @Test("RFC 3680: who watches through an edge that died is told through the other")
    func watching() async throws {
        let account = try await suite.makeAccount()
        let watcher = try OutsideAgent(suite, account)
        let phone = try OutsideAgent(suite, account, through: try suite.standby(over: .udp))
        let accepted = try await watcher.request("SUBSCRIBE", watcher.address, callID: "watch", ["Event: reg", "Expires: 600"])
        #expect(accepted.status == 200)
        _ = try await watcher.notified("the first") { _, _ in true }
        let old = try suite.pid(of: "EdgeProxy")
        try suite.leaveAlone("EdgeProxy")
        defer { try? suite.supervise("EdgeProxy") }
        try suite.killProcess(of: "EdgeProxy")
        let registered = try await phone.request(
            "REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "reg", ["Expires: 120"])
        #expect(registered.status == 200)
        let (notify, _) = try await watcher.notified("the phone is there") { document, _ in
            document.contains("@127.0.0.1:\(phone.agent.port)</uri>")
        }
        #expect(notify.topmostVia?.port == (try suite.standby(over: .udp)).port)
        try suite.supervise("EdgeProxy")
        try await suite.waitUntilBack("EdgeProxy", insteadOf: old)
    }
}
