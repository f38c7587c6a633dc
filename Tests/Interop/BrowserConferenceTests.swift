import Foundation
import Phone
import Suite
import Testing

@Suite("Real phones in one conference", .serialized, .timeLimit(.minutes(3)))
struct BrowserConferenceTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// No one is near a harmonic of another.
    private static let tones = (phone: 440.0, browser: 1_010.0, baresip: 700.0, sipp: 1_610.0)

    @Test("baresip with Opus, a page in Chromium, sipp and a phone with G.711 each hear the three others, and not themselves")
    func conference() async throws {
        let number = "86\(Int.random(in: 100_000...999_999))"
        let id = try #require(try await suite.create("conferences", ["name": "Everybody", "number": .string(number)])["id"]?.string)
        let (page, talker, soft) = (try await suite.makeAccount(), try await suite.makeAccount(), try await suite.makeAccount())
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await call.answered()
            let browser = try await Browser(
                as: page, in: suite, page: "talk.html", speaking: Int(Self.tones.browser),
                query: ["dial": number, "tone": "440,700,1610,1010"])
            try await browser.reports("answered")
            try await browser.reports("media connected")
            let sipp = try Sipp("caller_speaks", as: talker, in: suite, dial: number, talk: .seconds(14), tone: Self.tones.sipp)
            let baresip = try Baresip(as: soft, in: suite, tone: Self.tones.baresip, codec: "opus/48000/2", dial: number, life: .seconds(9))
            try await baresip.talks()

            for tone in [Self.tones.browser, Self.tones.baresip, Self.tones.sipp] {
                #expect(await call.hears(tone, within: .seconds(8)), "the phone hears \(tone) Hz")
            }
            #expect(await !call.heard(frequency: Self.tones.phone), "nobody hears itself")
            for tone in ["440", "700", "1610"] { try await browser.reports("hears \(tone)", within: .seconds(8)) }
            #expect(!browser.hasReported("hears 1010"), "the page does not hear itself")
            try await baresip.ends()
            let levels = try baresip.heard([Self.tones.phone, Self.tones.browser, Self.tones.sipp, Self.tones.baresip])
            #expect(levels.prefix(3).allSatisfy { $0 > -30 } && levels[3] < -40, "baresip hears three, and not itself: \(levels)")
            try await sipp.succeeds()
            #expect(!browser.hasReported("hears 1010"), "nor later")
            #expect(try await suite.request("POST", "/v1/conferences/\(id)/actions/end", [:]).status == 204)
            try await browser.reports("ended")
            #expect(try await call.ended() == .hungUpThere)
        }
    }
}
