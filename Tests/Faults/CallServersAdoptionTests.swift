import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"`, as for `CallServersTests`: the second is gone, and its calls live on with the first.
@Suite("CallServers: one of two is gone for good (RELIABILITY K2, K9)", .serialized, .timeLimit(.minutes(8)))
struct CallServersAdoptionTests {
    private static let service = "CallServer"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("killed and not started again: calls that are up are heard without a gap, and held, resumed and hung up by either side at once")
    func established() async throws {
        try await withPhones(8, in: suite) { phones in
            var calls: [(PhoneCall, PhoneCall)] = []
            for pair in 0..<4 { calls.append(try await onSecond { try await connect(phones[pair * 2], phones[pair * 2 + 1]) }) }
            for (outgoing, incoming) in calls {
                #expect(await outgoing.hearsSomething())
                #expect(await incoming.hearsSomething())
                await outgoing.forgetWhatWasHeard()
                await incoming.forgetWhatWasHeard()
            }
            try await without { killed in
                // The first pair does not wait, and the last long enough for everything to have been taken over.
                for (number, (outgoing, incoming)) in calls.enumerated() {
                    if number > 0 { try await Task.sleep(for: .milliseconds(700)) }
                    let (active, passive) = number % 2 == 0 ? (outgoing, incoming) : (incoming, outgoing)
                    let begin = ContinuousClock.now
                    try await active.hold()
                    let held = ContinuousClock.now
                    try await passive.hold()
                    try await passive.resume()
                    try await active.resume()
                    let resumed = ContinuousClock.now
                    #expect(await active.hearsSomething())
                    #expect(await passive.hearsSomething())
                    let gap = await max(outgoing.report.sound.longestGap, incoming.report.sound.longestGap)
                    let lost = await outgoing.report.sound.lost + incoming.report.sound.lost
                    #expect(lost == 0, "packets of a call whose server died")
                    let bye = ContinuousClock.now
                    try await active.hangup()
                    #expect(try await passive.ended() == .hungUpThere)
                    note(
                        "established: \(begin - killed) after the kill: gap \(Int(gap.milliseconds)) ms, hold \(held - begin), "
                            + "three more re-INVITEs \(resumed - held), BYE through \(ContinuousClock.now - bye)")
                }
            }
        }
    }

    @Test("killed while phones ring: they ring on, once, and are answered, refused or given up as ever")
    func ringing() async throws {
        try await withPhones(8, in: suite, options: { $0.incoming = .ring }) { phones in
            var calls: [(PhoneCall, PhoneCall)] = []
            for pair in 0..<4 {
                calls.append(try await onSecond(ended: { (pair: (PhoneCall, PhoneCall)) in try await pair.0.hangup() }) {
                    let outgoing = try await phones[pair * 2].call(phones[pair * 2 + 1].number)
                    try await outgoing.ringing()
                    return (outgoing, try await phones[pair * 2 + 1].incomingCall())
                })
            }
            var before: [Int] = []
            for pair in 0..<4 { before.append(await phones[pair * 2 + 1].reports.count) }
            try await without { killed in
                // At once; after a while; refused; given up by the caller.
                try await calls[0].1.answer()
                try await calls[0].0.answered()
                note("ringing: answered at once, through after \(ContinuousClock.now - killed)")
                try await Task.sleep(for: .seconds(2))
                let begin = ContinuousClock.now
                try await calls[1].1.answer()
                try await calls[1].0.answered()
                note("ringing: answered when taken over, through after \(ContinuousClock.now - begin)")
                for call in calls.prefix(2) {
                    #expect(await call.0.hearsSomething())
                    #expect(await call.1.hearsSomething())
                    try await call.0.hold()
                    try await call.0.resume()
                    try await call.1.hangup()
                    #expect(try await call.0.ended() == .hungUpThere)
                }
                try await calls[2].1.hangup()
                #expect(try await calls[2].0.ended() == .refused(status: 486, reason: "Busy Here"))
                try await calls[3].0.hangup()
                #expect(try await calls[3].1.ended() == .cancelled)
                for pair in 0..<4 {
                    #expect(await phones[pair * 2 + 1].reports.count == before[pair], "one ring, and no second call")
                }
            }
        }
    }

    @Test("killed in the middle of what phones just do: begin, answer, hold, hang up; all of it happens, once", arguments: [0, 8, 20, 45, 90])
    func inTheMiddle(milliseconds: Int) async throws {
        try await withPhones(12, in: suite) { phones in
            // Two begin, two answer, one holds, one hangs up.
            let ringing = [phones[5], phones[7]]
            for phone in ringing { await phone.setIncoming(.ring) }
            let answering = [
                try await self.ringing(phones[4], phones[5]), try await self.ringing(phones[6], phones[7]),
            ]
            let holding = try await onSecond { try await connect(phones[8], phones[9]) }
            let ending = try await onSecond { try await connect(phones[10], phones[11]) }
            let beginning = [0, 2]
            let processes = try suite.processes(of: Self.service, 2)
            for process in processes { kill(process, SIGSTOP) }
            // Whatever becomes of this, the next ones find a suite that runs.
            defer { for process in processes { kill(process, SIGCONT) } }
            for call in answering { try await call.1.answer() }
            let held = Task { try await holding.0.hold() }
            let hungUp = Task { try await ending.1.hangup() }
            let begun = [try await phones[0].call(phones[1].number), try await phones[2].call(phones[3].number)]
            try await Task.sleep(for: .milliseconds(20))
            for process in processes { kill(process, SIGCONT) }
            try await Task.sleep(for: .milliseconds(milliseconds))
            try await without { killed in
                for call in begun { try await call.answered() }
                for call in answering { try await call.0.answered() }
                try await held.value
                try await hungUp.value
                #expect(try await ending.0.ended() == .hungUpThere)
                note("in the middle, \(milliseconds) ms: all done \(ContinuousClock.now - killed) after the kill")
                try await holding.0.resume()
                try await holding.1.hangup()
                #expect(try await holding.0.ended() == .hungUpThere)
                for call in answering {
                    #expect(await call.0.hearsSomething())
                    #expect(await call.1.hearsSomething())
                    try await call.1.hangup()
                    #expect(try await call.0.ended() == .hungUpThere)
                }
                for (place, call) in begun.enumerated() {
                    let callee = phones[beginning[place] + 1]
                    #expect(await callee.reports.count == 1, "one ring")
                    #expect(await call.hearsSomething())
                    try await call.hangup()
                    let incoming = try await callee.incomingCall()
                    #expect(try await incoming.ended() == .hungUpThere)
                }
            }
        }
    }

    @Test("killed while a prompt is heard and keys are gathered: the prompt goes on, no key is lost, and the flow goes its way")
    func inFlows() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "ask", "type": "talk", "option": ["text": "Please enter the four digits of your order number now, and take your time with it, there is no hurry at all.", "language": "en-US"]],
            ["id": "in", "type": "digits_receive", "option": ["duration": 20_000, "length": 4]],
            ["id": "out", "type": "digits_send", "option": ["digits": "${voipbin.call.digits}", "duration": 120, "interval": 80]],
            ["id": "echo", "type": "echo", "option": ["duration": 60_000]],
        ])
        try await withPhones(2, in: suite) { phones in
            let prompted = try await onSecond(ended: { (call: PhoneCall) in try await call.hangup() }) {
                let call = try await phones[0].call(number.number)
                try await call.answered()
                return call
            }
            let gathering = try await onSecond(ended: { (call: PhoneCall) in try await call.hangup() }) {
                let call = try await phones[1].call(number.number)
                try await call.answered()
                return call
            }
            #expect(await prompted.hearsSomething(within: .seconds(6)))
            try await gathering.send(digits: "12")
            try await without { _ in
                // Nobody is there to be told of it: it is told to whoever comes.
                try await gathering.send(digits: "34")
                try await prompted.send(digits: "98")
                try await Task.sleep(for: .seconds(1))
                try await prompted.send(digits: "76")
                for (call, digits) in [(gathering, "1234"), (prompted, "9876")] {
                    let received = await call.receives(digits: digits, within: .seconds(20))
                    let heard = await call.report.sound.digits
                    #expect(received, "\(digits), not \(heard)")
                    #expect(await call.report.sound.longestGap < .milliseconds(100))
                    try await call.hangup()
                }
            }
        }
    }

    @Test(
        "killed in the middle of a transfer by REFER: it is accepted, once, the new party rings once, and talks with who stays (RFC 5589)",
        arguments: [0, 2, 4, 12, 40])
    func transferring(milliseconds: Int) async throws {
        try await withPhones(3, in: suite) { phones in
            await phones[2].setIncoming(.ring)
            let (outgoing, incoming) = try await onSecond { try await connect(phones[0], phones[1]) }
            await outgoing.forgetWhatWasHeard()
            let target = phones[2].number
            let referred = Task { try await incoming.transfer(to: target) }
            try await Task.sleep(for: .milliseconds(milliseconds))
            try await without { killed in
                #expect(try await referred.value == 202)
                let third = try await phones[2].incomingCall()
                try await third.answer()
                #expect(try await incoming.ended() == .hungUpThere)
                note("in a transfer, \(milliseconds) ms: talks \(ContinuousClock.now - killed) after the kill")
                #expect(await outgoing.hears(Double(Tones.of(2))))
                #expect(await third.hears(Double(Tones.of(0))))
                #expect(await phones[2].reports.count == 1, "one ring")
                try await third.hold()
                try await third.resume()
                try await outgoing.hangup()
                #expect(try await third.ended() == .hungUpThere)
            }
        }
    }

    @Test("stopped, taken over within four seconds, and continued: it says nothing more to phones, rooms or Redis")
    func zombie() async throws {
        try await withPhones(4, in: suite) { phones in
            let (outgoing, incoming) = try await onSecond { try await connect(phones[0], phones[1]) }
            await phones[3].setIncoming(.ring)
            let ringing = try await self.ringing(phones[2], phones[3])
            await outgoing.forgetWhatWasHeard()
            let processes = try suite.processes(of: Self.service, 2)
            for process in processes { kill(process, SIGSTOP) }
            defer { for process in processes { kill(process, SIGCONT) } }
            let stopped = ContinuousClock.now
            try await outgoing.hold()
            let held = ContinuousClock.now - stopped
            note("stopped: hold done after \(held)")
            #expect(held < .seconds(4))
            try await outgoing.resume()
            try await ringing.1.answer()
            try await ringing.0.answered()
            try await suite.eventually("all legs are the other's") {
                try await suite.metric("tandem_call_legs_active", of: Self.service, 1) >= 4
            }
            for process in processes { kill(process, SIGCONT) }
            try await suite.eventually("it has dropped them") { try await suite.metric("tandem_call_legs_active", of: Self.service, 2) == 0 }
            #expect(try await suite.metric("tandem_call_fenced_total", of: Self.service, 2) >= 4)
            try await Task.sleep(for: .seconds(2))
            for call in [outgoing, incoming, ringing.0, ringing.1] {
                #expect(await call.report.phase == .answered)
                #expect(await call.hearsSomething())
                let gap = await call.report.sound.longestGap
                #expect(gap < .milliseconds(100), "\(gap)")
            }
            // It is alive again, and gets what phones send there: it hands that on.
            try await incoming.hold()
            try await incoming.resume()
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
            try await ringing.1.hangup()
            #expect(try await ringing.0.ended() == .hungUpThere)
        }
    }

    @Test("killed and started again at once: whoever has the call, its phones find it")
    func restarted() async throws {
        try await withPhones(4, in: suite) { phones in
            let first = try await onSecond { try await connect(phones[0], phones[1]) }
            let second = try await onSecond { try await connect(phones[2], phones[3]) }
            let old = try suite.pid(of: Self.service, 2)
            try suite.killProcess(of: Self.service, 2)
            try await first.0.hold()
            try await suite.waitUntilBack(Self.service, 2, insteadOf: old)
            try await first.0.resume()
            try await first.1.hangup()
            #expect(try await first.0.ended() == .hungUpThere)
            try await second.1.hold()
            try await second.1.resume()
            try await second.0.hangup()
            #expect(try await second.1.ended() == .hungUpThere)
            try await bothServe()
        }
    }

    @Test("killed: a call that hangs on another ends with it all the same, whoever has the two by then")
    func chained() async throws {
        try await withPhones(2, in: suite) { phones in
            let number = try await suite.makeNumber(running: [
                ["type": "answer"],
                ["id": "out", "type": "call", "option": [
                    "destinations": [["type": "extension", "target": .string(phones[1].number)]], "chained": true,
                    "actions": [["id": "echo", "type": "echo", "option": ["duration": 120_000]]],
                ]],
                ["id": "stay", "type": "sleep", "option": ["duration": 120_000]],
            ])
            // One of the two is the second server's, or both.
            let pair = try await onSecond {
                let master = try await phones[0].call(number.number)
                try await master.answered()
                return (master, try await phones[1].incomingCall())
            }
            #expect(await pair.1.hears(620), "its own echo")
            try await without { _ in
                try await pair.0.hangup()
                #expect(try await pair.1.ended(within: .seconds(15)) == .hungUpThere)
            }
        }
    }

    // MARK: Calls of the second server

    private func ringing(_ caller: PhoneLine, _ callee: PhoneLine) async throws -> (PhoneCall, PhoneCall) {
        try await onSecond(ended: { (pair: (PhoneCall, PhoneCall)) in try await pair.0.hangup() }) {
            let outgoing = try await caller.call(callee.number)
            try await outgoing.ringing()
            return (outgoing, try await callee.incomingCall())
        }
    }

    private func onSecond(_ make: () async throws -> (PhoneCall, PhoneCall)) async throws -> (PhoneCall, PhoneCall) {
        try await onSecond(ended: { pair in
            try await pair.0.hangup()
            _ = try await pair.1.ended()
        }, make)
    }

    /// Rendezvous sends half of all calls there; the others are ended again.
    private func onSecond<Made>(ended end: (Made) async throws -> Void, _ make: () async throws -> Made) async throws -> Made {
        for _ in 0..<40 {
            let before = try await begun(2)
            let made = try await make()
            if try await begun(2) > before { return made }
            try await end(made)
        }
        throw PhoneError.timedOut("a call of the second server")
    }

    private func begun(_ instance: Int) async throws -> Double {
        try await suite.metric("tandem_call_legs_total", of: Self.service, instance)
    }

    /// Kills the second server, and has it started again when the body has ended, however it ended.
    private func without(_ body: (_ killed: ContinuousClock.Instant) async throws -> Void) async throws {
        let old = try suite.pid(of: Self.service, 2)
        try suite.leaveAlone(Self.service, 2)
        defer { try? suite.supervise(Self.service, 2) }
        try suite.killProcess(of: Self.service, 2)
        do { try await body(.now) } catch {
            // The next one wants a suite that runs.
            try suite.supervise(Self.service, 2)
            try await suite.waitUntilBack(Self.service, 2, insteadOf: old, within: .seconds(30))
            throw error
        }
        try suite.supervise(Self.service, 2)
        try await suite.waitUntilBack(Self.service, 2, insteadOf: old, within: .seconds(30))
        try await bothServe()
    }

    private func bothServe() async throws {
        try await suite.eventually("both call servers serve") {
            _ = try await begun(2)
            return try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 2
        }
    }

    /// Seen, and kept beside the logs.
    private func note(_ line: String) {
        print(line)
        let file = "\(suite.folder)/adoption.txt"
        let before = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        try? (before + line + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }
}
