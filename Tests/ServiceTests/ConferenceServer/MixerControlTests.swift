import Audio
import Contracts
import Testing

@testable import ConferenceServer

@Suite("Rooms: plays that are repeated, paused, moved and changed")
struct MixerControlTests {
    static let tones = [400.0, 600, 900, 1300]

    private func piece(_ frequency: Double, milliseconds: Int) -> Play.Piece {
        var tone = Tone(frequency: frequency, level: .dBm0(-16))
        return .sound(tone.next(milliseconds * 8))
    }

    /// Half a second each of 400, 600 and 900 Hz.
    private var scale: [Play.Piece] { [piece(400, milliseconds: 500), piece(600, milliseconds: 500), piece(900, milliseconds: 500)] }

    private func request(
        _ id: String, to participant: String? = "a", options: (inout PlayInRoom) -> Void = { _ in }
    ) -> PlayInRoom {
        var request = PlayInRoom(roomID: "room_1", participantID: participant, playID: id, sources: [.silence(milliseconds: 1)])
        options(&request)
        return request
    }

    private func bench(_ names: [String] = ["a"]) throws -> Bench {
        var bench = Bench()
        for name in names { try bench.sit(name) }
        return bench
    }

    @Test("A play is heard as often as it was asked for")
    func repeated() throws {
        var bench = try bench()
        try bench.begin(request("p") { $0.repeats = 3 }, [piece(400, milliseconds: 400)])
        bench.run(ticks: 59)
        #expect(bench.ends.isEmpty)
        #expect(bench.hears("a", Self.tones) == [400])
        bench.run(ticks: 2)
        #expect(bench.ends.map(\.0) == ["p"] && bench.ends.map(\.1) == [.completed])
        // `repeats` goes before `loop`.
        try bench.begin(request("q") { ($0.repeats, $0.loop) = (1, true) }, [piece(400, milliseconds: 40)])
        bench.run(ticks: 4)
        #expect(bench.ends.map(\.0) == ["p", "q"])
    }

    @Test("Paused it fades away at once and stands still; resumed it goes on where it was")
    func paused() throws {
        var bench = try bench()
        try bench.begin(request("p"), scale)
        bench.run(ticks: 20)
        let state = try bench.control("p", .pause)
        #expect(state.paused)
        bench.run(ticks: 1)
        let stood = try bench.control("p", .pause)
        bench.run(ticks: 50)
        #expect(bench.phones[0].meter.level < -100)
        #expect(try bench.control("p", .pause).position == stood.position)
        #expect(stood.position == 420)
        #expect(try !bench.control("p", .resume).paused)
        bench.run(ticks: 16)
        #expect(bench.hears("a", Self.tones) == [600])
        bench.run(ticks: 40)
        #expect(bench.ends.map(\.0) == ["p"])
    }

    @Test("It may begin paused, and within its sound")
    func beganPaused() throws {
        var bench = try bench()
        try bench.begin(request("p") { ($0.paused, $0.startAt) = (true, 500) }, scale)
        bench.run(ticks: 20)
        #expect(bench.phones[0].meter.level < -100)
        try bench.control("p", .resume)
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [600])
    }

    @Test("Moved to a place, forwards and back, it goes on from there; beyond its end it ends")
    func sought() throws {
        var bench = try bench()
        try bench.begin(request("p"), scale)
        bench.run(ticks: 5)
        #expect(try bench.control("p", .seek(milliseconds: 1010)).position == 1010)
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [900])
        #expect(try bench.control("p", .skip(milliseconds: -1200)).position == 50)
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [400])
        #expect(try bench.control("p", .skip(milliseconds: .min)).position == 0)
        try bench.control("p", .seek(milliseconds: .max))
        bench.run(ticks: 1)
        #expect(bench.ends.map(\.0) == ["p"])
        #expect(throws: RPCError.self) { try bench.control("p", .seek(milliseconds: 0)) }
    }

    @Test("A place that is not rendered yet is waited for")
    func soughtEarly() throws {
        var bench = try bench()
        try bench.mixer.play(request("p"), into: &bench.box)
        bench.extend("p", with: scale[0])
        bench.run(ticks: 5)
        try bench.control("p", .seek(milliseconds: 1100))
        bench.run(ticks: 15)
        #expect(bench.phones[0].meter.level < -100 && bench.ends.isEmpty)
        bench.extend("p", with: scale[1])
        bench.run(ticks: 5)
        #expect(bench.phones[0].meter.level < -100)
        bench.extend("p", with: scale[2])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [900])
    }

    @Test("In what is repeated a place beyond the end lies in a later time around")
    func soughtAround() throws {
        var bench = try bench()
        try bench.begin(request("p") { $0.repeats = 3 }, scale)
        try bench.control("p", .seek(milliseconds: 1500 + 500))
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [600])
        #expect(try bench.control("p", .resume).repeatsLeft == 1)
        try bench.control("p", .seek(milliseconds: 1500 * 2))
        bench.run(ticks: 2)
        #expect(bench.ends.map(\.0) == ["p"])
        try bench.begin(request("q") { $0.loop = true }, scale)
        try bench.control("q", .seek(milliseconds: 1500 * 1000 + 1000))
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [900] && bench.ends.count == 1)
    }

    @Test("The volume is changed by as much as was asked for, from the beginning or meanwhile")
    func volume() throws {
        var bench = try bench()
        try bench.begin(request("p"), [piece(400, milliseconds: 5000)])
        bench.run(ticks: 12)
        let before = bench.level(400, "a")
        #expect(try bench.control("p", .volume(decibels: -12)).volume == -12)
        bench.run(ticks: 12)
        #expect(abs(before - bench.level(400, "a") - 12) < 0.6)
        try bench.control("p", .volume(decibels: 6))
        bench.run(ticks: 12)
        #expect(abs(bench.level(400, "a") - before - 6) < 0.6)
        #expect(try bench.control("p", .volume(decibels: 1e300)).volume == 20)
        _ = bench.stop("p")
        try bench.begin(request("q") { $0.volume = -20 }, [piece(400, milliseconds: 5000)])
        bench.run(ticks: 12)
        #expect(abs(before - bench.level(400, "a") - 20) < 1)
    }

    @Test("An operation that comes again only tells how things stand; of a play that is not there nothing is remembered")
    func idempotent() throws {
        var bench = try bench()
        #expect(throws: RPCError.self) { try bench.control("p", .pause, operation: "1") }
        try bench.begin(request("p"), scale)
        bench.run(ticks: 5)
        #expect(try bench.control("p", .pause, operation: "1").paused)
        #expect(try !bench.control("p", .resume, operation: "2").paused)
        #expect(try !bench.control("p", .pause, operation: "1").paused)
        #expect(try bench.control("p", .skip(milliseconds: 400), operation: "3").position == 500)
        #expect(try bench.control("p", .skip(milliseconds: 400), operation: "3").position == 500)
        // A play with an operation's name is played once, even when it is over.
        try bench.begin(request("q") { ($0.operationID, $0.placement) = ("4", .replace) }, [piece(400, milliseconds: 40)])
        bench.run(ticks: 5)
        #expect(bench.ends.map(\.0) == ["p", "q"])
        #expect(try bench.mixer.play(request("q") { $0.operationID = "4" }, into: &bench.box) == false)
        #expect(try bench.mixer.play(request("q") { $0.operationID = "5" }, into: &bench.box))
    }

    @Test("A voice of the participant ends a prompt that waits for one: not a click, not the noise of the line, not another's voice")
    func speech() throws {
        var bench = try bench(["a", "b"])
        try bench.begin(request("menu") { $0.stopOnSpeech = true }, [piece(1300, milliseconds: 20_000)])
        let (a, b) = (bench.index("a"), bench.index("b"))
        bench.phones[b].tone = Tone(frequency: 600, level: .dBm0(-10))
        // A line that hums at -40 dBm0.
        bench.phones[a].tone = Tone(frequency: 100, level: .dBm0(-40))
        bench.run(ticks: 100)
        #expect(bench.ends.isEmpty)
        bench.phones[a].tone = Tone(frequency: 400, level: .dBm0(-15))
        bench.run(ticks: 3)
        bench.phones[a].tone = Tone(frequency: 100, level: .dBm0(-40))
        bench.run(ticks: 30)
        #expect(bench.ends.isEmpty, "a click")
        bench.phones[a].tone = Tone(frequency: 400, level: .dBm0(-15))
        bench.run(ticks: 15)
        #expect(bench.ends.map(\.0) == ["menu"] && bench.ends.map(\.1) == [.speech])
    }

    @Test("Any voice of the room ends what the whole room hears, but not one that is muted")
    func roomSpeech() throws {
        var bench = try bench(["a", "b"])
        try bench.begin(request("menu", to: nil) { $0.stopOnSpeech = true }, [piece(1300, milliseconds: 20_000)])
        for index in bench.phones.indices { bench.phones[index].tone = Tone(frequency: 100, level: .dBm0(-60)) }
        bench.run(ticks: 20)
        try bench.mixer.set(room: "room_1", participant: "b", muted: true)
        bench.phones[bench.index("b")].tone = Tone(frequency: 400, level: .dBm0(-15))
        bench.run(ticks: 30)
        #expect(bench.ends.isEmpty)
        bench.phones[bench.index("a")].tone = Tone(frequency: 600, level: .dBm0(-15))
        bench.run(ticks: 15)
        #expect(bench.ends.map(\.1) == [.speech, .speech], "both owners are told")
    }

    @Test("Placed: behind, in place of all, in front for a while, or behind everything")
    func placed() throws {
        var bench = try bench()
        try bench.begin(request("music") { ($0.placement, $0.loop) = (.background, true) }, [piece(400, milliseconds: 1000)])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [400])
        try bench.begin(request("long"), [piece(600, milliseconds: 2000)])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [600])
        try bench.begin(request("urgent") { $0.placement = .interrupt }, [piece(900, milliseconds: 400)])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [900])
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [600])
        #expect(bench.ends.map(\.0) == ["urgent"])
        try bench.begin(request("now") { $0.placement = .replace }, [piece(1300, milliseconds: 400)])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [1300])
        #expect(bench.ends.map(\.0) == ["urgent", "long"])
        bench.run(ticks: 22)
        #expect(bench.hears("a", Self.tones) == [400], "the music was never over")
        try bench.begin(request("other") { $0.placement = .background }, [piece(900, milliseconds: 400)])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [900])
        bench.run(ticks: 12)
        #expect(bench.ends.map(\.0) == ["urgent", "long", "now", "music", "other"])
    }

    @Test("Music for who is alone stops while others are there, and comes back when they have gone")
    func alone() throws {
        var bench = try bench()
        try bench.begin(
            request("music", to: nil) { ($0.placement, $0.loop, $0.whileAlone) = (.background, true, true) },
            [piece(400, milliseconds: 1000)])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [400])
        try bench.sit("b", tone: 600)
        bench.run(ticks: 14)
        #expect(bench.hears("a", Self.tones) == [600])
        #expect(bench.hears("b", Self.tones) == [])
        _ = try bench.leave("b")
        bench.run(ticks: 14)
        #expect(bench.hears("a", Self.tones) == [400])
    }

    @Test("What is told of a play: that it is heard, and how it ended at which place; of everybody's once")
    func news() throws {
        var bench = try bench(["a", "b"])
        let identity = RoomIdentity(id: "room_1", customerID: "cust_1")
        try bench.begin(request("p"), [piece(400, milliseconds: 200)])
        try bench.begin(request("q", to: nil), [piece(600, milliseconds: 2000)])
        bench.run(ticks: 15)
        _ = bench.stop("q")
        #expect(
            bench.box.news == [
                .play(identity, participantID: nil, playID: "q", end: nil, milliseconds: 20),
                .play(identity, participantID: "a", playID: "p", end: nil, milliseconds: 20),
                .play(identity, participantID: "a", playID: "p", end: .completed, milliseconds: 200),
                .play(identity, participantID: nil, playID: "q", end: .stopped, milliseconds: 300),
            ])
        #expect(bench.ends.map(\.0) == ["p", "q", "q"])
    }

    @Test("A successor goes on from the snapshot: the place it would be at now, the volume, what waits and what is paused")
    func successor() throws {
        var first = try bench()
        try first.begin(
            request("long") { ($0.repeats, $0.volume, $0.stopOnDigit) = (2, -6, true) }, scale)
        try first.begin(request("next"), [piece(1300, milliseconds: 400)])
        try first.begin(request("music", to: nil) { ($0.placement, $0.loop) = (.background, true) }, scale)
        first.run(ticks: 10)
        try first.control("long", .volume(decibels: -9))
        var snapshot = try #require(first.mixer.snapshot(of: "room_1"))
        snapshot.takenAt = Timestamp(milliseconds: 1_000_000)
        // Half a second passes until somebody else has the room.
        let plays = snapshot.resumptions(at: Timestamp(milliseconds: 1_000_500))
        #expect(plays.map(\.playID) == ["music", "next", "long"])
        #expect(plays.map(\.startAt) == [700, 0, 700])
        #expect(plays.map(\.repeats) == [nil, 1, 2] && plays[2].volume == -9 && plays[2].stopOnDigit && plays[0].loop)

        var second = try bench()
        for play in plays {
            let pieces = play.playID == "next" ? [piece(1300, milliseconds: 400)] : scale
            try second.begin(play, pieces)
        }
        second.run(ticks: 12)
        #expect(second.hears("a", Self.tones) == [600])
        let room = try #require(second.mixer.snapshot(of: "room_1"))
        #expect(room.members[0].plays.map(\.id) == ["long", "next"] && room.plays.map(\.id) == ["music"])
        #expect(room.members[0].plays[0].milliseconds == 940)
    }

    @Test("A snapshot of before there were places of plays is read")
    func oldSnapshot() {
        let position = RoomSnapshot.PlayPosition(id: "p", milliseconds: 5, play: nil)
        let snapshot = RoomSnapshot(id: "r", customerID: "c", conferenceID: nil, members: [], plays: [position])
        #expect(snapshot.resumptions(at: Timestamp(milliseconds: 5)).isEmpty)
    }
}
