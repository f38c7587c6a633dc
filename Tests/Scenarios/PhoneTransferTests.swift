import Flow
import Phone
import SIP
import Suite
import Testing

@Suite("Phones transfer calls, take them, and join them", .timeLimit(.minutes(2)))
struct PhoneTransferTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("RFC 5589 §7, RFC 5359 §2.2, §2.5: attended: who was consulted talks with who was held, and hears nothing of it over SIP", arguments: [true, false])
    func attended(byCaller: Bool) async throws {
        try await withPhones(3, in: suite) { phones in
            let (first, second) = byCaller ? try await connect(phones[0], phones[1]) : try await connect(phones[1], phones[0])
            let (mine, stays) = byCaller ? (first, second) : (second, first)
            try await mine.hold()
            let (consultation, third) = try await connect(phones[0], phones[2])
            #expect(await third.hears(440))
            #expect(try await mine.refer(to: phones[2].number, replacing: consultation) == 202)
            #expect(try await mine.ended() == .hungUpThere)
            #expect(try await consultation.ended() == .hungUpThere)
            #expect(await mine.told == [100, 200])
            #expect(await stays.hears(1_010))
            #expect(await third.hears(620))
            try await stays.hangup()
            #expect(try await third.ended() == .hungUpThere)
        }
    }

    @Test("RFC 5589 §6, to a number that runs a flow: who stays hears the flow, and who transfers is gone", arguments: [true, false])
    func toFlow(byCaller: Bool) async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "tone", "type": "play_tone", "option": ["frequency": 800, "duration": 30_000]]
        ])
        try await withPhones(2, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(await outgoing.hears(620))
            let (leaves, stays) = byCaller ? (outgoing, incoming) : (incoming, outgoing)
            #expect(try await leaves.refer(to: number.number) == 202)
            #expect(try await leaves.ended() == .hungUpThere)
            #expect(await leaves.told == [100, 200])
            #expect(await stays.hears(800))
            try await stays.hangup()
        }
    }

    @Test("RFC 5589 §6, to a conference: who stays talks in it")
    func toConference() async throws {
        let conference = "88\(Int.random(in: 100_000...999_999))"
        _ = try await suite.create("conferences", ["name": "Board", "number": .string(conference)])
        try await withPhones(3, in: suite) { phones in
            let there = try await phones[2].call(conference)
            try await there.answered()
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(try await incoming.refer(to: conference) == 202)
            #expect(try await incoming.ended() == .hungUpThere)
            #expect(await incoming.told == [100, 200])
            #expect(await outgoing.hears(1_010))
            #expect(await there.hears(440))
            try await outgoing.hangup()
            try await there.hangup()
        }
    }

    @Test("RFC 3891, RFC 5359 §2.16: a third phone takes the place of one of two, or picks up what rings elsewhere", arguments: [true, false])
    func replaces(isUp: Bool) async throws {
        try await withPhones(3, in: suite, options: { if !isUp { $0.incoming = .ring } }) { phones in
            let outgoing = try await phones[0].call(phones[1].number)
            let incoming = try await phones[1].incomingCall()
            if isUp { try await outgoing.answered() } else { try await outgoing.ringing() }
            let newcomer = try await phones[2].call(phones[1].number, [Header(.replaces, try await incoming.reference)])
            try await newcomer.answered()
            #expect(try await incoming.ended() == (isUp ? .hungUpThere : .cancelled))
            #expect(await outgoing.hears(1_010))
            #expect(await newcomer.hears(440))
            try await outgoing.hangup()
            #expect(try await newcomer.ended() == .hungUpThere)
        }
    }

    @Test("RFC 3911, RFC 5359 §2.11: a third phone joins two: all hear all, until the call ends; a dialog that is none is 481, two references are 400, one that is over is 603")
    func joins() async throws {
        try await withPhones(4, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            let newcomer = try await phones[2].call(phones[1].number, [Header("Join", try await incoming.reference)])
            try await newcomer.answered()
            for (call, others) in [(outgoing, [620, 1_010]), (incoming, [440, 1_010]), (newcomer, [440, 620])] {
                for frequency in others { #expect(await call.hears(Double(frequency)), "\(call.line.number): \(frequency)") }
            }
            for (headers, status) in [(["nobody;to-tag=1;from-tag=2"], 481), ([try await incoming.reference, try await outgoing.reference], 400)] {
                let vain = try await phones[3].call(phones[1].number, headers.map { Header("Join", $0) })
                guard case .refused(let given, _) = try await vain.ended() else { Issue.record("joined nothing"); continue }
                #expect(given == status)
            }
            try await newcomer.hangup()
            try await suite.eventually("the two go on alone") { await incoming.level(of: 1_010) < -45 }
            #expect(await incoming.hears(440))
            let again = try await phones[2].call(phones[1].number, [Header("Join", try await incoming.reference)])
            try await again.answered()
            let reference = try await incoming.reference
            #expect(try await outgoing.ask(.options, [Header("Join", reference)]) == 400, "only who calls can join")
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
            #expect(try await again.ended() == .hungUpThere)
            let late = try await phones[3].call(phones[1].number, [Header("Join", reference)])
            let end = try await late.ended()
            #expect(end == .refused(status: 603, reason: "Decline"))
        }
    }

    @Test("RFC 3911 §4: a third phone joins a call that still rings, by the dialog of either, and talks with both when it is answered", arguments: [true, false])
    func joinsEarly(byCaller: Bool) async throws {
        try await withPhones(3, in: suite) { phones in
            await phones[1].setIncoming(.ring)
            let outgoing = try await phones[0].call(phones[1].number)
            try await outgoing.ringing()
            let incoming = try await phones[1].incomingCall()
            let reference = byCaller ? try await outgoing.reference : try await incoming.reference
            let newcomer = try await phones[2].call(phones[1].number, [Header("Join", reference)])
            try await newcomer.answered()
            #expect(await newcomer.hearsSomething(), "it rings")
            try await incoming.answer()
            try await outgoing.answered()
            for (call, others) in [(outgoing, [620, 1_010]), (incoming, [440, 1_010]), (newcomer, [440, 620])] {
                for frequency in others { #expect(await call.hears(Double(frequency)), "\(call.line.number): \(frequency)") }
            }
            try await outgoing.hangup()
            #expect(try await incoming.ended() == .hungUpThere)
            #expect(try await newcomer.ended() == .hungUpThere)
        }
    }

    @Test("RFC 3261 §12.2.2, §17.2.2: a request that comes again on another path has the answer it had, and is done once")
    func repeated() async throws {
        try await withPhones(3, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(try await outgoing.ask(.update) == 200)
            #expect(try await outgoing.askAgain() == 200)
            #expect(try await outgoing.ask(.message, [Header("Content-Language", "en")]) == 200)
            #expect(try await outgoing.refer(to: "\(phones[2].number)") == 202)
            #expect(try await outgoing.askAgain() == 202)
            let third = try await phones[2].incomingCall()
            #expect(try await outgoing.ended() == .hungUpThere)
            #expect(await third.hears(620))
            #expect(await phones[2].reports.count == 1, "called once")
            try await incoming.hangup()
            #expect(try await third.ended() == .hungUpThere)
        }
    }
}
