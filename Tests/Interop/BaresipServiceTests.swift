import Flow
import Phone
import Suite
import Testing

/// What people do with a real phone, heard at both ends: baresip says 500 Hz, the phones of ours 440, 620 and 1010.
@Suite("Services by baresip: hold, transfer, park, voicemail", .timeLimit(.minutes(3)))
struct BaresipServiceTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private static let life = Duration.seconds(90)

    /// A registered baresip.
    private func desk() async throws -> (number: String, phone: Baresip) {
        let account = try await suite.makeAccount()
        let phone = try Baresip(as: account, in: suite, tone: 500, life: Self.life)
        try await phone.registers()
        return (account.number, phone)
    }

    /// A baresip that calls this number.
    private func desk(calling number: String) async throws -> Baresip {
        let phone = try Baresip(as: try await suite.makeAccount(), in: suite, tone: 500, dial: number, life: Self.life)
        try await phone.talks(with: number)
        return phone
    }

    @Test("RFC 5359 §2.1: it holds, and is sent nothing; it resumes, and both hear each other again")
    func holds() async throws {
        let (number, desk) = try await desk()
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await call.answered()
            #expect(await call.hears(500))
            #expect(await desk.hears(440))
            #expect(try await desk.received() > 0)
            try await desk.holds()
            try await suite.eventually("nothing is sent to who holds") {
                let before = try await desk.received()
                try await Task.sleep(for: .milliseconds(400))
                return try await desk.received() == before
            }
            try await desk.resumes()
            try await desk.echoes()
            #expect(await call.hears(440), "what it says comes back from the phone that hears it again")
            try await call.hangup()
            try await desk.isDone(with: phones[0].number)
        }
        try await desk.leaves()
    }

    @Test("RFC 5359 §2.4: it transfers who calls it, and is out of it when the third has answered")
    func transfers() async throws {
        let (number, desk) = try await desk()
        try await withPhones(2, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await call.answered()
            #expect(await call.hears(500))
            try await desk.transfers(to: phones[1].number)
            let third = try await phones[1].incomingCall()
            #expect(await third.hears(440))
            #expect(await call.hears(620))
            try await desk.isDone(with: phones[0].number)
            try await suite.eventually("it is not heard any more") { await call.level(of: 500) < -45 }
            try await call.hangup()
            #expect(try await third.ended() == .hungUpThere)
        }
        try await desk.leaves()
    }

    @Test("RFC 5359 §2.2, §2.5: it holds, asks a third, and brings the two together")
    func transfersAttended() async throws {
        let (number, desk) = try await desk()
        try await withPhones(2, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await call.answered()
            #expect(await call.hears(500))
            try await desk.holds()
            try await desk.dials(phones[1].number)
            let third = try await phones[1].incomingCall()
            try await desk.talks(with: phones[1].number)
            #expect(await third.hears(500))
            #expect(await desk.hears(620), "the third, in a call of its own")
            try await desk.turns(to: 1)
            try await desk.transfers(to: phones[1].number, replacing: try desk.dialog(with: phones[1].number))
            #expect(await call.hears(620))
            #expect(await third.hears(440))
            try await desk.isDone(with: phones[0].number)
            try await desk.isDone(with: phones[1].number)
            try await call.hangup()
            #expect(try await third.ended() == .hungUpThere)
        }
        try await desk.leaves()
    }

    @Test("RFC 5589 §6: it is transferred: it hears the third in the same call")
    func isTransferred() async throws {
        let (number, desk) = try await desk()
        try await withPhones(2, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await call.answered()
            #expect(await desk.hears(440))
            #expect(try await call.transfer(to: phones[1].number) == 202)
            let third = try await phones[1].incomingCall()
            #expect(await desk.hears(620))
            #expect(await third.hears(500))
            #expect(try await call.ended() == .hungUpThere)
            try await desk.hangsUp()
            #expect(try await third.ended() == .hungUpThere)
        }
        try await desk.leaves()
    }

    @Test("RFC 5359 §2.15: it is parked, or fetches who is parked: the two hear each other", arguments: [true, false])
    func parks(isParked: Bool) async throws {
        let lot = "lot\(UInt32.random(in: .min ... .max))"
        func number(_ option: JSONValue) async throws -> String {
            try await suite.makeNumber(running: [
                ["type": "answer"], ["id": "park", "type": "park", "option": option], ["id": "bye", "type": "hangup"],
            ]).number
        }
        let park = try await number(["lot": .string(lot), "slot": "1"])
        let fetch = try await number(["lot": .string(lot), "retrieve": "1"])
        func isThere() async throws {
            try await suite.eventually("it is parked") {
                let events = try await suite.request("GET", "/v1/events?limit=200&types=call.parked").body["data"]?.array ?? []
                return events.contains { $0["data"]?["park"]?["lot"]?.string == lot }
            }
        }
        try await withPhones(1, in: suite) { phones in
            let desk: Baresip
            let call: PhoneCall
            if isParked {
                desk = try await self.desk(calling: park)
                try await isThere()
                #expect(await desk.hearsSomething(), "music")
                call = try await phones[0].call(fetch)
                try await call.answered()
            } else {
                call = try await phones[0].call(park)
                try await call.answered()
                try await isThere()
                desk = try await self.desk(calling: fetch)
            }
            #expect(await call.hears(500))
            #expect(await desk.hears(440))
            try await desk.hangsUp()
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
            try await desk.leaves()
        }
    }

    @Test("voicemail: it leaves a message, whose tone another baresip hears after its PIN, and deletes")
    func leavesMessage() async throws {
        let mailbox = "box\(UInt32.random(in: .min ... .max))"
        func messages() async throws -> [JSONValue] { try await suite.request("GET", "/v1/voicemails?mailbox=\(mailbox)").body["data"]?.array ?? [] }
        let leave = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "vm", "type": "voicemail", "option": ["mailbox": .string(mailbox), "greeting_text": "", "end_of_key": "#"]],
            ["id": "thanks", "type": "play_tone", "option": ["frequency": 1200, "duration": 3000]], ["type": "hangup"],
        ])
        let check = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "check", "type": "voicemail_check", "option": ["mailbox": .string(mailbox), "pin": "4711"]], ["id": "bye", "type": "hangup"],
        ])
        let leaving = try await desk(calling: leave.number)
        #expect(await leaving.hasHeard(1_000), "the tone after which to speak")
        // As long as the message.
        try await Task.sleep(for: .seconds(4))
        try await leaving.presses("#")
        #expect(await leaving.hears(1_200), "the flow goes on")
        try await leaving.isDone(with: leave.number)
        try await leaving.leaves()
        try await suite.eventually("it is in the mailbox") { try await messages().count == 1 }
        let fetching = try await desk(calling: check.number)
        try await fetching.mutes()
        #expect(await fetching.hearsSomething(), "it asks for the PIN")
        try await fetching.presses("4711")
        #expect(await fetching.hears(500, within: .seconds(15)), "what was left")
        try await fetching.presses("3")
        try await fetching.isDone(with: check.number)
        try await fetching.leaves()
        try await suite.eventually("it is deleted") { try await messages().isEmpty }
    }
}
