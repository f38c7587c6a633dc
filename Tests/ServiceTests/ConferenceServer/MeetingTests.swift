import Addresses
import Audio
import Contracts
import Deadlines
import RTP
import Testing

@testable import ConferenceServer

@Suite("Conferences in the mixer: who comes in, who is heard, who may what")
struct MeetingTests {
    static let tones = [400.0, 640, 1300, 1700]

    private static func rules(_ change: (inout MeetingRules) -> Void = { _ in }) -> MeetingRules {
        var rules = MeetingRules()
        change(&rules)
        return rules
    }

    private static let pins = Entrance.PINs(member: "12", moderator: "99")

    @Test("Before its PIN a caller neither hears nor is heard, and its keys go to nobody; after it, both")
    func entering() throws {
        var bench = Bench()
        let rules = Self.rules { $0.pins = Self.pins }
        try bench.enter("a", tone: 400, rules)
        bench.dial("12", "a")
        try bench.enter("b", tone: 640, rules)
        bench.run(ticks: 40)
        #expect(bench.hears("a", Self.tones) == [])
        #expect(bench.hears("b", Self.tones) == [])
        #expect(bench.participants.map(\.id) == ["a"])
        bench.dial("1", "b")
        bench.run(ticks: 5)
        #expect(bench.digits.isEmpty, "a PIN is told to nobody")
        #expect(bench.phones[0].events.isEmpty, "nor sent to the other phone")
        bench.dial("2", "b")
        bench.run(ticks: 40)
        #expect(bench.hears("a", Self.tones) == [640])
        #expect(bench.hears("b", Self.tones) == [400])
        #expect(bench.kinds == [.joined, .started, .talking, .joined, .talking])
    }

    @Test("The prompt is a tone; a wrong PIN has another; the third puts the caller out with the reason")
    func wrongPIN() throws {
        var bench = Bench()
        try bench.enter("a", Self.rules { $0.pins = Self.pins })
        bench.run(ticks: 20)
        #expect(bench.hears("a", [560, 300]) == [560])
        bench.dial("11", "a")
        bench.run(ticks: 10)
        #expect(bench.hears("a", [560, 300]) == [300])
        bench.dial("11", "a")
        bench.dial("11", "a")
        bench.step()
        #expect(bench.expulsions.map(\.reason) == ["pin"])
        #expect(bench.mixer.seatCount == 0)
        #expect(bench.mixer.rooms.isEmpty)
        #expect(bench.kinds == [], "it was never there")
    }

    @Test("Ten seconds of silence at the prompt end it")
    func silence() throws {
        var bench = Bench()
        try bench.enter("a", Self.rules { $0.pins = Self.pins })
        bench.run(ticks: 499)
        #expect(bench.mixer.seatCount == 1)
        bench.run(ticks: 6)
        #expect(bench.expulsions.map(\.reason) == ["silence"])
    }

    @Test("Nobody hears anybody until the moderator comes; then all do, and the conference has started")
    func waiting() throws {
        var bench = Bench()
        let rules = Self.rules {
            $0.pins = Self.pins
            $0.policy.waitForModerator = true
        }
        for (name, tone) in zip(["a", "b"], Self.tones) {
            try bench.enter(name, tone: tone, rules)
            bench.dial("12", name)
        }
        bench.run(ticks: 60)
        #expect(bench.hears("a", Self.tones) == [])
        #expect(bench.kinds == [.joined, .joined])
        #expect(bench.participants.map(\.waiting) == [true, true])
        bench.run(ticks: 200)
        #expect(bench.phones[0].meter.level < -20, "a soft tone at most")
        try bench.enter("m", tone: 1300, rules)
        bench.dial("99", "m")
        bench.run(ticks: 40)
        #expect(bench.hears("a", Self.tones) == [640, 1300])
        #expect(bench.hears("m", Self.tones) == [400, 640])
        #expect(bench.kinds.prefix(6) == [.joined, .joined, .joined, .admitted, .admitted, .started])
        #expect(bench.participants.map(\.role) == ["member", "member", "moderator"])
    }

    @Test("*6 mutes oneself and unmutes; what a moderator muted stays so")
    func ownMute() throws {
        var bench = try three()
        bench.dial("*6", "b")
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [1300])
        #expect(bench.participant("b")?.muted == true)
        bench.dial("*6", "b")
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [640, 1300])
        try bench.mixer.moderate("b", room: "room_1", Moderation(muted: true))
        bench.dial("*6", "b")
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [1300])
        try bench.mixer.moderate("b", room: "room_1", Moderation(muted: false))
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [640, 1300])
    }

    @Test("A moderator's *5 mutes all but moderators, newcomers too, and gives the voices back; a member's does nothing")
    func muteAll() throws {
        var bench = try three()
        bench.dial("*5", "b")
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [640, 1300])
        bench.dial("*5", "m")
        try bench.enter("d", tone: 1700, Self.rules())
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [])
        #expect(bench.hears("c", Self.tones) == [400])
        bench.dial("*5", "m")
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [640, 1300, 1700])
    }

    @Test("*7 of a moderator locks: nobody more is let in, not even one at the PIN, until it unlocks")
    func lock() throws {
        var bench = try three()
        let rules = Self.rules { $0.pins = Self.pins }
        try bench.enter("d", rules)
        bench.dial("*7", "m")
        bench.dial("12", "d")
        bench.step()
        #expect(bench.expulsions.map(\.reason) == ["locked"])
        let refused = #expect(throws: RPCError.self) { try bench.enter("e", rules) }
        #expect(refused?.problems.first?.code == "locked")
        bench.dial("*7", "m")
        try bench.enter("f", Self.rules())
        #expect(bench.participants.count == 4)
        #expect(bench.kinds.filter { $0 == .locked(true) || $0 == .locked(false) } == [.locked(true), .locked(false)])
    }

    @Test("A conference that is locked by its settings lets nobody in")
    func lockedBySetting() throws {
        var bench = Bench()
        let refused = #expect(throws: RPCError.self) { try bench.enter("a", Self.rules { $0.policy.locked = true }) }
        #expect(refused?.code == .conflict)
        #expect(bench.mixer.seatCount == 0)
    }

    @Test("*9 raises the hand and lowers it; without digit controls keys do nothing but reach the other phone")
    func hands() throws {
        var bench = try three()
        bench.dial("*9", "b")
        bench.step()
        #expect(bench.participant("b")?.handRaised == true)
        bench.dial("*9", "b")
        bench.step()
        #expect(bench.participant("b")?.handRaised == false)
        #expect(bench.kinds.filter { $0 == .handRaised }.count == 2)

        var plain = Bench()
        let rules = Self.rules { $0.policy.digitControls = false }
        try plain.enter("a", tone: 400, rules)
        try plain.enter("b", tone: 640, rules)
        plain.run(ticks: 20)
        plain.dial("*6", "a")
        plain.run(ticks: 20)
        #expect(plain.participant("a")?.muted == false)
        #expect(!plain.phones[1].events.isEmpty)
    }

    @Test("speaker_events: who dominates is told, once, and not where the policy does not want it")
    func speaker() throws {
        for isWanted in [true, false] {
            var bench = Bench()
            let rules = Self.rules { $0.policy.speakerEvents = isWanted }
            try bench.enter("anna", tone: 440, rules)
            try bench.enter("bert", rules)
            bench.run(ticks: 150)
            let index = bench.index("bert")
            bench.phones[bench.index("anna")].tone = nil
            bench.phones[index].tone = Tone(frequency: 700, level: .dBm0(-16))
            bench.run(ticks: 150)
            let told = bench.mixer.takeNews().filter { $0.kind == .speaker }.compactMap { $0.participant?.id }
            #expect(told == (isWanted ? ["anna", "bert"] : []))
        }
    }

    @Test("When the last moderator has left for longer than the grace, all are put out; not when one comes back in time")
    func endsWithModerator() throws {
        let rules = Self.rules {
            $0.pins = Self.pins
            $0.policy.endWhenModeratorLeaves = true
            $0.grace = .seconds(4)
        }
        var bench = Bench()
        for (name, pin) in [("m", "99"), ("b", "12")] {
            try bench.enter(name, rules)
            bench.dial(pin, name)
        }
        _ = try bench.leave("m")
        bench.run(ticks: 150)
        try bench.enter("n", rules)
        bench.dial("99", "n")
        bench.run(ticks: 300)
        #expect(bench.mixer.seatCount == 2)
        _ = try bench.leave("n")
        bench.run(ticks: 195)
        #expect(bench.mixer.seatCount == 1)
        bench.run(ticks: 10)
        #expect(bench.mixer.seatCount == 0)
        #expect(bench.expulsions.map(\.reason) == [nil])
        #expect(bench.kinds.last == .ended)
    }

    @Test("Who comes in is muted where the settings say so, but for moderators; tones tell of coming and going")
    func entryAndExit() throws {
        let rules = Self.rules {
            $0.pins = Self.pins
            $0.policy.muteOnEntry = true
            $0.policy.entryTone = true
            $0.policy.exitTone = true
        }
        var bench = Bench()
        try bench.enter("m", rules)
        bench.dial("99", "m")
        bench.run(ticks: 40)
        try bench.enter("b", tone: 640, rules)
        bench.dial("12", "b")
        bench.run(ticks: 18)
        #expect(bench.hears("m", [640, 800, 1000]) == [1000], "the entry's second note, and no voice")
        #expect(bench.participants.map(\.muted) == [false, true])
        bench.run(ticks: 40)
        _ = try bench.leave("b")
        bench.run(ticks: 18)
        #expect(bench.hears("m", [640, 800, 1000]) == [800], "the exit's second note")
    }

    @Test("A guest is muted and cannot change that; made a member, it speaks")
    func guests() throws {
        var bench = try three()
        try bench.mixer.moderate("b", room: "room_1", Moderation(role: .guest))
        bench.dial("*6", "b")
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [1300])
        bench.control(.unmute)
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [1300])
        try bench.mixer.moderate("b", room: "room_1", Moderation(role: .member))
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [640, 1300])
        #expect(bench.kinds.contains(.role))
    }

    @Test("A renewed seat keeps its role, its mute and its place inside")
    func renewal() throws {
        var bench = try three()
        bench.dial("*6", "b")
        bench.dial("*5", "m")
        let before = bench.participants
        let settings = try #require(bench.mixer.snapshot(of: "room_1")?.members[1].settings)
        _ = try bench.mixer.join(
            Bench.identity, settings, relay: bench.phones[1].address, at: Contracts.Timestamp(milliseconds: 9),
            Self.rules { $0.pins = Self.pins })
        #expect(bench.participants == before)
    }

    @Test("Ending puts everybody out, those at the PIN as well; new settings let in who waited for a moderator")
    func control() throws {
        var bench = Bench()
        let rules = Self.rules { $0.policy.waitForModerator = true }
        try bench.enter("a", tone: 400, rules)
        try bench.enter("b", tone: 640, rules)
        bench.run(ticks: 40)
        #expect(bench.hears("a", Self.tones) == [])
        bench.control(.refresh, Self.rules())
        bench.run(ticks: 40)
        #expect(bench.hears("a", Self.tones) == [640])
        try bench.enter("c", Self.rules { $0.pins = Self.pins })
        bench.control(.end)
        #expect(bench.mixer.seatCount == 0)
        #expect(bench.expulsions.count == 3)
        let isThere = bench.mixer.control(.mute, room: "room_1", nil)
        #expect(!isThere)
    }

    /// A moderator and two members, each with its tone.
    private func three() throws -> Bench {
        var bench = Bench()
        for (index, name) in ["m", "b", "c"].enumerated() { try bench.enter(name, tone: Self.tones[index], Self.rules()) }
        try bench.mixer.moderate("m", room: "room_1", Moderation(role: .moderator))
        bench.run(ticks: 40)
        #expect(bench.hears("m", Self.tones) == [640, 1300])
        return bench
    }
}

extension Bench {
    static let identity = RoomIdentity(id: "room_1", customerID: "cust_1", conferenceID: "conf_1", limit: nil)

    mutating func enter(_ name: String, tone: Double? = nil, _ rules: MeetingRules) throws {
        let number = UInt16(phones.count + 1)
        let address = SocketAddress(.loopbackIPv4, port: 20000 + number)
        let settings = ParticipantSettings(
            participantID: name, callID: "call_\(name)", owner: "CallServer-1", epoch: 1,
            inside: InsideEndpoint(address: address.description, ssrc: UInt32(number) * 1000))
        let ssrc = try mixer.join(
            Self.identity, settings, relay: address, at: Contracts.Timestamp(milliseconds: 0), rules)
        phones.append(
            Phone(name: name, address: address, ssrc: ssrc, tone: tone.map { Tone(frequency: $0, level: .dBm0(-16)) }))
    }

    mutating func control(_ action: ControlConference.Action, _ rules: MeetingRules? = nil) {
        let isThere = mixer.control(action, room: "room_1", rules)
        #expect(isThere)
    }

    mutating func dial(_ keys: String, _ name: String) { for key in keys { press(key, name) } }

    var participants: [Participant] { mixer.snapshot(of: "room_1")?.participants ?? [] }

    func participant(_ name: String) -> Participant? { participants.first { $0.id == name } }

    var kinds: [ConferenceNews.Kind] { mixer.news.map(\.kind) }

    var expulsions: [Expulsion] { mixer.expelled }
}
