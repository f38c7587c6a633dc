import Foundation
import Phone
import Suite
import Testing

@Suite("A page in Chromium as a phone", .serialized, .timeLimit(.minutes(30)))
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

    @Test("RFC 8827: a page that calls and a phone hear each other, over ICE and DTLS-SRTP")
    func calls() async throws {
        let account = try await suite.makeAccount()
        try await withPhones(1, in: suite) { phones in
            let browser = try await Browser(
                as: account, in: suite, page: "talk.html", query: ["dial": phones[0].number, "tone": "\(Tones.of(0))"])
            try await browser.reports("answered")
            try await talk(browser, try await phones[0].incomingCall())
        }
    }

    @Test("RFC 8829: a page that is called and a phone hear each other, over ICE and DTLS-SRTP")
    func isCalled() async throws {
        let account = try await suite.makeAccount()
        let browser = try await Browser(as: account, in: suite, page: "talk.html", query: ["tone": "\(Tones.of(0))"])
        try await browser.reports("registered")
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(account.number)
            try await call.answered()
            try await talk(browser, call)
        }
    }

    /// `TANDEM_TEST_SETUPS=100` makes a hundred of them (docs/benchmarks.md).
    @Test("RFC 8829: calls one after the other each find a path and keys of their own", .timeLimit(.minutes(30)))
    func setUps() async throws {
        let count = ProcessInfo.processInfo.environment["TANDEM_TEST_SETUPS"].flatMap { Int($0) } ?? 5
        let account = try await suite.makeAccount()
        try await withPhones(1, in: suite) { phones in
            let browser = try await Browser(
                as: account, in: suite, page: "talk.html",
                query: ["dial": phones[0].number, "tone": "\(Tones.of(0))", "rounds": "\(count)"])
            for round in 1...count {
                let call = try await phones[0].incomingCall(within: .seconds(20))
                try await browser.reports("media connected", times: round)
                try await browser.reports("hears \(Tones.of(0))", times: round)
                #expect(await call.hears(1_010, within: .seconds(5)), "set-up \(round) of \(count)")
                try await call.hangup()
                try await browser.reports("ended", times: round)
            }
        }
    }

    @Test("RELIABILITY K4, RFC 7675: the relay's worker dies, and a minute later, two lives of a consent, a page and a phone still hear each other")
    func survives() async throws {
        let account = try await suite.makeAccount()
        try await withPhones(1, in: suite) { phones in
            let browser = try await Browser(
                as: account, in: suite, page: "talk.html",
                query: ["dial": phones[0].number, "tone": "\(Tones.of(0))", "again": "62000"])
            try await browser.reports("answered")
            let call = try await phones[0].incomingCall()
            try await browser.reports("hears \(Tones.of(0))")
            #expect(await call.hears(1_010, within: .seconds(5)))
            let before = await call.report.sound
            let worker = try suite.worker(of: "MediaRelay")
            try suite.killWorker(of: "MediaRelay")
            try await suite.waitUntilWorks("MediaRelay", insteadOf: worker)
            try await browser.reports("hears \(Tones.of(0)) still", within: .seconds(95))
            #expect(await call.hears(1_010, within: .seconds(5)))
            let after = await call.report.sound
            #expect(after.lost - before.lost <= 2 && after.sources == 1)
            try await call.hangup()
            try await browser.reports("ended")
        }
    }

    private func talk(_ browser: Browser, _ call: PhoneCall) async throws {
        try await browser.reports("media connected")
        try await browser.reports("hears \(Tones.of(0))")
        #expect(await call.hears(1_010, within: .seconds(5)))
        #expect(await !call.heard(frequency: Double(Tones.of(0))), "nobody hears themselves")
        try await call.hangup()
        try await browser.reports("ended")
    }
}
