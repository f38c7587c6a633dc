import Addresses
import Phone
import SIP
import Suite
import Testing

/// Beside the deaths, since they have two edges.
extension EdgeDeathTests {
    @Test("who is banned at one edge is banned at the other, and at one that was started since")
    func bansAreShared() async throws {
        let account = try await suite.makeAccount()
        let address = Neighbourhood().address(1)
        func phone(_ password: String, at proxy: SocketAddress) -> PhoneLine {
            var settings = PhoneSettings(number: account.number, domain: suite.domain, password: password, proxy: proxy)
            settings.local = address
            return PhoneLine(settings)
        }
        let (first, second) = (try suite.proxy(over: .udp), try suite.standby(over: .udp))
        let honest = phone(account.password, at: second)
        try await honest.register()
        let guesser = phone("guess", at: first)
        var isSilenced = false
        for _ in 0..<400 where !isSilenced {
            do { try await guesser.register(within: .seconds(2)) } catch PhoneError.timedOut {
                isSilenced = true
            } catch PhoneError.refused(_, 403, _) {}
        }
        #expect(isSilenced)
        try await suite.eventually("the other edge was told") {
            try await suite.metric("tandem_edge_bans", of: "EdgeProxy", 2) > 0
        }
        await #expect(throws: PhoneError.self) { try await honest.register(within: .seconds(2)) }
        let old = try suite.pid(of: "EdgeProxy", 2)
        try suite.killProcess(of: "EdgeProxy", 2)
        try await suite.waitUntilBack("EdgeProxy", 2, insteadOf: old)
        try await suite.eventually("the new edge was told") {
            try await suite.metric("tandem_edge_bans", of: "EdgeProxy", 2) > 0
        }
        await #expect(throws: PhoneError.self) { try await honest.register(within: .seconds(2)) }
        for phone in [honest, guesser] { await phone.disappear() }
    }
}
