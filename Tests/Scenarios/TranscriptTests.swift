import Audio
import Deadlines
import Flow
import Foundation
import Phone
import Speech
import Suite
import Testing

@Suite("What is said on a call is written down", .serialized, .timeLimit(.minutes(3)))
struct TranscriptTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static func silence(_ milliseconds: Int) -> [Int16] { [Int16](repeating: 0, count: milliseconds * 8) }

    /// A recognition service, and its port.
    private static func service(_ script: String) async throws -> (Program, port: Int) {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/recognition")
        let program = try Program("/usr/bin/python3", ["-B", folder.appending(path: script).path])
        try await program.prints(".", within: .seconds(10))
        let port = program.output.split(separator: " ").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        return (program, port)
    }

    /// A call of the API's whose flow begins with these actions, then waits; answered, silent.
    private func call(_ phone: PhoneLine, _ actions: [JSONValue]) async throws -> (id: String, PhoneCall) {
        let wait: JSONValue = ["id": "wait", "type": "sleep", "option": ["duration": 60_000]]
        let created = try await suite.create("calls", ["from": "1001", "to": [.string(phone.number)], "actions": .array(actions + [wait])])
        let id = created["id"]?.string ?? ""
        let call = try await phone.incomingCall()
        try await call.setTone(nil)
        try await call.answered()
        return (id, call)
    }

    private func events(_ stream: EventStream, of id: String, until type: String) async throws -> [JSONValue] {
        try await stream.events(of: id, until: type, within: .seconds(15)).filter { $0["type"]?.string?.hasPrefix("transcript.") == true }
    }

    @Test("transcribe_start with hints: pocketsphinx understands which of them was said; transcribe_stop ends it")
    func sphinx() async throws {
        let words = try await Synthesiser.shared.synthesise(text: "I want to talk about billing", rate: 140)
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*,transcript.*")
            let option: JSONValue = [
                "provider": "sphinx", "language": "en-US", "direction": "in", "interim": true,
                "hints": ["i want to talk about billing", "please connect me with sales", "what time do you open"],
            ]
            let (id, call) = try await call(phones[0], [["id": "t", "type": "transcribe_start", "option": option]])
            // The model is read when the first voice is listened to.
            try await call.say(Self.silence(3000) + words + Self.silence(1200))
            let told = try await events(stream, of: id, until: "transcript.final")
            #expect(told.first?["type"]?.string == "transcript.started")
            let transcript = told.last?["data"]?["transcript"]
            #expect(transcript?["text"]?.string == "i want to talk about billing")
            #expect(transcript?["direction"]?.string == "in" && transcript?["who"]?.string == phones[0].number)
            let (start, end) = (transcript?["start_ms"]?.integer ?? 0, transcript?["end_ms"]?.integer ?? 0)
            #expect(start > 1500 && end - start > 1000)
            #expect(Set(told.compactMap { $0["data"]?["transcript"]?["id"]?.string }).count == 1)
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/transcribe_stop", [:]).status == 204)
            #expect(try await events(stream, of: id, until: "transcript.ended").last?["data"]?["call_id"] == nil)
            try await call.hangup()
            await stream.close()
        }
    }

    @Test("A recogniser over HTTP gets each utterance of the phone as a WAV file, with language and hints, and its answer is told")
    func http() async throws {
        let words = try await Synthesiser.shared.synthesise(text: "This goes over the web.")
        let (service, port) = try await Self.service("utterances.py")
        defer { service.stop() }
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*,transcript.*")
            let (id, call) = try await call(phones[0], [])
            try await suite.eventually("it is written down") {
                try await suite.request(
                    "POST", "/v1/calls/\(id)/actions/transcribe_start",
                    [
                        "provider_url": .string("http://127.0.0.1:\(port)/"), "language": "de", "direction": "in",
                        "hints": ["Grüß Gott, ja", "nein"],
                    ]
                ).status == 204
            }
            try await call.say(Self.silence(1000) + words + Self.silence(1000))
            let transcript = try await events(stream, of: id, until: "transcript.final").last?["data"]?["transcript"]
            let text = transcript?["text"]?.string ?? ""
            #expect(text.hasPrefix("8000 Hz 1 channel 16 bit ") && text.hasSuffix(" s de Grüß Gott, ja+nein signed=False"), "\(text)")
            #expect(transcript?["confidence"]?.double == 0.75)
            let seconds = Double(text.split(separator: " ").dropFirst(6).first ?? "") ?? 0
            #expect(abs(seconds - Double(words.count) / 8000) < 1.5, "\(seconds)")
            try await call.hangup()
            await stream.close()
        }
    }

    @Test("A recogniser over a WebSocket hears the sound as it comes, says what may change, and has the last word when it is told that all is said")
    func webSocket() async throws {
        let words = try await Synthesiser.shared.synthesise(text: "This goes over a socket.")
        let (service, port) = try await Self.service("stream.py")
        defer { service.stop() }
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*,transcript.*")
            let option: JSONValue = [
                "provider_url": .string("ws://127.0.0.1:\(port)/"), "language": "fr", "hints": ["oui"], "interim": true, "direction": "in",
            ]
            let (id, call) = try await call(phones[0], [["id": "t", "type": "transcribe_start", "option": option]])
            // The socket may be connected later than the first words are said.
            try await call.say(Self.silence(1500) + words + Self.silence(300) + words)
            let partial = try await events(stream, of: id, until: "transcript.partial").last?["data"]?["transcript"]
            #expect(partial?["text"]?.string == "something")
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/transcribe_stop", [:]).status == 204)
            let final = try await events(stream, of: id, until: "transcript.final").last?["data"]?["transcript"]
            #expect(final?["text"]?.string == "start s16le 8000 fr oui interim=True end loud=True")
            #expect((final?["end_ms"]?.integer ?? 0) > 1000)
            let refusing: JSONValue = ["provider_url": .string("ws://127.0.0.1:\(port)/refuse"), "direction": "in"]
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/transcribe_start", refusing).status == 204)
            let failed = try await events(stream, of: id, until: "transcript.failed").last?["data"]?["transcript"]
            #expect(failed?["detail"]?.string == "not today")
            try await call.hangup()
            await stream.close()
        }
    }

    @Test("A recogniser that answers 500, and one on an address that is not allowed, fail; the call goes on")
    func failures() async throws {
        let words = try await Synthesiser.shared.synthesise(text: "Nobody understands this.")
        let (service, port) = try await Self.service("utterances.py")
        defer { service.stop() }
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*,transcript.*")
            let broken: JSONValue = ["provider_url": .string("http://127.0.0.1:\(port)/broken"), "direction": "in"]
            let (id, call) = try await call(phones[0], [["id": "t", "type": "transcribe_start", "option": broken]])
            try await call.say(Self.silence(1000) + words + Self.silence(1000))
            let failed = try await events(stream, of: id, until: "transcript.failed").last?["data"]?["transcript"]
            #expect(failed?["code"]?.string == "refused" && failed?["direction"]?.string == "in")
            let inside: JSONValue = ["provider_url": "http://10.1.2.3/", "direction": "in"]
            #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/transcribe_start", inside).status == 204)
            let refused = try await events(stream, of: id, until: "transcript.failed").last?["data"]?["transcript"]
            #expect(refused?["detail"]?.string?.contains("no public server") == true)
            #expect(try await suite.request("GET", "/v1/calls/\(id)").body["status"]?.string == "in_progress")
            try await call.hangup()
            await stream.close()
        }
    }

    @Test("on_end_flow_id of transcribe_start runs when it is stopped, and when the call ends while it goes on; once each")
    func afterwards() async throws {
        let follows = try await suite.create(
            "flows", ["name": "afterwards", "actions": [["id": "s", "type": "stop"]]])
        let flow = follows["id"]?.string ?? ""
        let option: JSONValue = ["provider": "sphinx", "language": "en-US", "direction": "in", "on_end_flow_id": .string(flow)]
        try await withPhones(1, in: suite) { phones in
            let (id, call) = try await call(phones[0], [["id": "t", "type": "transcribe_start", "option": option]])
            func runs() async throws -> [JSONValue] { try await suite.request("GET", "/v1/runs?flow_id=\(flow)").body["data"]?.array ?? [] }
            try await suite.eventually("it is stopped") {
                _ = try await suite.request("POST", "/v1/calls/\(id)/actions/transcribe_stop", [:])
                return try await runs().count == 1
            }
            try await call.hangup()
            let (other, again) = try await self.call(phones[0], [["id": "t", "type": "transcribe_start", "option": option]])
            try await suite.eventually("it goes on") {
                try await suite.request("GET", "/v1/events?limit=200&types=transcript.started").body["data"]?.array?
                    .contains { $0["resource_id"]?.string == other } == true
            }
            try await again.hangup()
            try await suite.eventually("both are followed") { try await runs().count == 2 }
            let found = try await runs()
            #expect(Set(found.compactMap { $0["reference_id"]?.string }) == [id, other])
            try await suite.eventually("both have run") { try await runs().allSatisfy { $0["status"]?.string != "running" } }
        }
    }
}
