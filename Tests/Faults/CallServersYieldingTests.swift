import Deadlines
import Foundation
import Phone
import SIP
import Suite
import Testing

/// Runs with `SCALE="CallServer=2"`. A phone's request names a dialog of a call that the other server has, which gives it away; and one of the two is gone meanwhile.
@Suite("CallServers: one of two dies while a call goes from one to the other (RELIABILITY K2)", .serialized, .timeLimit(.minutes(10)))
struct CallServersYieldingTests {
    enum Victim: CaseIterable, Sendable { case taker, giver }

    let suite: RunningSuite
    private let servers: TwoCallServers

    init() throws {
        suite = try RunningSuite()
        servers = TwoCallServers(suite: suite)
    }

    /// Milliseconds between the request and the death, over both victims.
    private static let moments = Victim.allCases.flatMap { victim in [0, 4, 12, 40].map { (victim, $0) } }

    @Test("an attended transfer is made all the same, and no call of the three phones is lost", arguments: moments)
    func transferred(_ victim: Victim, milliseconds: Int) async throws {
        try await withPhones(3, in: suite) { phones in
            let (taker, giver) = (1, 2)
            let (mine, stays) = try await servers.talking(phones[0], phones[1], on: taker)
            let (consultation, third) = try await servers.talking(phones[0], phones[2], on: giver)
            let referred = Task { try await mine.refer(to: phones[2].number, replacing: consultation) }
            try await Task.sleep(for: .milliseconds(milliseconds))
            try await servers.without(victim == .taker ? taker : giver) { _ in
                // A taker that died once it had accepted it: before the REFER comes again its successor may have hung up.
                let answer = try await referred.value
                #expect(answer == 202 || (victim == .taker && answer == 481), "\(answer)")
                #expect(try await mine.ended(within: .seconds(20)) == .hungUpThere)
                #expect(try await consultation.ended(within: .seconds(20)) == .hungUpThere)
                #expect(await stays.hears(1_010, within: .seconds(10)))
                #expect(await third.hears(620, within: .seconds(10)))
                try await third.hold()
                try await third.resume()
                #expect(await third.hears(620, within: .seconds(10)))
                try await third.hangup()
                #expect(try await stays.ended(within: .seconds(20)) == .hungUpThere)
            }
        }
    }

    @Test("a phone takes a place in the call all the same, and the others of it stay", arguments: moments)
    func replaced(_ victim: Victim, milliseconds: Int) async throws {
        try await withPhones(3, in: suite) { phones in
            // The newcomer's INVITE goes to one or the other: in half of the cases nothing is given away.
            let giver = 2
            let (outgoing, incoming) = try await servers.talking(phones[0], phones[1], on: giver)
            let newcomer = try await phones[2].call(phones[1].number, [Header(.replaces, try await incoming.reference)])
            try await Task.sleep(for: .milliseconds(milliseconds))
            try await servers.without(victim == .taker ? 1 : giver) { _ in
                try await newcomer.answered(within: .seconds(20))
                #expect(try await incoming.ended(within: .seconds(20)) == .hungUpThere)
                #expect(await outgoing.hears(1_010, within: .seconds(10)))
                #expect(await newcomer.hears(440, within: .seconds(10)))
                try await outgoing.hangup()
                #expect(try await newcomer.ended(within: .seconds(20)) == .hungUpThere)
            }
        }
    }

    @Test("RFC 3261 §9.2: who gives up while the call that it names is being fetched has a 487 at once, and that call goes on")
    func givenUp() async throws {
        try await withPhones(3, in: suite) { phones in
            let (taker, giver) = (1, 2)
            let (outgoing, incoming) = try await servers.talking(phones[0], phones[1], on: giver)
            let reference = try await incoming.reference
            // A Call-ID that the edge takes to the other server.
            let before = try await servers.answered(phones[2], "600", on: taker)
            let callID = try #require(await before.callID)
            try await before.hangup()
            try await Task.sleep(for: .milliseconds(500))
            let processes = try suite.processes(of: TwoCallServers.service, giver)
            for process in processes { kill(process, SIGSTOP) }
            defer { for process in processes { kill(process, SIGCONT) } }
            let newcomer = try await phones[2].call(phones[1].number, [Header(.replaces, reference)], callID: callID)
            try await Task.sleep(for: .milliseconds(200))
            let givingUp = Task { try await newcomer.hangup() }
            // The server that has the call says nothing: nobody waits for it.
            let end = try await newcomer.ended(within: .seconds(1))
            #expect(end == .cancelled)
            for process in processes { kill(process, SIGCONT) }
            try await givingUp.value
            try await Task.sleep(for: .milliseconds(500))
            #expect(await outgoing.hears(620))
            #expect(await incoming.hears(440))
            try await incoming.hold()
            try await incoming.resume()
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
        }
    }
}
