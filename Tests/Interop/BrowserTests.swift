import Suite
import Testing

@Suite("A page in Chromium as a phone", .timeLimit(.minutes(2)))
struct BrowserTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("RFC 7118: a page registers over WSS with SHA-256, asks for life, is called over its connection, and leaves")
    func registers() async throws {
        let account = try await suite.makeAccount()
        let browser = try await Browser(as: account, in: suite)
        try await browser.reports("connected with “sip”")
        try await browser.reports("registered")
        #expect(try await suite.isRegistered(account))
        try await browser.reports("kept alive")
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(account.number)
            guard case .refused(486, _) = try await call.ended() else {
                Issue.record("the caller did not hear that the page is busy")
                return
            }
        }
        try await browser.reports("called")
        try await browser.reports("acknowledged")
        try await browser.reports("unregistered")
        #expect(try await !suite.isRegistered(account))
    }
}
