import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// Runs with `SCALE="CallServer=2 FlowManager=2"`: calls of both, and of one that is killed when Redis has just lost all it knew of them.
@Suite("RabbitMQ, Redis and PostgreSQL die under live calls (RELIABILITY D1, D2, D3)", .serialized, .timeLimit(.minutes(6)))
struct ServersTests {
    private static let pairs = 6

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test(
        "no call is dropped and no sound lost; what begins or ends meanwhile is answered, late or with 503 and Retry-After; all goes on afterwards, and every record is there",
        arguments: RunningSuite.Server.allCases.map { [$0] } + [[.redis, .rabbitmq]])
    func killed(servers: [RunningSuite.Server]) async throws {
        let server = servers.map(\.rawValue).joined(separator: " and ")
        let number = try await keysAreReturned()
        try await withPhones(Self.pairs * 2 + 4, in: suite) { phones in
            var calls: [(PhoneCall, PhoneCall)] = []
            for pair in 0..<Self.pairs { calls.append(try await connect(phones[pair * 2], phones[pair * 2 + 1])) }
            let callers = phones.suffix(4)
            // One waits for keys, the other's flow takes its next step while nobody can be asked for it.
            var flows: [PhoneCall] = []
            for phone in callers.prefix(2) {
                let call = try await phone.call(number.number)
                try await call.answered()
                flows.append(call)
            }
            var records: [String] = []
            for call in calls.map(\.0) + flows { records.append(try await suite.callID(from: call.line.number)) }
            for call in calls.flatMap({ [$0.0, $0.1] }) {
                #expect(await call.hearsSomething())
                await call.forgetWhatWasHeard()
            }
            try await flows[1].send(digits: "7")
            try await suite.crash(servers)
            let gone = ContinuousClock.now
            let meanwhile = try await Meanwhile(hangsUp: calls[0], holds: calls[1].0, begins: phones[phones.count - 2], with: phones[phones.count - 1])
            try await Task.sleep(for: .seconds(3))
            try await suite.startServers()
            suite.note("\(server) was away for \(ContinuousClock.now - gone)")
            #expect(try await meanwhile.bye.value < .seconds(12))
            #expect(try await calls[0].1.ended(within: .seconds(40)) == .hungUpThere)
            suite.note("\(server): BYE meanwhile answered after \(try await meanwhile.bye.value), re-INVITE \(await meanwhile.hold.value)")
            switch try await meanwhile.call.value {
            case .refused(let status, let retryAfter):
                suite.note("\(server): INVITE meanwhile refused with \(status), Retry-After \(retryAfter.map { "\($0)" } ?? "missing")")
                #expect(status == 503 && retryAfter != nil)
            case .answered(let time): suite.note("\(server): INVITE meanwhile answered after \(time)")
            case .lost(let how): Issue.record("the call that began meanwhile was lost: \(how)")
            }

            // All are there, and can be changed, go on in their flows and be ended.
            for (outgoing, incoming) in calls.dropFirst() {
                // Before anybody is held: who is hears nothing, and how long that lasts is another question.
                let sounds = [await outgoing.report.sound, await incoming.report.sound]
                #expect(sounds.allSatisfy { $0.lost == 0 && $0.longestGap < .milliseconds(400) }, "\(sounds.map { ($0.lost, $0.longestGap) })")
                let begin = ContinuousClock.now
                try await suite.again(within: .seconds(10)) { try await outgoing.hold() }
                try await incoming.hold()
                try await incoming.resume()
                try await outgoing.resume()
                let changed = ContinuousClock.now
                for call in [outgoing, incoming] { #expect(await call.hearsSomething()) }
                let lost = await outgoing.report.sound.lost + incoming.report.sound.lost
                #expect(lost == 0)
                try await outgoing.hangup()
                #expect(try await incoming.ended() == .hungUpThere)
                suite.note("\(server): four re-INVITEs \(changed - begin), gap \(Int(sounds.map(\.longestGap.milliseconds).max() ?? 0)) ms")
            }
            for (call, earlier) in zip(flows, ["", "7"]) {
                try await call.send(digits: "4")
                let received = await call.receives(digits: earlier + "4", within: .seconds(15))
                let heard = await call.report.sound.digits
                #expect(received, "\(earlier)4, not \(heard)")
                try await call.hangup()
            }
            try await recordsAreThere(records)
        }
    }

    @Test("Redis comes back empty: everything is written again, so that a CallServer killed seconds later loses nothing (K2 after D2)")
    func emptyThenKilled() async throws {
        let number = try await keysAreReturned()
        try await withPhones(Self.pairs * 2 + 1, in: suite) { phones in
            var calls: [(PhoneCall, PhoneCall)] = []
            for pair in 0..<Self.pairs { calls.append(try await connect(phones[pair * 2], phones[pair * 2 + 1])) }
            let gathering = try await phones[phones.count - 1].call(number.number)
            try await gathering.answered()
            let legs = Self.pairs * 2 + 1
            try await suite.crash(.redis)
            try await suite.startServers()
            let back = ContinuousClock.now
            try await suite.eventually("all legs are written again") { Int(try suite.redis("SCARD", "tandem:call:ids").trimmingCharacters(in: .newlines)) ?? 0 >= legs }
            suite.note("Redis came back empty: all legs written \(ContinuousClock.now - back) after")
            // Who renews leases a second later, and relays and rooms, have written theirs.
            try await Task.sleep(for: .seconds(2))
            for (outgoing, incoming) in calls {
                await outgoing.forgetWhatWasHeard()
                await incoming.forgetWhatWasHeard()
            }
            let old = try suite.pid(of: "CallServer", 2)
            try suite.leaveAlone("CallServer", 2)
            defer { try? suite.supervise("CallServer", 2) }
            try suite.killProcess(of: "CallServer", 2)
            try await gathering.send(digits: "5")
            for (outgoing, incoming) in calls {
                let begin = ContinuousClock.now
                try await outgoing.hold()
                let held = ContinuousClock.now - begin
                try await outgoing.resume()
                for call in [outgoing, incoming] { #expect(await call.hearsSomething()) }
                let sounds = [await outgoing.report.sound, await incoming.report.sound]
                #expect(sounds.allSatisfy { $0.lost == 0 && $0.longestGap < .milliseconds(400) })
                try await incoming.hangup()
                #expect(try await outgoing.ended() == .hungUpThere)
                suite.note("killed behind an empty Redis: hold \(held), gap \(Int(sounds.map(\.longestGap.milliseconds).max() ?? 0)) ms")
            }
            let received = await gathering.receives(digits: "5", within: .seconds(15))
            #expect(received)
            try await gathering.hangup()
            try suite.supervise("CallServer", 2)
            try await suite.waitUntilBack("CallServer", 2, insteadOf: old, within: .seconds(30))
        }
    }

    // MARK: What is done meanwhile

    private enum Begun: Sendable {
        case answered(Duration)
        case refused(Int, retryAfter: Int?)
        case lost(String)
    }

    private struct Meanwhile {
        let bye: Task<Duration, any Error>
        let hold: Task<String, Never>
        let call: Task<Begun, any Error>

        init(hangsUp pair: (PhoneCall, PhoneCall), holds: PhoneCall, begins caller: PhoneLine, with callee: PhoneLine) async throws {
            let leaving = pair.0
            bye = Task {
                let begin = ContinuousClock.now
                try await leaving.hangup()
                return ContinuousClock.now - begin
            }
            hold = Task {
                let begin = ContinuousClock.now
                do {
                    try await holds.resume()
                    return "answered after \(ContinuousClock.now - begin)"
                } catch { return "\(error) after \(ContinuousClock.now - begin)" }
            }
            call = Task {
                let begin = ContinuousClock.now
                let call = try await caller.call(callee.number)
                do {
                    try await call.answered(within: .seconds(40))
                } catch {
                    let report = await call.report
                    guard case .refused(let status, _)? = report.end else { return .lost("\(error)") }
                    return .refused(status, retryAfter: report.retryAfter)
                }
                let time = ContinuousClock.now - begin
                try await call.hangup()
                return .answered(time)
            }
        }
    }

    /// A flow that sends each key back.
    private func keysAreReturned() async throws -> RunningSuite.Account {
        try await suite.makeNumber(running: [
            ["id": "answer", "type": "answer"],
            ["id": "in", "type": "digits_receive", "option": ["duration": 120_000, "length": 1]],
            ["id": "wait", "type": "sleep", "option": ["duration": 1_500]],
            ["id": "out", "type": "digits_send", "option": ["digits": "${voipbin.call.digits}", "duration": 120, "interval": 80]],
            ["id": "clear", "type": "variable_set", "option": ["key": "voipbin.call.digits", "value": ""]],
            ["id": "again", "type": "goto", "option": ["target_id": "in", "loop_count": 10]],
        ])
    }

    /// Each leg's record has its end, and its last event was told once.
    private func recordsAreThere(_ ids: [String]) async throws {
        for id in ids {
            try await suite.eventually("the record of \(id) is complete", within: .seconds(40)) {
                guard try await suite.request("GET", "/v1/calls/\(id)").body["status"]?.string == "completed" else { return false }
                let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
                return events.filter { $0["type"]?.string == "call.ended" }.count == 1
            }
        }
    }
}
