import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// The suite runs with `SCALE="ConferenceServer=2"`.
@Suite("One of two ConferenceServers is gone (RELIABILITY §4.6, K9)", .serialized, .timeLimit(.minutes(5)))
struct ConferenceServersTests {
    private static let service = "ConferenceServer"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    enum Victim: String, CaseIterable { case killed, stopped, terminated }

    @Test("its rooms live on with the other: roles, mutes and hands as they were, everybody hears the others; who comes back has no say", arguments: Victim.allCases)
    func roomsGoOn(victim: Victim) async throws {
        let conferences = try await makeConferences(6)
        try await withPhones(6, in: suite) { phones in
            // Three in a conference, and three in another, so that one of them is likely with either.
            var calls: [PhoneCall] = []
            for (index, phone) in phones.enumerated() {
                let call = try await phone.call(conferences[index / 3].number)
                try await call.answered()
                calls.append(call)
            }
            for first in [0, 3] { try await expectSound(calls, first) }
            let path = "/v1/conferences/\(conferences[0].id)/participants"
            let list = try await suite.request("GET", path).body["data"]?.array ?? []
            #expect(list.count == 3)
            let raised = try #require(list[1]["id"]?.string)
            #expect(try await suite.request("PATCH", "\(path)/\(raised)", ["hand_raised": true, "role": "moderator"]).status == 200)
            let before = try await rights(path)
            let instance = try await host(of: conferences[0].id)
            for call in calls { await call.forgetWhatWasHeard() }
            let old = try suite.pid(of: Self.service, instance)
            try suite.leaveAlone(Self.service, instance)
            let stopped = try await remove(instance, victim)
            // Whatever becomes of this test, the next ones find a suite that runs.
            defer {
                for process in stopped { kill(process, SIGCONT) }
                try? suite.supervise(Self.service, instance)
            }
            try await suite.eventually("the other has the room") { try await host(of: conferences[0].id) != instance }
            // What was heard before is not what is heard now.
            try await Task.sleep(for: .seconds(1))
            for first in [0, 3] { try await expectSound(calls, first) }
            try await suite.eventually("everybody is there as before") { try await rights(path) == before }
            if victim == .stopped {
                // It was thought dead and is not: nothing it says counts, and it drops what it had.
                for process in stopped { kill(process, SIGCONT) }
                try await suite.eventually("it has nobody any more") { try await suite.metric("tandem_room_participants", of: Self.service, instance) == 0 }
                for first in [0, 3] { try await expectSound(calls, first) }
                #expect(try await rights(path) == before)
                #expect(try await host(of: conferences[0].id) != instance)
            }
            var longest = Interval.zero
            for call in calls {
                longest = max(longest, await call.report.sound.longestGap)
                #expect(await call.report.sound.sources <= 1)
            }
            let line = "\(victim): longest gap \(Int(longest.milliseconds)) ms\n"
            let file = "\(suite.folder)/servers.txt"
            try (((try? String(contentsOfFile: file, encoding: .utf8)) ?? "") + line).write(toFile: file, atomically: true, encoding: .utf8)
            for call in calls { try await call.hangup() }
            try suite.supervise(Self.service, instance)
            if victim != .stopped { try await suite.waitUntilBack(Self.service, instance, insteadOf: old, within: .seconds(30)) }
        }
    }

    @Test("a call goes from the one to the other: heard all the while, in one stream, two packets missed at most")
    func movesBetweenInstances() async throws {
        let conferences = try await makeConferences(12)
        try await withPhones(3, in: suite) { phones in
            let first = try await phones[0].call(conferences[0].number)
            try await first.answered()
            let here = try await host(of: conferences[0].id)
            var elsewhere: (id: String, call: PhoneCall)?
            for conference in conferences.dropFirst() where elsewhere == nil {
                let call = try await phones[1].call(conference.number)
                try await call.answered()
                if try await host(of: conference.id) != here { elsewhere = (conference.id, call) } else { try await call.hangup() }
            }
            let other = try #require(elsewhere)
            let mover = try await phones[2].call(conferences[0].number)
            try await mover.answered()
            #expect(await mover.hears(440))
            let id = "call_" + (try await suite.session(from: phones[2].number)).dropFirst("sess_".count)
            for target in [other.id, conferences[0].id, other.id] {
                let before = await mover.report.sound
                #expect(try await suite.request("POST", "/v1/calls/\(id)/actions/move", ["conference_id": .string(target)]).status == 200)
                #expect(await mover.hears(target == other.id ? 620 : 440))
                let after = await mover.report.sound
                #expect(after.lost - before.lost <= 2 && after.sources == before.sources)
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(await other.call.hears(1_010))
            try await suite.eventually("it is not heard there any more") { await first.level(of: 1_010) < -38 }
            for call in [first, other.call, mover] { try await call.hangup() }
        }
    }

    // MARK: Rooms

    private func makeConferences(_ count: Int) async throws -> [(id: String, number: String)] {
        var made: [(id: String, number: String)] = []
        for _ in 0..<count {
            let number = "88\(Int.random(in: 100_000...999_999))"
            let created = try await suite.create("conferences", ["name": "Board", "number": .string(number)])
            made.append((try #require(created["id"]?.string), number))
        }
        return made
    }

    private func host(of conference: String) async throws -> Int {
        let room = "room_" + conference.drop { $0 != "_" }.dropFirst()
        // Thrown, not required: this is asked again until it is so.
        guard let customer = try await suite.request("GET", "/v1/conferences/\(conference)").body["customer_id"]?.string,
            let number = Int(try await suite.host(ofRoom: room, of: customer).split(separator: "-").last ?? "")
        else { throw RunningSuite.Missing.refused("whose room \(room) is") }
        return number
    }

    private func expectSound(_ calls: [PhoneCall], _ first: Int) async throws {
        for index in first..<first + 3 {
            for other in first..<first + 3 where other != index {
                #expect(await calls[index].hears(Double(Tones.of(other)), within: .seconds(8)), "\(index) hears \(other)")
            }
            #expect(await calls[index].level(of: Double(Tones.of(index))) < -38, "\(index) does not hear itself")
        }
    }

    private func rights(_ path: String) async throws -> [String] {
        (try await suite.request("GET", path).body["data"]?.array ?? []).map { participant in
            ["id", "role", "muted", "deaf", "hand_raised"].map { participant[$0]?.jsonText ?? "" }.joined(separator: " ")
        }.sorted()
    }

    /// Those that were stopped.
    private func remove(_ instance: Int, _ victim: Victim) async throws -> [Int32] {
        let processes = try suite.processes(of: Self.service, instance)
        switch victim {
        case .killed: for process in processes { kill(process, SIGKILL) }
        case .stopped: for process in processes { kill(process, SIGSTOP) }
        case .terminated: try suite.terminateProcess(of: Self.service, instance)
        }
        return processes
    }
}
