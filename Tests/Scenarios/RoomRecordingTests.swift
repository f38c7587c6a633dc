import Audio
import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

@Suite("Calls and conferences are recorded", .timeLimit(.minutes(3)))
struct RoomRecordingTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// Of tenths of a second, the middle one: a busy machine's phone may leave out a packet.
    private func level(_ frequency: Double, _ samples: some Collection<Int16>) -> Double {
        let samples = Array(samples)
        let levels = stride(from: 0, to: samples.count - 799, by: 800).map { start in
            Level(amplitude: Goertzel.amplitude(of: frequency, in: samples[start..<(start + 800)].span)).dBFS
        }
        return levels.isEmpty ? -.infinity : levels.sorted()[levels.count / 2]
    }

    private func action(_ path: String, _ verb: String, _ body: JSONValue = [:]) async throws -> RunningSuite.Answer {
        try await suite.request("POST", "/v1/\(path)/actions/record_\(verb)", body)
    }

    private func start(_ path: String, _ body: JSONValue = [:]) async throws -> String {
        let answer = try await action(path, "start", body)
        guard answer.status == 201, let id = answer.body["id"]?.string else { throw RunningSuite.Missing.refused(answer.body.jsonText) }
        return id
    }

    private func types(_ id: String, until last: String) async throws -> [JSONValue] {
        var events: [JSONValue] = []
        try await suite.eventually("\(last) is told of \(id)") {
            events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
            return events.contains { $0["type"]?.string == last }
        }
        return events.sorted { ($0["sequence"]?.integer ?? 0) < ($1["sequence"]?.integer ?? 0) }
    }

    @Test("stereo: the caller left, the room right; what is downloaded has the checksum that was told, whole and in ranges")
    func stereo() async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            let call = try await suite.callID(from: phones[0].number)
            let id = try await start("calls/\(call)", ["layout": "stereo"])
            try await Task.sleep(for: .seconds(2))
            let stopped = try await action("calls/\(call)", "stop")
            #expect(stopped.status == 200 && stopped.body["data"]?.array?.first?["id"]?.string == id)
            #expect(try await action("calls/\(call)", "stop").status == 409)
            let recording = try await suite.recording(id)
            #expect(recording["status"]?.string == "stored" && recording["end_reason"]?.string == "stopped")
            #expect(recording["call_id"]?.string == call && recording["interrupted"]?.bool == false)
            let duration = try #require(recording["duration_ms"]?.integer)
            #expect(duration >= 1900 && duration < 6000)

            let media = try await suite.download("/v1/recordings/\(id)/media")
            #expect(media.status == 200 && media.headers["content-type"] == "audio/wav")
            #expect(Int64(media.bytes.count) == recording["size"]?.integer)
            #expect(try RunningSuite.sha256(media.bytes) == recording["sha256"]?.string)
            let sides = try RunningSuite.channels(media.bytes, "wav", count: 2)
            #expect(Int64(sides[0].count / 8) == duration)
            #expect(level(440, sides[0].dropFirst(800)) > -20 && level(620, sides[0].dropFirst(800)) < -50)
            #expect(level(620, sides[1].dropFirst(800)) > -20 && level(440, sides[1].dropFirst(800)) < -50)

            let part = try await suite.download("/v1/recordings/\(id)/media", range: "bytes=40-10039")
            #expect(part.status == 206 && part.bytes == Array(media.bytes[40..<10_040]))
            #expect(part.headers["content-range"] == "bytes 40-10039/\(media.bytes.count)")
            let tail = try await suite.download("/v1/recordings/\(id)/media", range: "bytes=-7")
            #expect(tail.status == 206 && tail.bytes == Array(media.bytes.suffix(7)))
            #expect(try await suite.download("/v1/recordings/\(id)/media", range: "bytes=\(media.bytes.count)-").status == 416)

            let told = try await types(id, until: "recording.stored")
            #expect(told.map { $0["type"]?.string } == ["recording.started", "recording.stored"])
            let data = try #require(told.last?["data"])
            for field in ["duration_ms", "size", "sha256", "format"] { #expect(data[field] == recording[field], "\(field)") }
            let list = try await suite.request("GET", "/v1/recordings?call_id=\(call)").body["data"]?.array
            #expect(list?.map { $0["id"]?.string } == [id])
            try await caller.hangup()
            try await callee.ended()
        }
    }

    @Test("another tenant finds none of it, and does nothing to it")
    func strangers() async throws {
        let bootstrap = try suite.bootstrapKey()
        let domain = "other-\(UInt32.random(in: 0 ... .max)).localhost"
        let customer = try await suite.request("POST", "/v1/customers", ["name": "Other", "domain": .string(domain)], key: bootstrap).body
        let other = try #require(customer["id"]?.string)
        let made = try await suite.request(
            "POST", "/v1/keys", ["name": "k", "scopes": ["*"], "customer_id": .string(other)], key: bootstrap)
        let key = try #require(made.body["secret"]?.string)
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call("600")
            try await call.answered()
            let callID = try await suite.callID(from: phones[0].number)
            let id = try await start("calls/\(callID)")
            for (method, path) in [
                ("GET", "/v1/recordings/\(id)"), ("GET", "/v1/recordings/\(id)/media"), ("DELETE", "/v1/recordings/\(id)"),
                ("POST", "/v1/calls/\(callID)/actions/record_start"), ("POST", "/v1/calls/\(callID)/actions/record_stop"),
                ("POST", "/v1/calls/\(callID)/actions/record_pause"),
            ] {
                #expect(try await suite.request(method, path, method == "POST" ? [:] : nil, key: key).status == 404, "\(method) \(path)")
            }
            #expect(try await suite.request("GET", "/v1/recordings", key: key).body["data"]?.array?.isEmpty == true)
            #expect(try await suite.request("DELETE", "/v1/recordings/\(id)").status == 409, "it goes on")
            try await call.hangup()
            #expect(try await suite.recording(id)["status"]?.string == "stored")
            #expect(try await suite.request("DELETE", "/v1/recordings/\(id)").status == 204)
            #expect(try await suite.request("GET", "/v1/recordings/\(id)").status == 404)
            #expect(try await suite.download("/v1/recordings/\(id)/media").status == 404)
        }
    }

    @Test("a pause leaves out what is said meanwhile; the call's end ends the recording")
    func pause() async throws {
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call("600")
            try await call.answered()
            let callID = try await suite.callID(from: phones[0].number)
            try await call.setTone(nil)
            let id = try await start("calls/\(callID)", ["format": "ogg"])
            try await call.setTone(440)
            try await Task.sleep(for: .milliseconds(1200))
            let paused = try await action("calls/\(callID)", "pause")
            #expect(paused.body["data"]?.array?.first?["status"]?.string == "paused")
            try await call.setTone(1010)
            try await Task.sleep(for: .milliseconds(1500))
            try await call.setTone(620)
            // What is on its way is heard.
            try await Task.sleep(for: .milliseconds(400))
            #expect(try await action("calls/\(callID)", "resume").body["data"]?.array?.first?["status"]?.string == "recording")
            try await Task.sleep(for: .milliseconds(1200))
            try await call.hangup()
            let recording = try await suite.recording(id)
            #expect(recording["status"]?.string == "stored")
            #expect(["left", "room_ended"].contains(recording["end_reason"]?.string))
            let media = try await suite.download("/v1/recordings/\(id)/media")
            #expect(media.headers["content-type"] == "audio/ogg")
            #expect(try RunningSuite.sha256(media.bytes) == recording["sha256"]?.string)
            let sound = try RunningSuite.channels(media.bytes, "ogg", count: 1)[0]
            let duration = Int(recording["duration_ms"]?.integer ?? 0)
            #expect(abs(sound.count / 8 - duration) <= 20)
            let tenths = stride(from: 0, to: sound.count - 799, by: 800).map { Array(sound[$0..<($0 + 800)]) }
            #expect(tenths.count { level(440, $0) > -25 } >= 8 && tenths.count { level(620, $0) > -25 } >= 8)
            #expect(tenths.count { level(1010, $0) > -25 } <= 1)
            let told = try await types(id, until: "recording.stored").map { $0["type"]?.string }
            #expect(told == ["recording.started", "recording.paused", "recording.resumed", "recording.stored"])
        }
    }

    @Test("a conference: tracks are in step and alone, mixed has all; the manifest's checksums are those of the files")
    func tracks() async throws {
        let conference = try await suite.create("conferences", ["name": "Recorded", "number": .string("87\(Int.random(in: 100_000...999_999))")])
        let (id, number) = (try #require(conference["id"]?.string), try #require(conference["number"]?.string))
        #expect(try await action("conferences/\(id)", "start").status == 409, "nobody is in it")
        try await withPhones(3, in: suite) { phones in
            var calls: [PhoneCall] = []
            for phone in phones.prefix(2) {
                let call = try await phone.call(number)
                try await call.answered()
                calls.append(call)
            }
            #expect(await calls[0].hears(620))
            let tracks = try await start("conferences/\(id)", ["layout": "tracks"])
            let mixed = try await start("conferences/\(id)")
            #expect(try await action("conferences/\(id)", "start", ["layout": "stereo"]).status == 422)
            try await Task.sleep(for: .seconds(1))
            let late = try await phones[2].call(number)
            try await late.answered()
            #expect(await calls[0].hears(1010))
            try await Task.sleep(for: .milliseconds(1500))
            #expect(try await action("conferences/\(id)", "stop").body["data"]?.array?.count == 2)

            let recording = try await suite.recording(tracks)
            #expect(recording["status"]?.string == "stored" && recording["conference_id"]?.string == id)
            let manifest = try await suite.download("/v1/recordings/\(tracks)/media")
            #expect(manifest.headers["content-type"] == "application/json")
            #expect(try RunningSuite.sha256(manifest.bytes) == recording["sha256"]?.string)
            let files = try #require(recording["tracks"]?.array)
            #expect(files.count == 3)
            var sounds: [[Int16]] = []
            for file in files {
                let track = try #require(file["track"]?.integer)
                let media = try await suite.download("/v1/recordings/\(tracks)/media?track=\(track)")
                #expect(try RunningSuite.sha256(media.bytes) == file["sha256"]?.string && Int64(media.bytes.count) == file["size"]?.integer)
                sounds.append(try RunningSuite.channels(media.bytes, "wav", count: 1)[0])
            }
            #expect(Set(sounds.map(\.count)).count == 1, "they are of one length")
            // They are numbered as they are first heard.
            for (index, tone) in [440.0, 620, 1010].enumerated() {
                let call = try await suite.callID(from: phones[index].number)
                let track = try #require(files.firstIndex { $0["call_id"]?.string == call })
                let last = sounds[track].suffix(8000)
                for other in [440.0, 620, 1010] { #expect((level(other, last) > -25) == (other == tone), "of phone \(index + 1), \(other) Hz") }
            }
            #expect(sounds[2].prefix(4000).allSatisfy { $0 == 0 }, "who came later begins with silence")
            #expect(try await suite.download("/v1/recordings/\(tracks)/media?track=4").status == 404)

            let all = try await suite.recording(mixed)
            let sound = try RunningSuite.channels(try await suite.download("/v1/recordings/\(mixed)/media").bytes, "wav", count: 1)[0]
            #expect(all["status"]?.string == "stored")
            for tone in [440.0, 620, 1010] { #expect(level(tone, sound.suffix(8000)) > -25) }
            for call in calls + [late] { try await call.hangup() }
        }
    }

    @Test("recording_start in a flow goes on at once and ends at the key; the flow knows it; it follows the call into a conference")
    func flow() async throws {
        let conference = try await suite.create("conferences", ["name": "Moved to"])
        let id = try #require(conference["id"]?.string)
        let number = try await suite.makeNumber(running: [
            ["id": "r", "type": "recording_start", "option": ["format": "wav", "layout": "stereo", "end_of_key": "#", "beep_start": true]],
            ["id": "known", "type": "condition_variable", "option": ["condition": "!=", "variable": "voipbin.recording.id", "value_type": "string", "value_string": "", "false_target_id": "end"]],
            ["id": "wait", "type": "sleep", "option": ["duration": 1500]],
            ["id": "in", "type": "conference_join", "option": ["conference_id": .string(id)]],
            ["id": "end", "type": "hangup", "option": [:]],
        ])
        try await withPhones(2, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(1400), "the tone that tells of it")
            let callID = try await suite.callID(from: phones[0].number)
            let other = try await suite.makeNumber(running: [["id": "in", "type": "conference_join", "option": ["conference_id": .string(id)]]])
            let second = try await phones[1].call(other.number)
            try await second.answered()
            #expect(await call.hears(620, within: .seconds(8)), "it is in the conference")
            try await Task.sleep(for: .seconds(1))
            try await call.send(digits: "#")
            var recording = JSONValue.null
            try await suite.eventually("the key ends it") {
                recording = try await suite.request("GET", "/v1/recordings?call_id=\(callID)").body["data"]?.array?.first ?? .null
                return recording["status"]?.string == "stored"
            }
            #expect(recording["end_reason"]?.string == "key")
            let media = try await suite.download("/v1/recordings/\(try #require(recording["id"]?.string))/media")
            let sides = try RunningSuite.channels(media.bytes, "wav", count: 2)
            #expect(sides[0].count > 8 * 2000)
            #expect(level(440, sides[0].suffix(4800)) > -25 && level(620, sides[1].suffix(4800)) > -25)
            #expect(level(620, sides[1].prefix(8000)) < -40, "before, it was alone")
            #expect(await call.heard(frequency: 620), "and the call goes on")
            try await call.hangup()
            try await second.hangup()
        }
    }

    @Test("keys: hidden: the tones of what answers such a question are in no recording, those of other questions are; nothing is moved")
    func secrets() async throws {
        func question(_ id: String, hides: Bool) -> JSONValue {
            ["id": .string(id), "type": "gather", "option": ["text": "Go.", "length": 1, "timeout": 20_000, "keys": hides ? "hidden" : "shown"]]
        }
        let number = try await suite.makeNumber(running: [
            ["id": "r", "type": "recording_start", "option": ["format": "wav", "layout": "stereo"]], question("before", hides: false),
            question("pin", hides: true), ["id": "wait", "type": "sleep", "option": ["duration": 1500]], question("after", hides: false), ["id": "end", "type": "hangup"],
        ])
        // A phone whose keys are tones in its sound before it tells of them: of one without telephone events the relay takes the tones out.
        try await withPhones(1, in: suite, options: { $0.tone = nil }) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            let callID = try await suite.callID(from: phones[0].number)
            for (step, key) in [(2, "0"), (3, "1"), (5, "0")] {
                try await suite.eventually("question \(step) is asked") {
                    let runs = try await suite.request("GET", "/v1/runs?reference_id=\(callID)").body["data"]?.array
                    return runs?.contains { $0["step"]?.integer == Int64(step) } == true
                }
                try await call.send(tones: key)
                try await call.send(digits: key)
            }
            #expect(try await call.ended(within: .seconds(20)) == .hungUpThere)
            var recording = JSONValue.null
            try await suite.eventually("it is stored") {
                recording = try await suite.request("GET", "/v1/recordings?call_id=\(callID)").body["data"]?.array?.first ?? .null
                return recording["status"]?.string == "stored"
            }
            let media = try await suite.download("/v1/recordings/\(try #require(recording["id"]?.string))/media")
            let said = try RunningSuite.channels(media.bytes, "wav", count: 2)[0]
            func loudest(_ frequency: Double, from start: Int = 0) -> Double {
                stride(from: start, to: said.count - 799, by: 200).map { Level(amplitude: Goertzel.amplitude(of: frequency, in: said[$0..<($0 + 800)].span)).dBFS }.max()
                    ?? -.infinity
            }
            for frequency in [941.0, 1336] {
                #expect(loudest(frequency) > -22, "the key before is there")
                #expect(loudest(frequency, from: said.count * 2 / 3) > -22, "and the one after")
            }
            for frequency in [697.0, 1209] { #expect(loudest(frequency) < -32, "\(frequency) of the secret key") }
        }
    }

    @Test("recording_start: keys it does not know are refused where the flow is made; a format of VoIPbin's that is not had here is not")
    func refused() async throws {
        let answer = try await suite.request(
            "POST", "/v1/flows",
            ["name": "f", "actions": [["type": "recording_start", "option": ["format": "mp3", "on_end_flow_id": "flow_1", "end_of_key": "7"]]]])
        #expect(answer.status == 422)
        let pointers = answer.body["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []
        #expect(pointers == ["/actions/0/option/end_of_key"])
    }

    @Test("silence of the caller ends it, and so does its longest")
    func ends() async throws {
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call("600")
            try await call.answered()
            let callID = try await suite.callID(from: phones[0].number)
            let short = try await start("calls/\(callID)", ["duration": 1])
            let quiet = try await start("calls/\(callID)", ["end_of_silence": 2])
            let first = try await suite.recording(short)
            #expect(first["end_reason"]?.string == "duration" && first["duration_ms"]?.integer == 1000)
            #expect(try await suite.request("GET", "/v1/recordings/\(quiet)").body["status"]?.string == "recording")
            try await call.setTone(nil)
            let second = try await suite.recording(quiet)
            #expect(second["end_reason"]?.string == "silence")
            try await call.hangup()
        }
    }
}
