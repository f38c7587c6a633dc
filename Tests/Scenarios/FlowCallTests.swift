import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("A phone calls a flow", .timeLimit(.minutes(2)))
struct FlowCallTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("600 echoes: the caller hears its own tone")
    func echo() async throws {
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call("600")
            try await call.answered()
            #expect(await call.hears(440))
            try await call.hangup()
        }
    }

    @Test("700: speech, a digit, a sound file, and goodbye (RFC 4733 digits)")
    func menu() async throws {
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call("700")
            try await call.answered()
            try await call.setTone(nil)
            #expect(await call.hearsSomething(within: .seconds(8)), "the menu speaks")
            // Pressed while it speaks: kept for the digits_receive that follows.
            try await call.send(digits: "1")
            #expect(await call.hears(800, within: .seconds(20)), "1 plays a tone from a file")
            try await call.send(digits: "3")
            #expect(try await call.ended(within: .seconds(30)) == .hungUpThere)
        }
    }

    @Test("800: three phones in one room, each hears the other two and not itself; two are left when one goes")
    func conference() async throws {
        try await withPhones(3, in: suite) { phones in
            var calls: [PhoneCall] = []
            for phone in phones {
                let call = try await phone.call("800")
                try await call.answered()
                calls.append(call)
            }
            for (index, call) in calls.enumerated() {
                for other in calls.indices where other != index {
                    #expect(await call.hears(Double(Tones.of(other)), within: .seconds(5)), "\(index) hears \(other)")
                }
                #expect(await !call.heard(frequency: Double(Tones.of(index))), "\(index) hears itself")
            }
            try await calls[2].hangup()
            try await Task.sleep(for: .seconds(1))
            #expect(await calls[0].heard(frequency: 620))
            #expect(await !calls[0].heard(frequency: 1_010), "who has left is not heard")
            try await calls[0].hangup()
            try await calls[1].hangup()
        }
    }

    @Test("digits choose the branch; the flow's own hangup ends the call")
    func branch() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "in", "type": "digits_receive", "option": ["duration": 5_000, "length": 2]],
            ["id": "choice", "type": "branch", "option": ["target_ids": ["42": "right"], "default_target_id": "wrong"]],
            ["id": "right", "type": "echo", "option": ["duration": 1_500], "next_id": "end"],
            ["id": "wrong", "type": "hangup", "option": ["reason": "busy"]],
            ["id": "end", "type": "hangup", "option": [:]],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            try await call.send(digits: "42")
            #expect(await call.hears(440), "the right branch echoes")
            #expect(try await call.ended(within: .seconds(6)) == .hungUpThere)
        }
    }

    @Test("a flow can refuse a call before it is answered: busy is 486")
    func refusal() async throws {
        let number = try await suite.makeNumber(running: [["id": "no", "type": "hangup", "option": ["reason": "busy"]]])
        try await withPhones(1, in: suite) { phones in
            guard case .refused(486, _) = try await phones[0].call(number.number).ended() else {
                Issue.record("not refused with 486")
                return
            }
        }
    }

    @Test("connect goes on with the flow when the callee is busy")
    func connectFallsThrough() async throws {
        try await withPhones(2, in: suite) { phones in
            await phones[1].setIncoming(.busy)
            let number = try await suite.makeNumber(running: [
                ["id": "ring", "type": "connect", "option": ["destinations": [["type": "extension", "target": .string(phones[1].number)]]]],
                ["id": "echo", "type": "echo", "option": ["duration": 3_000]],
            ])
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(440))
            try await call.hangup()
        }
    }
}
