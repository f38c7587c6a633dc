import ChildProcesses
import Flow
import Hostile
import Phone
import Suite
import Testing

@Suite("Conferences that speak: names, prompts, music", .timeLimit(.minutes(2)))
struct SpokenConferenceTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func make(_ fields: [String: JSONValue]) async throws -> (id: String, number: String) {
        let number = "87\(Int.random(in: 100_000...999_999))"
        let body = fields.merging(["name": "Talk", "number": .string(number)]) { given, _ in given }
        let created = try await suite.create("conferences", .object(body))
        return (try #require(created["id"]?.string), number)
    }

    /// A call that says nothing by itself.
    private func enter(_ phone: PhoneLine, _ number: String) async throws -> PhoneCall {
        let call = try await phone.call(number)
        try await call.answered()
        try await call.setTone(nil)
        return call
    }

    private func isSilent(_ call: PhoneCall) async throws {
        try await suite.eventually("silence") { await call.report.sound.level < -60 }
    }

    /// The tones of a conference, of which a name must have none.
    private static let chimes = [800.0, 1000]

    @Test("settings are kept, changed and checked")
    func settings() async throws {
        let conference = try await make([
            "announce": "name", "language": "de-AT", "music_on_hold": true, "prompts": ["pin": "menu/pin", "waiting": "https://example.com/w.mp3"],
        ])
        let path = "/v1/conferences/\(conference.id)"
        let read = try await suite.request("GET", path).body
        #expect(read["announce"]?.string == "name" && read["language"]?.string == "de-AT" && read["music_on_hold"]?.bool == true)
        #expect(read["prompts"]?["pin"]?.string == "menu/pin" && read["prompts"]?["waiting"]?.string == "https://example.com/w.mp3")
        let changed = try await suite.request("PATCH", path, ["announce": "tone", "language": nil, "prompts": nil]).body
        #expect(changed["announce"]?.string == "tone" && changed["language"] == .null && changed["prompts"] == .null)
        #expect(changed["music_on_hold"]?.bool == true)
        for (field, value, pointer) in [
            ("announce", "song", "/announce"), ("language", "../../etc", "/language"), ("prompts", ["pin": "../secret"], "/prompts/pin"),
            ("prompts", ["wrong_pin": "music/cust_1.wav"], "/prompts/wrong_pin"), ("prompts", ["beep": "a"], "/prompts/beep"),
        ] as [(String, JSONValue, String)] {
            let refused = try await suite.request("PATCH", path, [field: value])
            #expect(refused.status == 422)
            #expect(refused.body["errors"]?.array?.first?["pointer"]?.string == pointer)
        }
        #expect(try await suite.request("GET", path).body["announce"]?.string == "tone")
    }

    @Test("who comes and goes is named aloud to those inside")
    func names() async throws {
        let conference = try await make(["announce": "name", "language": "de"])
        try await withPhones(2, in: suite) { phones in
            let first = try await enter(phones[0], conference.number)
            try await isSilent(first)
            let second = try await enter(phones[1], conference.number)
            #expect(await first.hearsSomething(within: .seconds(5)), "NAME ist beigetreten")
            #expect(await second.hearsSomething(within: .seconds(5)))
            for chime in Self.chimes { #expect(await first.level(of: chime) < -25, "no tone") }
            try await isSilent(first)
            try await second.hangup()
            #expect(await first.hearsSomething(within: .seconds(5)), "NAME hat die Konferenz verlassen")
            try await isSilent(first)
            try await first.hangup()
        }
    }

    @Test("a PIN is asked for by the conference's own sound; who waits, and who is alone, hears music")
    func promptsAndMusic() async throws {
        let wave = try ChildProcess.output(
            of: "/usr/bin/ffmpeg",
            ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=frequency=1234:sample_rate=8000:duration=1", "-af", "volume=6dB", "-f", "wav", "pipe:1"])
        let server = try WebServer { request in request.path == "/pin.wav" ? .init(200, [:], wave) : .init(404) }
        defer { server.close() }
        let conference = try await make([
            "pin": "12", "moderator_pin": "99", "wait_for_moderator": true, "music_on_hold": true,
            "prompts": ["pin": .string(server.url + "/pin.wav"), "waiting": .string(server.url + "/none.wav")],
        ])
        try await withPhones(2, in: suite) { phones in
            let one = try await enter(phones[0], conference.number)
            #expect(await one.hears(1_234, within: .seconds(5)))
            #expect(await one.hears(560, within: .seconds(5)), "the tone after it")
            try await one.send(digits: "12")
            // A sound that is not there is spoken; then there is music as long as one waits.
            for _ in 0..<4 {
                try await Task.sleep(for: .seconds(1))
                #expect(await one.hearsSomething())
            }
            let leader = try await phones[1].call(conference.number)
            try await leader.answered()
            #expect(await leader.hears(1_234, within: .seconds(5)))
            try await leader.send(digits: "99")
            #expect(await one.hears(620, within: .seconds(5)))
            try await isSilent(leader)
            try await leader.hangup()
            #expect(await one.hearsSomething(within: .seconds(5)), "alone")
            try await Task.sleep(for: .seconds(2))
            #expect(await one.hearsSomething())
            #expect(await !one.heard(frequency: 620))
            try await one.hangup()
        }
        #expect(server.requests(for: "/pin.wav").count == 1)
    }
}
