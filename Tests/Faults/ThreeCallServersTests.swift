import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// Runs with `SCALE="CallServer=3"`: who takes the calls of the first that dies may be the next to die, while it does so or just after.
@Suite("ThreeCallServers: two die, one after the other (RELIABILITY K2)", .serialized, .timeLimit(.minutes(4)))
struct ThreeCallServersTests {
    private static let service = "CallServer"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test(
        "calls of all three are heard without a gap, ring once, gather every key, and are changed and ended as ever with the one that is left",
        arguments: [250, 1_150])
    func oneAfterTheOther(milliseconds: Int) async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "in", "type": "digits_receive", "option": ["duration": 60_000, "length": 4]],
            ["id": "out", "type": "digits_send", "option": ["digits": "${voipbin.call.digits}", "duration": 120, "interval": 80]],
            ["id": "echo", "type": "echo", "option": ["duration": 60_000]],
        ])
        try await withPhones(18, in: suite) { phones in
            var calls: [(PhoneCall, PhoneCall)] = []
            for pair in 0..<4 { calls.append(try await connect(phones[pair * 2], phones[pair * 2 + 1])) }
            var ringing: [(PhoneCall, PhoneCall)] = []
            for pair in 4..<7 {
                await phones[pair * 2 + 1].setIncoming(.ring)
                let outgoing = try await phones[pair * 2].call(phones[pair * 2 + 1].number)
                try await outgoing.ringing()
                ringing.append((outgoing, try await phones[pair * 2 + 1].incomingCall()))
            }
            var gathering: [PhoneCall] = []
            for phone in phones.suffix(4) {
                let call = try await phone.call(number.number)
                try await call.answered()
                try await call.send(digits: "1")
                gathering.append(call)
            }
            for (outgoing, incoming) in calls {
                for call in [outgoing, incoming] {
                    #expect(await call.hearsSomething())
                    await call.forgetWhatWasHeard()
                }
            }
            let old = [2: try suite.pid(of: Self.service, 2), 3: try suite.pid(of: Self.service, 3)]
            for instance in [3, 2] { try suite.leaveAlone(Self.service, instance) }
            defer { for instance in [3, 2] { try? suite.supervise(Self.service, instance) } }
            try suite.killProcess(of: Self.service, 3)
            let firstHold = Task { try await calls[0].0.hold() }
            for call in gathering { try await call.send(digits: "2") }
            try await Task.sleep(for: .milliseconds(max(0, milliseconds - 200)))
            try suite.killProcess(of: Self.service, 2)
            let killed = ContinuousClock.now
            let secondHold = Task { try await calls[1].0.hold() }
            for call in gathering { try await call.send(digits: "3") }
            try await firstHold.value
            try await secondHold.value
            print("\(milliseconds) ms between two kills: both re-INVITEs answered \(ContinuousClock.now - killed) after the second")
            // Two of the calls were held at the kills: who is held hears nothing for as long as that lasts.
            for (outgoing, incoming) in calls.dropFirst(2) {
                for call in [outgoing, incoming] {
                    let sound = await call.report.sound
                    #expect(sound.longestGap < .milliseconds(400), "gap \(sound.longestGap)")
                }
            }
            for (outgoing, incoming) in calls {
                try await incoming.hold()
                try await incoming.resume()
                try await outgoing.resume()
                for call in [outgoing, incoming] {
                    #expect(await call.hearsSomething())
                    let sound = await call.report.sound
                    #expect(sound.lost == 0, "\(sound.lost) lost")
                }
                try await outgoing.hangup()
                #expect(try await incoming.ended() == .hungUpThere)
            }
            for (outgoing, incoming) in ringing {
                try await incoming.answer()
                try await outgoing.answered()
                #expect(await outgoing.hearsSomething())
                #expect(await incoming.line.reports.count == 1, "one ring")
                try await incoming.hangup()
                #expect(try await outgoing.ended() == .hungUpThere)
            }
            for call in gathering {
                try await call.send(digits: "4")
                let received = await call.receives(digits: "1234", within: .seconds(15))
                let heard = await call.report.sound.digits
                #expect(received, "1234, not \(heard)")
                try await call.hangup()
            }
            for instance in [2, 3] {
                try suite.supervise(Self.service, instance)
                try await suite.waitUntilBack(Self.service, instance, insteadOf: old[instance] ?? 0, within: .seconds(30))
            }
            try await suite.eventually("all three serve") {
                try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 3
            }
        }
    }
}
