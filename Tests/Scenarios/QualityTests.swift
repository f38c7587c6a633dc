import Flow
import Phone
import Suite
import Testing

@Suite("How a call sounded", .timeLimit(.minutes(2)))
struct QualityTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func record(of phone: PhoneLine) async throws -> JSONValue? {
        try await suite.request("GET", "/v1/calls?from=\(phone.number)").body["data"]?.array?.first
    }

    @Test("The record of a call with a lossy phone shows loss, jitter, round trip and score of both directions (RFC 3550 §6.4, ITU-T G.107)")
    func lossy() async throws {
        let before = try await suite.metric("tandem_relay_mos_count", of: "MediaRelay")
        try await withPhones(1, in: suite, options: { ($0.reports, $0.losesEach) = (true, 10) }) { phones in
            let call = try await phones[0].call("600")
            try await call.answered()
            try await Task.sleep(for: .seconds(7))
            try await call.hangup()
            try await suite.eventually("the record has statistics") { try await record(of: phones[0])?["media"]?["packets_in"] != nil }
            let media = try #require(try await record(of: phones[0])?["media"])
            for direction in ["received", "sent"] {
                let quality = try #require(media[direction], "\(media.jsonText)")
                let (loss, score) = (quality["loss_percent"]?.double ?? 0, quality["mos"]?.double ?? 0)
                #expect(loss > 6 && loss < 14, "\(direction): \(loss) percent lost")
                #expect(score >= 1 && score < 4.2, "\(direction): score \(score)")
                #expect((quality["packets"]?.double ?? 0) > 200 && quality["jitter_ms"]?.double != nil)
            }
            let roundTrip = try #require(media["round_trip_ms"]?.double, "\(media.jsonText)")
            #expect(roundTrip >= 0 && roundTrip < 500)
        }
        try await suite.eventually("the session is counted") { try await suite.metric("tandem_relay_mos_count", of: "MediaRelay") >= before + 2 }
    }
}
