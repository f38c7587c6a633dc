import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// One at a time: each kills what all sound goes through.
@Suite("A process of the ConferenceServer dies under live rooms (RELIABILITY K5, K9)", .serialized, .timeLimit(.minutes(5)))
struct RoomDeathTests {
    enum Victim: String, CaseIterable { case worker, keeper, bothInTurn, frozen }

    private static let service = "ConferenceServer"
    private static let large = 8
    private static let small = 5

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// Phones that are in one conference.
    private struct Meeting {
        let id: String
        let calls: [PhoneCall]
        let tones: [Int]
    }

    @Test("a room of eight and five of three go on: nobody hears itself, roles and mutes stay, the stream stays one", arguments: Victim.allCases)
    func roomsGoOn(victim: Victim) async throws {
        try await withMeetings { meetings in
            let board = meetings[0]
            let list = try await participants(board.id)
            let path = "/v1/conferences/\(board.id)/participants/"
            let muted = try #require(list.last?["id"]?.string)
            #expect(try await suite.request("PATCH", path + muted, ["muted": true]).status == 200)
            let raised = try #require(list[1]["id"]?.string)
            #expect(try await suite.request("PATCH", path + raised, ["hand_raised": true, "role": "moderator"]).status == 200)
            let before = try await rights(board.id)
            for meeting in meetings { try await expectSound(meeting, mute: meeting.id == board.id) }
            var reports: [[SoundReport]] = []
            for meeting in meetings {
                for call in meeting.calls { await call.forgetWhatWasHeard() }
                var sounds: [SoundReport] = []
                for call in meeting.calls { sounds.append(await call.report.sound) }
                reports.append(sounds)
            }
            try await kill(victim)
            try await Task.sleep(for: .seconds(1))
            var longest = Interval.zero
            for (meeting, reports) in zip(meetings, reports) {
                for (call, before) in zip(meeting.calls, reports) {
                    let now = await call.report.sound
                    longest = max(longest, now.longestGap)
                    #expect(now.sources == before.sources && now.unexpected == before.unexpected, "nobody hears that it is another process")
                }
                try await expectSound(meeting, mute: meeting.id == board.id)
            }
            // Of one that only hangs a patience of three seconds is what is heard.
            if victim != .frozen { #expect(longest < .milliseconds(520), "RELIABILITY K5") }
            try note("\(victim): longest gap \(Int(longest.milliseconds)) ms")
            // Asked over the bus, which the successor joins after it sounds.
            try await suite.eventually("everybody is there as before") { try await rights(board.id) == before }
            // Commands reach it, and rooms end as they did.
            #expect(try await suite.request("PATCH", path + muted, ["muted": false]).status == 200)
            try await expectSound(board, mute: false)
        }
    }

    @Test("a key and a prompt: what is pressed is told once, what is played goes on")
    func promptGoesOn() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "up", "type": "answer", "option": [:]],
            ["id": "say", "type": "talk", "option": ["text": .string(String(repeating: "one two three four five six seven. ", count: 6)), "language": "en"]],
            ["id": "key", "type": "digits_receive", "option": ["duration": 20_000, "length": 2]],
            [
                "id": "which", "type": "branch",
                "option": ["variable": "voipbin.call.digits", "target_ids": ["47": "echo"], "default_target_id": "end"],
            ],
            ["id": "echo", "type": "echo", "option": ["duration": 20_000]],
            ["id": "end", "type": "hangup", "option": [:]],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            try await call.setTone(nil)
            #expect(await call.hearsSomething())
            try suite.killWorker(of: Self.service)
            try await Task.sleep(for: .milliseconds(700))
            await call.forgetWhatWasHeard()
            try await Task.sleep(for: .milliseconds(300))
            #expect(await call.hearsSomething(within: .seconds(1)), "the prompt is still heard")
            try await call.send(digits: "4")
            let worker = try suite.worker(of: Self.service)
            try suite.killWorker(of: Self.service)
            try await suite.waitUntilWorks(Self.service, insteadOf: worker)
            try await call.send(digits: "7")
            try await call.setTone(1_010)
            #expect(await call.hears(1_010, within: .seconds(25)), "two digits, each once, have led to the echo")
            try await call.hangup()
        }
    }

    // MARK: Rooms

    private func withMeetings(_ body: ([Meeting]) async throws -> Void) async throws {
        let sizes = [Self.large] + Array(repeating: 3, count: Self.small)
        try await withPhones(sizes.reduce(0, +), in: suite) { phones in
            var meetings: [Meeting] = []
            var next = 0
            for size in sizes {
                let number = "88\(Int.random(in: 100_000...999_999))"
                let created = try await suite.create("conferences", ["name": "Board", "number": .string(number)])
                let id = try #require(created["id"]?.string)
                var calls: [PhoneCall] = []
                for phone in phones[next..<next + size] {
                    let call = try await phone.call(number)
                    try await call.answered()
                    calls.append(call)
                }
                meetings.append(Meeting(id: id, calls: calls, tones: (next..<next + size).map { Tones.of($0) }))
                next += size
            }
            try await body(meetings)
            for meeting in meetings { for call in meeting.calls { try await call.hangup() } }
        }
    }

    /// Everybody hears everybody else, but for a last one that is muted, and nobody itself.
    private func expectSound(_ meeting: Meeting, mute: Bool) async throws {
        let speakers = mute ? meeting.tones.count - 1 : meeting.tones.count
        for (index, call) in meeting.calls.enumerated() {
            for other in meeting.tones.indices where other != index {
                let tone = Double(meeting.tones[other])
                if other < speakers {
                    #expect(await call.hears(tone, within: .seconds(5)), "\(index) hears \(other)")
                } else {
                    #expect(try await comes { await call.level(of: tone) < -38 }, "\(index) does not hear the muted")
                }
            }
            #expect(await call.level(of: Double(meeting.tones[index])) < -38, "\(index) does not hear itself")
        }
    }

    private func participants(_ id: String) async throws -> [JSONValue] {
        try await suite.request("GET", "/v1/conferences/\(id)/participants").body["data"]?.array ?? []
    }

    private func rights(_ id: String) async throws -> [String] {
        try await participants(id).map { participant in
            ["id", "role", "muted", "deaf", "hand_raised", "joined_at"].map { participant[$0]?.jsonText ?? "" }.joined(separator: " ")
        }
    }

    private func comes(_ isTrue: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<100 {
            if try await isTrue() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func note(_ line: String) throws {
        let path = "\(suite.folder)/rooms.txt"
        let before = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        try (before + line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test("what a call was told while its room hung, and what the room never answered, holds with the successor; what was said last stays")
    func toldInVain() async throws {
        try await withPhones(2, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(await incoming.hears(440))
            let id = try await suite.callID(from: phones[0].number)
            func act(_ verb: String) async throws {
                let status = try await suite.request("POST", "/v1/calls/\(id)/actions/\(verb)", [:]).status
                #expect((200..<300).contains(status), "\(verb): \(status)")
            }
            let worker = try suite.worker(of: Self.service)
            try suite.freezeWorker(of: Self.service)
            // The first is on its way to a process that reads nothing any more, the others wait for its answer.
            for verb in ["hold", "mute", "unhold"] { try await act(verb) }
            try suite.killWorker(of: Self.service)
            try await suite.waitUntilWorks(Self.service, insteadOf: worker)
            await outgoing.forgetWhatWasHeard()
            try await suite.eventually("it is not heard") { await incoming.level(of: 440) < -45 }
            #expect(await outgoing.hears(620), "and hears")
            try await Task.sleep(for: .seconds(1))
            await outgoing.forgetWhatWasHeard()
            #expect(await outgoing.hears(620), "and goes on hearing")
            #expect(await incoming.level(of: 440) < -45)
            try await act("unmute")
            #expect(await incoming.hears(440))
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
        }
    }

    private func kill(_ victim: Victim) async throws {
        let (keeper, worker) = (try suite.pid(of: Self.service), try suite.worker(of: Self.service))
        switch victim {
        case .worker: try suite.killWorker(of: Self.service)
        case .keeper: try suite.killProcess(of: Self.service)
        case .bothInTurn:
            try suite.killProcess(of: Self.service)
            try await suite.waitUntilBack(Self.service, insteadOf: keeper)
            // Its standby has to know everything before it can go on.
            try await Task.sleep(for: .seconds(2))
            try suite.killWorker(of: Self.service)
        case .frozen: try suite.freezeWorker(of: Self.service)
        }
        switch victim {
        case .keeper: try await suite.waitUntilBack(Self.service, insteadOf: keeper)
        case .worker, .bothInTurn, .frozen: try await suite.waitUntilWorks(Self.service, insteadOf: worker)
        }
    }
}
