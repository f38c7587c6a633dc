import Audio
import Contracts
import Testing

@testable import ConferenceServer

@Suite("Who hears whom: mute, deaf, whisper, barge, listen, circles, gain")
struct DirectionTests {
    /// Each talker has its own.
    static let tones = ["a": 400.0, "b": 640, "c": 1010, "s": 1370]

    /// What holds for a room of three members and a supervisor.
    struct Combination: CustomStringConvertible {
        var muted: Set<String> = []
        var deaf: Set<String> = []
        var supervision: Supervision?
        /// Of `c`.
        var whisperTo: String?
        /// Of `b`.
        var hears: [String]?

        var description: String {
            "muted \(muted.sorted()), deaf \(deaf.sorted()), \(supervision?.mode.rawValue ?? "no supervisor") "
                + "\(supervision?.whisperTo ?? ""), c whispers to \(whisperTo ?? "nobody"), b hears \(hears ?? ["all"])"
        }

        /// Said in the words of the interface, with nothing of how the mixer does it.
        func hears(_ ear: String, _ voice: String) -> Bool {
            guard ear != voice, !muted.contains(voice), !deaf.contains(ear) else { return false }
            if voice == "s" {
                switch supervision?.mode {
                case nil, .listen: return false
                case .whisper: return supervision?.whisperTo == ear
                case .barge: return ear != "b" || hears?.contains("s") != false
                }
            }
            if voice == "c", let whisperTo { return whisperTo == ear }
            return ear != "b" || hears?.contains(voice) != false
        }

        static let all: [Combination] = {
            func subsets(_ names: [String]) -> [Set<String>] {
                names.reduce([[]]) { sets, name in sets + sets.map { $0.union([name]) } }
            }
            let supervisions: [Supervision?] = [
                nil, Supervision(mode: .listen), Supervision(mode: .barge), Supervision(mode: .whisper, whisperTo: "a"),
                Supervision(mode: .whisper, whisperTo: "b"), Supervision(mode: .whisper, whisperTo: "gone"),
            ]
            var all: [Combination] = []
            for muted in subsets(["a", "b", "c", "s"]) {
                for deaf in subsets(["a", "b", "c"]) {
                    for supervision in supervisions {
                        for whisperTo in [nil, "a"] {
                            for hears in [nil, ["a"], ["a", "c"]] {
                                all.append(
                                    Combination(muted: muted, deaf: deaf, supervision: supervision, whisperTo: whisperTo, hears: hears))
                            }
                        }
                    }
                }
            }
            return all
        }()
    }

    @Test("Every combination in a room of three with a supervisor", arguments: [false, true])
    func everything(aloneWithRoomSound: Bool) throws {
        var bench = Bench()
        for name in ["a", "b", "c"] { try bench.sit(name, tone: Self.tones[name]) }
        try bench.supervise("s", Supervision(mode: .listen), tone: Self.tones["s"])
        if aloneWithRoomSound {
            // Everybody who is not deaf hears this as well, whomever else it hears.
            let request = PlayInRoom(
                roomID: "room_1", participantID: nil, playID: "play_1", sources: [.tone(frequency: 1700, milliseconds: 1000)], loop: true)
            var tone = Tone(frequency: 1700, level: .dBm0(-20))
            try bench.begin(request, [.sound(tone.next(8000))])
        }
        let all = Self.tones.values.sorted()
        for combination in aloneWithRoomSound ? Combination.all.enumerated().filter({ $0.offset % 7 == 0 }).map(\.element) : Combination.all {
            try bench.take(combination)
            bench.run(ticks: 12)
            for ear in ["a", "b", "c", "s"] where ear != "s" || combination.supervision != nil {
                let heard = bench.hears(ear, all + [1700])
                var expected = all.filter { tone in Self.tones.contains { $0.value == tone && combination.hears(ear, $0.key) } }
                if aloneWithRoomSound, !combination.deaf.contains(ear) { expected.append(1700) }
                #expect(heard == expected, "\(ear): \(combination)")
            }
        }
    }

    @Test("A gain makes a voice, or all that one hears, so much louder or softer, and changes without a jump")
    func gain() throws {
        var bench = Bench()
        for name in ["a", "b", "c"] { try bench.sit(name, tone: Self.tones[name]) }
        bench.run(ticks: 20)
        let before = bench.level(400, "b")
        try bench.mixer.direct("a", room: "room_1", DirectionChange(gainIn: -12))
        bench.run(ticks: 20)
        #expect(abs(bench.level(400, "b") - (before - 12)) < 0.5)
        #expect(abs(bench.level(640, "c") - before) < 0.5, "only its own")
        try bench.mixer.direct("b", room: "room_1", DirectionChange(gainOut: 6))
        bench.run(ticks: 20)
        #expect(abs(bench.level(400, "b") - (before - 6)) < 0.5)
        #expect(abs(bench.level(1010, "b") - (before + 6)) < 0.5)
        #expect(abs(bench.level(400, "c") - (before - 12)) < 0.5)
        let member = bench.mixer.snapshot(of: "room_1")?.participant("a")
        #expect(member?.gainIn == -12 && member?.gainOut == nil)
        #expect(throws: RPCError.self) { try bench.mixer.direct("a", room: "room_1", DirectionChange(gainIn: 21)) }
        #expect(throws: RPCError.self) { try bench.mixer.direct("a", room: "room_1", DirectionChange(gainOut: .nan)) }
    }

    @Test("Two with a gain: the frame of the only other voice is changed as well")
    func gainOfTwo() throws {
        var bench = Bench()
        for name in ["a", "b"] { try bench.sit(name, tone: Self.tones[name]) }
        bench.run(ticks: 20)
        let before = bench.level(400, "b")
        #expect(bench.mixer.rooms.allSatisfy { !$0.needsMixer })
        try bench.mixer.direct("a", room: "room_1", DirectionChange(gainIn: 9))
        bench.run(ticks: 20)
        #expect(abs(bench.level(400, "b") - (before + 9)) < 0.5)
        #expect(bench.mixer.rooms.allSatisfy { $0.needsMixer && !$0.isDirected })
        try bench.mixer.direct("a", room: "room_1", DirectionChange(gainIn: 0))
        #expect(bench.mixer.rooms.allSatisfy { !$0.needsMixer })
    }

    @Test("A whisper is heard by nobody when its ear goes, and again when it comes back; it does not count as talking")
    func whisperTarget() throws {
        var bench = Bench()
        for name in ["a", "b", "c"] { try bench.sit(name, tone: Self.tones[name]) }
        try bench.mixer.direct("c", room: "room_1", DirectionChange(whisperTo: "a"))
        bench.run(ticks: 20)
        #expect(bench.hears("a", [400, 640, 1010]) == [640, 1010])
        #expect(bench.hears("b", [400, 640, 1010]) == [400])
        #expect(bench.mixer.snapshot(of: "room_1")?.participant("c")?.talking == false)
        _ = try bench.leave("a")
        bench.run(ticks: 20)
        #expect(bench.hears("b", [400, 640, 1010]) == [])
        try bench.sit("a", tone: 400)
        bench.run(ticks: 20)
        #expect(bench.phones[3].meter.tones(among: [400, 640, 1010]) == [640, 1010])
        #expect(bench.hears("b", [400, 640, 1010]) == [400])
        try bench.mixer.direct("c", room: "room_1", DirectionChange(whisperTo: ""))
        bench.run(ticks: 20)
        #expect(bench.hears("b", [400, 640, 1010]) == [400, 1010])
        #expect(bench.mixer.rooms.allSatisfy { !$0.needsMixer })
    }

    @Test("Only others who are there can be named; a supervisor is nobody's")
    func names() throws {
        var bench = Bench()
        for name in ["a", "b"] { try bench.sit(name, tone: Self.tones[name]) }
        try bench.supervise("s", Supervision(mode: .listen), tone: 1370)
        for name in ["a", "x", "s"] {
            let refused = #expect(throws: RPCError.self) {
                try bench.mixer.direct("a", room: "room_1", DirectionChange(whisperTo: name))
            }
            #expect(refused?.problems.map(\.pointer) == ["/whisper_to"])
            let circle = #expect(throws: RPCError.self) {
                try bench.mixer.direct("a", room: "room_1", DirectionChange(hears: ["b", name]))
            }
            #expect(circle?.problems.map(\.pointer) == ["/hears"])
        }
        #expect(bench.mixer.snapshot(of: "room_1")?.participant("a")?.whisperTo == nil)
    }

    @Test("A supervisor supervises what goes on, of its own customer; it keeps no room alive and is put out with the last member")
    func outsiders() throws {
        var bench = Bench()
        #expect(throws: RPCError.self) { try bench.supervise("s", Supervision(mode: .barge)) }
        try bench.sit("a", tone: 400, limit: 2)
        try bench.sit("b", tone: 640, limit: 2)
        #expect(throws: RPCError.self) { try bench.supervise("s", Supervision(mode: .barge), customer: "cust_2") }
        try bench.supervise("s", Supervision(mode: .listen), tone: 1010)
        try bench.supervise("t", Supervision(mode: .barge), tone: 1370)
        bench.run(ticks: 20)
        #expect(bench.hears("s", [400, 640, 1010, 1370]) == [400, 640, 1370])
        #expect(bench.hears("a", [400, 640, 1010, 1370]) == [640, 1370])
        #expect(bench.mixer.snapshot(of: "room_1")?.participants.map(\.id) == ["a", "b"])
        #expect(bench.mixer.snapshot(of: "room_1")?.participant("s")?.kind == .supervisor)
        // Two members are two, whoever listens: keys pass.
        bench.press("5", "a")
        bench.run(ticks: 5)
        #expect(bench.phones[1].events.count == 3)
        bench.press("6", "s")
        bench.run(ticks: 5)
        #expect(bench.phones.prefix(2).allSatisfy { $0.events.count <= 3 })
        _ = try bench.leave("a")
        #expect(bench.mixer.seatCount == 3)
        _ = try bench.leave("b")
        #expect(bench.mixer.seatCount == 0 && bench.mixer.rooms.isEmpty)
        let expulsions = bench.mixer.takeExpulsions()
        #expect(Set(expulsions.map(\.departure.member.settings.participantID)) == ["s", "t"])
    }

    @Test("A supervisor changes its mode by joining again, or whom it whispers to; then who whispered listens")
    func modes() throws {
        var bench = Bench()
        for name in ["a", "b"] { try bench.sit(name, tone: Self.tones[name]) }
        try bench.supervise("s", Supervision(mode: .listen), tone: 1370)
        try bench.supervise("s", Supervision(mode: .barge))
        bench.run(ticks: 20)
        #expect(bench.hears("a", [1370]) == [1370] && bench.hears("b", [1370]) == [1370])
        try bench.mixer.direct("s", room: "room_1", DirectionChange(whisperTo: "b"))
        bench.run(ticks: 20)
        #expect(bench.hears("a", [1370]) == [] && bench.hears("b", [1370]) == [1370])
        try bench.mixer.direct("s", room: "room_1", DirectionChange(whisperTo: ""))
        bench.run(ticks: 20)
        #expect(bench.hears("a", [1370]) == [] && bench.hears("b", [1370]) == [])
        #expect(bench.hears("s", [400, 640]) == [400, 640])
    }

    @Test("In a conference nobody is told of a supervisor: no tone, no event, no place; and music for who is alone goes on")
    func conference() throws {
        var bench = Bench()
        var rules = MeetingRules()
        (rules.policy.entryTone, rules.policy.exitTone) = (true, true)
        try bench.enter("a", tone: 400, rules)
        bench.run(ticks: 40)
        _ = bench.mixer.takeNews()
        let request = PlayInRoom(
            roomID: "room_1", participantID: nil, playID: "music", sources: [.tone(frequency: 1700, milliseconds: 1000)], loop: true,
            whileAlone: true)
        var tone = Tone(frequency: 1700, level: .dBm0(-20))
        try bench.begin(request, [.sound(tone.next(8000))])
        try bench.supervise("s", Supervision(mode: .barge), tone: 1010)
        bench.run(ticks: 40)
        #expect(bench.hears("a", [800, 1000, 1010, 1700]) == [1010, 1700])
        // Keys of a supervisor steer nothing, and a mute for all is not for it.
        bench.press("*", "s")
        bench.press("9", "s")
        bench.control(.mute)
        bench.run(ticks: 100)
        #expect(bench.hears("a", [1010]) == [1010])
        _ = bench.mixer.takeNews()
        _ = try bench.leave("s")
        bench.run(ticks: 10)
        #expect(bench.mixer.takeNews().isEmpty)
        #expect(bench.hears("a", [1700]) == [1700])
    }
}

extension Bench {
    /// Comes as a supervisor, or comes again in another way.
    mutating func supervise(
        _ name: String, _ supervision: Supervision?, tone: Double? = nil, customer: String = "cust_1"
    ) throws {
        let number = index(name) < 0 ? phones.count : index(name)
        var settings = settings(of: name, number: number)
        settings.supervision = supervision
        let ssrc = try mixer.join(
            RoomIdentity(id: "room_1", customerID: customer), settings, relay: address(number), at: Timestamp(milliseconds: 0))
        if number == phones.count { add(name, number: number, ssrc: ssrc, tone: tone) }
    }

    mutating func take(_ combination: DirectionTests.Combination) throws {
        for name in ["a", "b", "c", "s"] {
            try mixer.set(
                room: "room_1", participant: name, muted: combination.muted.contains(name), deaf: combination.deaf.contains(name))
        }
        // Without one it is there all the same, and says nothing.
        let supervision = combination.supervision ?? Supervision(mode: .listen)
        let muted = combination.muted.contains("s")
        try supervise("s", supervision)
        try mixer.set(room: "room_1", participant: "s", muted: muted)
        try mixer.direct("c", room: "room_1", DirectionChange(whisperTo: combination.whisperTo ?? ""))
        try mixer.direct("b", room: "room_1", DirectionChange(hears: combination.hears ?? []))
    }
}
