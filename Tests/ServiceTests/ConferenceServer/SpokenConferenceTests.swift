import Audio
import Contracts
import Deadlines
import Testing

@testable import ConferenceServer

@Suite("What conferences say by themselves: names, prompts, music")
struct SpokenConferenceTests {
    private static func rules(_ change: (inout MeetingRules) -> Void = { _ in }) -> MeetingRules {
        var rules = MeetingRules()
        rules.voice = ConferenceVoice()
        change(&rules)
        return rules
    }

    private static let names = rules { $0.policy.announce = .name }
    /// The voice of these tests, and its music.
    private static let voice = 1500.0
    private static let music = 2100.0
    private static let all = [voice, music, 300, 350, 560, 800, 1000]

    // MARK: Names

    @Test("Who comes and goes is named to those inside, in order; nobody waits for the voice")
    func names() throws {
        var bench = Bench()
        try bench.enter("a", named: "Ann", Self.names)
        #expect(bench.orders.isEmpty, "there is nobody to tell")
        try bench.enter("b", tone: 640, named: "Bob Q. Smith", Self.names)
        bench.run(ticks: 10)
        #expect(bench.hears("a", [640]) == [640], "heard before its name is made")
        try bench.enter("c", named: nil, number: "+491", Self.names)
        _ = try bench.leave("b")
        let orders = bench.orders
        #expect(orders.map(\.choices) == [
            [.speech(text: "Bob Q Smith has joined.", language: "en")], [.speech(text: "4, 9, 1 has joined.", language: "en")],
            [.speech(text: "Bob Q Smith has left.", language: "en")],
        ])
        #expect(orders.allSatisfy { $0.participant == nil && $0.room == "room_1" && $0.customer == "cust_1" })
        // Made in another order than asked for.
        bench.speak(orders[1], 1800, ticks: 10)
        bench.run(ticks: 10)
        #expect(bench.hears("a", [Self.voice, 1800, 2300]) == [])
        bench.speak(orders[0], Self.voice, ticks: 10)
        bench.speak(orders[2], 2300, ticks: 10)
        for tone in [Self.voice, 1800, 2300] {
            bench.run(ticks: 10)
            #expect(bench.hears("a", [Self.voice, 1800, 2300]) == [tone])
            #expect(bench.hears("c", [Self.voice, 1800, 2300]) == [tone])
        }
        bench.run(ticks: 10)
        #expect(bench.phones[0].meter.level < -80)
    }

    @Test("The language chooses the sentence and its voice; one that is not known here is English")
    func languages() throws {
        for (tag, text, voice) in [
            ("de-AT", "Bob ist beigetreten.", "de-AT"), ("fr", "Bob a rejoint la conférence.", "fr"), ("es", "Bob se ha unido.", "es"),
            ("fi", "Bob has joined.", "en"), ("en-GB", "Bob has joined.", "en-GB"),
        ] {
            var bench = Bench()
            let rules = Self.rules { ($0.policy.announce, $0.policy.language) = (.name, tag) }
            try bench.enter("a", rules)
            try bench.enter("b", named: "Bob", rules)
            #expect(bench.orders.map(\.choices) == [[.speech(text: text, language: voice)]])
        }
    }

    @Test("Where nobody can speak, or not within two seconds, a tone tells it; so does `tone`, and with `none` the old fields")
    func tones() throws {
        var bench = Bench()
        try bench.enter("a", Self.names)
        try bench.enter("b", Self.names)
        bench.speak(bench.orders[0], nil)
        bench.run(ticks: 18)
        #expect(bench.hears("a", Self.all) == [1000], "the entry's second note")
        bench.run(ticks: 40)
        _ = try bench.leave("b")
        bench.run(ticks: 100)
        #expect(bench.phones[0].meter.level < -80)
        bench.run(ticks: 19)
        #expect(bench.hears("a", Self.all) == [800], "the exit's second note")
        bench.speak(bench.orders[1], Self.voice)
        bench.run(ticks: 40)
        #expect(bench.phones[0].meter.level < -80, "too late")

        for rules in [Self.rules { $0.policy.announce = .tone }, Self.rules { $0.policy.entryTone = true }] {
            var bench = Bench()
            try bench.enter("a", rules)
            bench.run(ticks: 40)
            try bench.enter("b", rules)
            bench.run(ticks: 18)
            #expect(bench.hears("a", Self.all) == [1000])
            #expect(bench.orders.isEmpty)
        }
    }

    @Test("Of a burst so many are named as may wait, and the others are one tone")
    func burst() throws {
        var bench = Bench()
        let rules = Self.rules { ($0.policy.announce, $0.voice) = (.name, ConferenceVoice(names: 3)) }
        try bench.enter("first", rules)
        for number in 0..<30 { try bench.enter("p\(number)", named: "Caller \(number)", rules) }
        #expect(bench.orders.count == 3)
        bench.run(ticks: 18)
        #expect(bench.hears("first", Self.all) == [1000])
        for order in bench.orders { bench.speak(order, Self.voice, ticks: 10) }
        bench.run(ticks: 40)
        try bench.enter("later", named: "Later", rules)
        #expect(bench.orders.count == 4, "there is room again")
    }

    @Test("Who waits is named when the moderator lets it in")
    func admitted() throws {
        var bench = Bench()
        let rules = Self.rules { ($0.policy.announce, $0.policy.waitForModerator, $0.pins.moderator) = (.name, true, "99") }
        try bench.enter("a", named: "Ann", rules)
        bench.dial("#", "a")
        try bench.enter("m", named: "Max", rules)
        bench.dial("99", "m")
        #expect(bench.sentences == [
            "Please enter the PIN.", "You will be let in when the moderator comes.", "Please enter the PIN.", "Max has joined.", "Ann has joined.",
        ])
    }

    @Test("A name is what a phone says it is, and no more than a name", arguments: [
        ("Ann", "1001", "Ann"), (nil, "1001", "1, 0, 0, 1"), ("1001", "1001", "1, 0, 0, 1"), ("", "+4930*12#", "4, 9, 3, 0, 1, 2"),
        ("Jean-Luc O'Neil", nil, "Jean-Luc O'Neil"), ("  Zoë  Müller-Lüdenscheidt (home) ", nil, "Zoë Müller-Lüdenscheidt home"),
        ("<speak><break time='60s'/></speak>", nil, "speak break time 60s' speak"), ("Anonymous", "anonymous", nil), (nil, "alice", "alice"),
        ("\u{202e}evil\u{0}\n--", "7", "evil"), ("李雷", nil, "李雷"), ("...", nil, nil), (nil, "0000000000000000000000000001", "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"),
        (nil, nil, nil),
    ] as [(String?, String?, String?)])
    func spokenNames(_ name: String?, _ number: String?, _ text: String?) {
        #expect(SpokenName.text(name: name, number: number) == text)
    }

    @Test("However long a name is, forty letters are spoken")
    func longName() {
        let text = SpokenName.text(name: String(repeating: "ab ", count: 100_000), number: nil)
        #expect(text?.unicodeScalars.count ?? 0 <= SpokenName.longestName && text?.hasPrefix("ab ab") == true)
    }

    // MARK: Prompts

    private static let pins = Entrance.PINs(member: "12", moderator: "99")

    @Test("The PIN is asked for by a sentence and then the tone; a key cuts it off; silence is counted from its end")
    func pin() throws {
        var bench = Bench()
        let rules = Self.rules { $0.pins = Self.pins }
        try bench.enter("a", rules)
        #expect(bench.sentences == ["Please enter the PIN."])
        #expect(bench.orders[0].participant == "a")
        bench.speak(bench.orders[0], Self.voice, ticks: 300)
        bench.run(ticks: 299)
        #expect(bench.hears("a", Self.all) == [Self.voice])
        bench.run(ticks: 15)
        #expect(bench.hears("a", Self.all) == [560])
        bench.run(ticks: 450)
        #expect(bench.mixer.seatCount == 1, "the ten seconds are not over")
        bench.run(ticks: 60)
        #expect(bench.expulsions.map(\.reason) == ["silence"])

        try bench.enter("b", rules)
        bench.speak(bench.orders[1], Self.voice, ticks: 300)
        bench.run(ticks: 20)
        bench.dial("1", "b")
        bench.run(ticks: 12)
        #expect(bench.hears("b", Self.all) == [])
        bench.dial("2", "b")
        #expect(bench.participants.map(\.id) == ["b"])
    }

    @Test("A wrong PIN is a tone at once, and then a sentence")
    func wrongPIN() throws {
        var bench = Bench()
        try bench.enter("a", Self.rules { ($0.pins, $0.policy.language) = (Self.pins, "de") })
        bench.dial("11", "a")
        #expect(bench.sentences == ["Bitte geben Sie die PIN ein.", "Diese PIN ist falsch. Bitte versuchen Sie es noch einmal."])
        bench.run(ticks: 10)
        #expect(bench.hears("a", Self.all) == [300])
        bench.run(ticks: 40)
        bench.speak(bench.orders[0], Self.voice)
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.all) == [], "nobody is asked for what it gives already")
        bench.speak(bench.orders[1], Self.voice, ticks: 20)
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.all) == [Self.voice])
    }

    @Test("A conference's own sounds come first, and are heard where nobody speaks")
    func own() throws {
        for voice in [ConferenceVoice(), nil] {
            var bench = Bench()
            let rules = Self.rules {
                ($0.pins, $0.policy.waitForModerator, $0.voice) = (Self.pins, true, voice)
                $0.policy.prompts = ConferencePrompts(pin: "pin/ask", wrongPIN: "recording:rec_1", waiting: "https://sounds.example/wait.mp3")
            }
            try bench.enter("a", rules)
            bench.dial("1112", "a")
            #expect(bench.orders.map(\.choices.first) == [
                .url("pin/ask"), .url("recording:rec_1"), .url("https://sounds.example/wait.mp3"),
            ])
            #expect(bench.orders.allSatisfy { $0.choices.count == (voice == nil ? 1 : 2) })
        }
    }

    @Test("Without a voice there are the tones, at once")
    func voiceless() throws {
        var bench = Bench()
        try bench.enter("a", Self.rules { ($0.pins, $0.voice) = (Self.pins, nil) })
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.all) == [560])
        #expect(bench.orders.isEmpty)
    }

    // MARK: Music

    @Test("Who waits hears the sentence, then music, until the moderator comes; all wait with the same music")
    func waiting() throws {
        var bench = Bench()
        let rules = Self.rules { ($0.policy.waitForModerator, $0.policy.musicOnHold) = (true, true) }
        try bench.enter("a", rules)
        try bench.enter("b", rules)
        bench.run(ticks: 6)
        #expect(bench.sentences == Array(repeating: "You will be let in when the moderator comes.", count: 2))
        #expect(bench.orders.filter { $0.choices == [.music] }.count == 1)
        bench.answer(voice: Self.voice, ticks: 50, music: Self.music)
        bench.run(ticks: 40)
        #expect(bench.hears("a", Self.all) == [Self.voice])
        bench.run(ticks: 40)
        #expect(bench.hears("a", Self.all) == [Self.music])
        #expect(bench.hears("b", Self.all) == [Self.music])
        bench.run(ticks: 600)
        #expect(bench.hears("a", Self.all) == [Self.music], "no tone of those who wait")
        try bench.enter("m", tone: 640, rules)
        try bench.mixer.moderate("m", room: "room_1", Moderation(role: .moderator))
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.all + [640]) == [640])
        #expect(bench.hears("m", Self.all) == [])
    }

    @Test("Who is alone hears music, and not what is played to it at once; it ends with the second, and begins when that one leaves")
    func alone() throws {
        var bench = Bench()
        let rules = Self.rules { $0.policy.musicOnHold = true }
        try bench.enter("a", rules)
        bench.run(ticks: 6)
        bench.answer(music: Self.music)
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.all) == [Self.music])
        try bench.begin(
            PlayInRoom(roomID: "room_1", participantID: nil, playID: "p", sources: []), [.sound(Bench.sound(Self.voice, ticks: 30))])
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.all) == [Self.voice])
        bench.run(ticks: 25)
        #expect(bench.hears("a", Self.all) == [Self.music])
        try bench.enter("b", tone: 640, rules)
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.all + [640]) == [640])
        #expect(bench.hears("b", Self.all) == [])
        _ = try bench.leave("b")
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.all) == [Self.music])
        #expect(bench.orders.filter { $0.choices == [.music] }.count == 1, "it is fetched once")
    }

    @Test("Music that cannot be had is asked for again after half a minute; without the flag there is none")
    func noMusic() throws {
        var bench = Bench()
        let rules = Self.rules { $0.policy.musicOnHold = true }
        try bench.enter("a", rules)
        bench.run(ticks: 6)
        bench.speak(bench.orders[0], nil)
        bench.run(ticks: 1400)
        #expect(bench.orders.count == 1)
        bench.run(ticks: 120)
        #expect(bench.orders.count == 2)
        bench.control(.refresh, Self.rules())
        bench.answer(music: Self.music)
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.all) == [])
    }
}

extension Bench {
    mutating func enter(_ name: String, tone: Double? = nil, named display: String?, number: String? = nil, _ rules: MeetingRules) throws {
        let place = phones.count
        var settings = settings(of: name, number: place)
        (settings.name, settings.number) = (display, number)
        let ssrc = try mixer.join(Self.identity, settings, relay: address(place), at: Contracts.Timestamp(milliseconds: 0), rules)
        add(name, number: place, ssrc: ssrc, tone: tone)
    }

    /// All that the mixer wants to be spoken.
    var orders: [SpokenOrder] { mixer.spokenOrders }

    var sentences: [String] {
        orders.compactMap { if case .speech(let text, _, _)? = $0.choices.last { text } else { nil } }
    }

    static func sound(_ frequency: Double, ticks: Int) -> [Int16] {
        var tone = Tone(frequency: frequency, level: .dBm0(-16))
        return tone.next(ticks * Samples.frame)
    }

    /// What is made of an order: a tone, or nothing.
    mutating func speak(_ order: SpokenOrder, _ frequency: Double?, ticks: Int = 50) {
        mixer.spoken(order, frequency.map { Self.sound($0, ticks: ticks) })
    }

    /// Makes all that was asked for.
    mutating func answer(voice: Double = 1500, ticks: Int = 50, music: Double) {
        for order in orders {
            if order.choices == [.music] { speak(order, music, ticks: 100) } else { speak(order, voice, ticks: ticks) }
        }
    }
}
