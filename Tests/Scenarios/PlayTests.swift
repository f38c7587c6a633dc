import ChildProcesses
import Contracts
import Deadlines
import Flow
import Foundation
import Hostile
import Phone
import Suite
import Testing

@Suite("What is played to a phone", .timeLimit(.minutes(2)))
struct PlayTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// A sine for two seconds, in a file that ffmpeg makes.
    private static func sine(_ frequency: Int, _ format: String, _ codec: String) throws -> [UInt8] {
        try ChildProcess.output(
            of: "/usr/bin/ffmpeg",
            [
                "-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=frequency=\(frequency):sample_rate=48000:duration=2", "-af", "volume=6dB",
                "-c:a", codec, "-f", format, "pipe:1",
            ])
    }

    /// A call that is answered and left in silence; with the room it is alone in.
    private func quietCall(_ phone: PhoneLine) async throws -> (call: PhoneCall, room: String) {
        let number = try await suite.makeNumber(running: [
            ["id": "up", "type": "answer", "option": [:]], ["id": "wait", "type": "sleep", "option": ["duration": 60_000]],
        ])
        let call = try await phone.call(number.number)
        try await call.answered()
        try await call.setTone(nil)
        return (call, "room_" + (try await suite.session(from: phone.number)).dropFirst("sess_".count))
    }

    private func play(_ room: String, _ id: String, _ sources: [PlaySource], options: (inout PlayInRoom) -> Void = { _ in }) async throws {
        var command = PlayInRoom(roomID: room, participantID: nil, playID: id, sources: sources)
        options(&command)
        let asked = command
        // The seat is taken a moment after the 200.
        try await suite.eventually("\(id) is played") {
            _ = try await suite.command(asked, of: "ConferenceServer")
            return true
        }
    }

    @discardableResult
    private func control(_ room: String, _ id: String, _ change: ControlPlay.Change) async throws -> PlayState {
        try await suite.command(
            ControlPlay(roomID: room, playID: id, operationID: "op-\(UInt64.random(in: 0 ... .max))", change: change), of: "ConferenceServer")
    }

    @Test("play: an MP3, an Ogg Vorbis and an Ogg Opus file of a web server are heard in order; each is fetched once for two calls, and asked about when old")
    func webFiles() async throws {
        let files = [
            "/one.mp3": try Self.sine(700, "mp3", "libmp3lame"), "/two.ogg": try Self.sine(1100, "ogg", "libvorbis"),
            "/three.opus": try Self.sine(1500, "ogg", "libopus"),
        ]
        let server = try WebServer { request in
            guard let file = files[request.path] else { return .init(404) }
            let isKnown = request.headers["if-none-match"] == "\"1\""
            // The last is good for a second only.
            let headers = ["etag": "\"1\"", "cache-control": request.path == "/three.opus" ? "max-age=1" : "max-age=600"]
            return isKnown ? .init(304, headers) : .init(200, headers, file)
        }
        defer { server.close() }
        let urls = ["/one.mp3", "/two.ogg", "/three.opus"].map { JSONValue.string(server.url + $0) }
        let number = try await suite.makeNumber(running: [
            ["id": "files", "type": "play", "option": ["stream_urls": .array(urls)]],
            ["id": "end", "type": "hangup", "option": [:]],
        ])
        try await withPhones(2, in: suite) { phones in
            for (index, phone) in phones.enumerated() {
                let call = try await phone.call(number.number)
                try await call.answered()
                try await call.setTone(nil)
                for frequency in [700.0, 1100, 1500] {
                    #expect(await call.hears(frequency, within: .seconds(8)), "call \(index) hears \(frequency)")
                }
                #expect(try await call.ended(within: .seconds(10)) == .hungUpThere)
            }
        }
        #expect(server.requests(for: "/one.mp3").count == 1 && server.requests(for: "/two.ogg").count == 1)
        let asked = server.requests(for: "/three.opus")
        #expect(asked.count == 2 && asked.last?.headers["if-none-match"] == "\"1\"")
    }

    @Test("A play is paused, resumed, moved and made softer while it is heard; it is told how it stands")
    func controlled() async throws {
        try await withPhones(1, in: suite) { phones in
            let (call, room) = try await quietCall(phones[0])
            try await play(
                room, "scale",
                [.tone(frequency: 700, milliseconds: 20_000), .tone(frequency: 1100, milliseconds: 20_000)])
            // A tone of -10 dBm0, which is -13.2 dBFS.
            try await suite.eventually("loud") { abs(await call.level(of: 700) + 13.2) < 1 }
            #expect(try await control(room, "scale", .volume(decibels: -12)).volume == -12)
            try await suite.eventually("softer") { abs(await call.level(of: 700) + 25.2) < 1 }
            let stood = try await control(room, "scale", .pause)
            #expect(stood.paused)
            try await suite.eventually("silent") { await call.report.sound.level < -80 }
            #expect(try await control(room, "scale", .seek(milliseconds: 30_000)).position == 30_000)
            #expect(try await control(room, "scale", .resume).paused == false)
            #expect(await call.hears(1100, above: -45))
            try await control(room, "scale", .skip(milliseconds: -25_000))
            #expect(await call.hears(700, above: -45))
            try await call.hangup()
        }
    }

    @Test("Tones of a country are heard without any file; what interrupts is followed by what was heard before")
    func tones() async throws {
        try await withPhones(1, in: suite) { phones in
            let (call, room) = try await quietCall(phones[0])
            try await play(room, "dial", [.signal(name: "dial", country: "us")]) { $0.loop = true }
            #expect(await call.hears(350, above: -40))
            #expect(await call.hears(440, above: -40))
            try await play(room, "notice", [.tone(frequency: 1500, milliseconds: 600)]) { $0.placement = .interrupt }
            #expect(await call.hears(1500))
            try await suite.eventually("the tone goes on when the notice is over") {
                let (dial, notice) = (await call.level(of: 350), await call.level(of: 1500))
                return dial > -40 && notice < -50
            }
            try await call.hangup()
        }
    }

    @Test("Music on hold plays to who is alone, without any file")
    func music() async throws {
        try await withPhones(1, in: suite) { phones in
            let (call, room) = try await quietCall(phones[0])
            try await play(room, "music", [.music]) { ($0.loop, $0.placement, $0.whileAlone) = (true, .background, true) }
            #expect(await call.hearsSomething(within: .seconds(5)))
            #expect(await call.hears(440, within: .seconds(10), above: -45), "an A of its second bar")
            try await call.hangup()
        }
    }

    @Test("A prompt that waits for a voice ends when the phone speaks, and the next is heard")
    func stopOnSpeech() async throws {
        try await withPhones(1, in: suite) { phones in
            let (call, room) = try await quietCall(phones[0])
            try await play(room, "menu", [.tone(frequency: 700, milliseconds: 60_000)]) { $0.stopOnSpeech = true }
            try await play(room, "next", [.tone(frequency: 1100, milliseconds: 20_000)])
            #expect(await call.hears(700))
            try await Task.sleep(for: .seconds(1))
            #expect(await call.heard(frequency: 700), "silence ends nothing")
            try await call.setTone(440)
            #expect(await call.hears(1100))
            try await call.hangup()
        }
    }

    @Test("talk with digits_handle next: a digit ends the prompt, and counts for the branch that follows; SSML and a voice are obeyed")
    func stopOnDigit() async throws {
        let text = "<speak>" + String(repeating: "<s>this is said for a long time</s><break time=\"1s\"/>", count: 20) + "</speak>"
        let number = try await suite.makeNumber(running: [
            ["id": "ask", "type": "talk", "option": ["text": .string(text), "language": "en-GB", "voice_id": "female", "digits_handle": "next"]],
            ["id": "choice", "type": "branch", "option": ["target_ids": ["7": "right"], "default_target_id": "wrong"]],
            ["id": "right", "type": "echo", "option": ["duration": 3_000], "next_id": "end"],
            ["id": "wrong", "type": "hangup", "option": ["reason": "busy"]],
            ["id": "end", "type": "hangup", "option": [:]],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hearsSomething(within: .seconds(8)), "it speaks")
            try await call.send(digits: "7")
            #expect(await call.hears(440, within: .seconds(4)), "the right branch echoes")
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
        }
    }

    @Test("A conference tells when something is heard by all of it, and how that ended, at which place")
    func events() async throws {
        let conference = try await suite.create("conferences", ["name": "Played to"])
        let id = try #require(conference["id"]?.string)
        let room = "room_" + id.drop { $0 != "_" }.dropFirst()
        let number = try await suite.makeNumber(running: [["id": "in", "type": "conference_join", "option": ["conference_id": .string(id)]]])
        let stream = try EventStream(suite, query: "types=conference.*")
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            try await play(room, "notice", [.tone(frequency: 700, milliseconds: 400)])
            let events = try await stream.events(of: id, until: "conference.play_finished", within: .seconds(10))
            let plays = events.filter { $0["type"]?.string?.hasPrefix("conference.play") == true }
            #expect(plays.map { $0["type"]?.string } == ["conference.play_started", "conference.play_finished"])
            #expect(plays.allSatisfy { $0["data"]?["play_id"]?.string == "notice" && $0["data"]?["participant_id"] == nil })
            #expect(plays.last?["data"]?["reason"]?.string == "completed" && plays.last?["data"]?["position"]?.integer == 400)
            try await call.hangup()
        }
        await stream.close()
    }
}
