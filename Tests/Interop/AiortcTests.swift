import Phone
import Suite
import Testing

@Suite("aiortc as a WebRTC phone", .timeLimit(.minutes(2)))
struct AiortcTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("RFC 8829: aiortc calls, and both hear each other over ICE and DTLS-SRTP")
    func calls() async throws {
        let account = try await suite.makeAccount()
        try await withPhones(1, in: suite) { phones in
            let aiortc = try Aiortc(as: account, in: suite, tone: Tones.of(0), speaking: 1_010, dial: phones[0].number)
            try await aiortc.reports("registered")
            try await talk(aiortc, try await phones[0].incomingCall(within: .seconds(20)))
        }
    }

    @Test("RFC 8829: aiortc is called, and both hear each other over ICE and DTLS-SRTP")
    func isCalled() async throws {
        let account = try await suite.makeAccount()
        let aiortc = try Aiortc(as: account, in: suite, tone: Tones.of(0), speaking: 1_010)
        try await aiortc.reports("registered")
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(account.number)
            try await call.answered()
            try await talk(aiortc, call)
        }
    }

    @Test("RFC 3261 §16.7: a page and a desk phone of one extension ring together, and whoever answers is heard", arguments: [true, false])
    func mixedExtension(pageAnswers: Bool) async throws {
        let account = try await suite.makeAccount()
        let page = try Aiortc(as: account, in: suite, tone: Tones.of(0), speaking: 1_010, rings: pageAnswers ? 0 : 60)
        try await page.reports("registered")
        var settings = PhoneSettings(number: account.number, domain: suite.domain, password: account.password, proxy: suite.sip)
        settings.tone = 1_370
        settings.incoming = pageAnswers ? .ring : .answer(after: .seconds(1))
        let desk = PhoneLine(settings)
        _ = try await desk.register()
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(account.number)
            let rung = try await desk.incomingCall()
            try await call.answered()
            #expect(await call.hears(pageAnswers ? 1_010.0 : 1_370.0, within: .seconds(10)))
            if pageAnswers {
                try await page.reports("hears \(Tones.of(0))")
                _ = try await rung.ended()
            } else {
                try await page.reports("canceled")
                #expect(await rung.hears(Double(Tones.of(0)), within: .seconds(5)))
            }
            try await call.hangup()
        }
        await desk.close()
    }

    private func talk(_ aiortc: Aiortc, _ call: PhoneCall) async throws {
        try await aiortc.reports("answered")
        try await aiortc.reports("media connected")
        try await aiortc.reports("hears \(Tones.of(0))")
        #expect(await call.hears(1_010, within: .seconds(5)))
        #expect(await !call.heard(frequency: Double(Tones.of(0))), "nobody hears themselves")
        try await call.hangup()
        try await aiortc.reports("ended")
    }
}
