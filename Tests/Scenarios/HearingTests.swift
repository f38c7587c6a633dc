import Audio
import Deadlines
import Flow
import Phone
import Speech
import Suite
import Testing

@Suite("What is heard of a phone", .timeLimit(.minutes(3)))
struct HearingTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let greeting =
        "Hello, you have reached the voicemail of John Smith. I am not available right now. Please leave a message after the tone."

    private static func silence(_ milliseconds: Int) -> [Int16] { [Int16](repeating: 0, count: milliseconds * 8) }

    private static func tone(_ frequency: Double, _ milliseconds: Int) -> [Int16] {
        var tone = Tone(frequency: frequency)
        return tone.next(milliseconds * 8)
    }

    /// A call of the API's to a phone, which has answered and sends silence.
    private func call(_ phone: PhoneLine, _ actions: JSONValue) async throws -> (id: String, PhoneCall) {
        let created = try await suite.create("calls", ["from": "1001", "to": [.string(phone.number)], "actions": actions])
        let id = created["id"]?.string ?? ""
        let call = try await phone.incomingCall()
        try await call.setTone(nil)
        try await call.answered()
        return (id, call)
    }

    /// Plays a tone for each result of an `amd`.
    private static func told(_ option: JSONValue) -> JSONValue {
        [
            ["id": "amd", "type": "amd", "option": option],
            ["id": "which", "type": "branch", "option": ["variable": "amd.result", "target_ids": ["human": "person", "machine": "machine"]]],
            ["id": "none", "type": "hangup"],
            ["id": "person", "type": "play", "option": ["stream_urls": ["chime.wav"]], "next_id": "end"],
            ["id": "machine", "type": "beep"],
            ["id": "end", "type": "sleep", "option": ["duration": 2000]],
        ]
    }

    @Test("amd: who says hello and waits is a person; the flow goes on with it, and the events tell why")
    func person() async throws {
        let hello = try await Synthesiser.shared.synthesise(text: "Hello?")
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*")
            let (id, call) = try await call(phones[0], Self.told([:]))
            try await call.say(Self.silence(500) + hello)
            #expect(await call.hears(800, within: .seconds(5)), "what a person hears")
            let told = try await stream.events(of: id, until: "call.amd_finished", within: .seconds(5)).last
            #expect(told?["data"]?["amd"]?["result"]?.string == "human")
            #expect(told?["data"]?["amd"]?["reason"]?.string == "short_greeting")
            try await call.hangup()
            await stream.close()
        }
    }

    @Test("amd with detect_beep: a machine's beep is waited for, and its end is when the flow goes on")
    func machine() async throws {
        let greeting = try await Synthesiser.shared.synthesise(text: Self.greeting)
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*")
            let (id, call) = try await call(phones[0], Self.told(["detect_beep": true]))
            try await call.say(Self.silence(500) + greeting)
            #expect(await !call.heard(frequency: 1000), "not before the beep")
            try await call.say(Self.silence(400) + Self.tone(1400, 500))
            #expect(await call.hears(1000, within: .seconds(5)), "what is played to a machine")
            let events = try await stream.events(of: id, until: "call.beep_detected", within: .seconds(5))
            let types = events.compactMap { $0["type"]?.string }
            #expect(types.suffix(3) == ["call.amd_finished", "call.machine_detected", "call.beep_detected"])
            let frequency = events.last?["data"]?["beep"]?["frequency"]?.integer ?? 0
            #expect((1390...1410).contains(frequency))
            try await call.hangup()
            await stream.close()
        }
    }

    @Test("amd beside other actions hangs up on a machine")
    func asyncHangup() async throws {
        let greeting = try await Synthesiser.shared.synthesise(text: Self.greeting)
        try await withPhones(1, in: suite) { phones in
            let (_, call) = try await call(
                phones[0],
                [
                    ["id": "amd", "type": "amd", "option": ["async": true, "machine_handle": "hangup"]],
                    ["id": "wait", "type": "sleep", "option": ["duration": 60_000]],
                ])
            try await call.say(Self.silence(300) + greeting)
            #expect(try await call.ended(within: .seconds(10)) == .hungUpThere)
        }
    }

    @Test("listen_start over the API: speech, a silence and a fax are told by events; nothing before, nothing after listen_stop")
    func listening() async throws {
        let sentence = try await Synthesiser.shared.synthesise(text: "I would like to speak to somebody.")
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*")
            let (id, call) = try await call(phones[0], [["id": "wait", "type": "sleep", "option": ["duration": 60_000]]])
            try await call.say(Self.silence(200) + sentence + Self.silence(600))
            try await suite.eventually("it may be listened to") {
                let answer = try await suite.request(
                    "POST", "/v1/calls/\(id)/actions/listen_start", ["events": ["speech", "silence", "fax"], "silence": 1200])
                return answer.status == 204
            }
            try await call.say(Self.silence(300) + sentence + Self.silence(1500) + Self.tone(1100, 500) + Self.silence(800))
            let events = try await stream.events(of: id, until: "call.fax_detected", within: .seconds(8))
            let types = events.compactMap { $0["type"]?.string }.filter { !["call.created", "call.ringing", "call.answered"].contains($0) }
            #expect(types == ["call.speech_started", "call.speech_ended", "call.silence_detected", "call.fax_detected"])
            #expect(events.last?["data"]?["fax"]?["tone"]?.string == "calling")
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/listen_stop", [:]).status == 204)
            try await call.say(sentence + Self.silence(600))
            try await call.hangup()
            let rest = try await stream.events(of: id, until: "call.ended", within: .seconds(8)).compactMap { $0["type"]?.string }
            #expect(rest == ["call.ended"])
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/listen_start", ["events": ["speech"]]).status == 409)
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/listen_start", ["events": ["thunder"]]).status == 422)
            await stream.close()
        }
    }
}
