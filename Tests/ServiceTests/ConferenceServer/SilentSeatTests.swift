import Audio
import Contracts
import Deadlines
import Testing

@testable import ConferenceServer

@Suite("Seats nobody owns")
struct SilentSeatTests {
    private let silence = Interval.seconds(120)
    private let ticks = 6000

    @Test("Only a seat that has heard nothing for the whole time is looked at")
    func silent() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.sit("b", tone: 600)
        bench.run(ticks: ticks - 1)
        #expect(bench.mixer.silentSeats(for: silence).isEmpty)
        bench.run(ticks: 1)
        let silent = bench.mixer.silentSeats(for: silence)
        #expect(silent.map(\.participantID) == ["a"])
        #expect(silent.first?.callID == "call_a" && silent.first?.customerID == "cust_1" && silent.first?.owner == "CallServer-1")
        bench.receive(Bench.packet(bench.phones[0], payload: Array(repeating: 0, count: 160)))
        #expect(bench.mixer.silentSeats(for: silence).isEmpty)
    }

    @Test("A freed seat is like one that was left; the others stay, and the last one ends the room")
    func freed() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.sit("b")
        bench.run(ticks: ticks)
        let silent = bench.mixer.silentSeats(for: silence)
        #expect(bench.mixer.free(silent[0], after: silence)?.member.settings.participantID == "a")
        #expect(bench.mixer.seatCount == 1 && bench.mixer.rooms.count == 1)
        #expect(bench.mixer.free(silent[0], after: silence) == nil)
        #expect(bench.mixer.free(silent[1], after: silence) != nil)
        #expect(bench.mixer.seatCount == 0 && bench.mixer.rooms.isEmpty)
    }

    @Test("What happens while the owner is looked for counts: heard, left and taken anew, or taken over")
    func meanwhile() throws {
        var bench = Bench()
        for name in ["a", "b", "c"] { try bench.sit(name) }
        bench.run(ticks: ticks)
        let silent = bench.mixer.silentSeats(for: silence)
        bench.receive(Bench.packet(bench.phones[0], payload: Array(repeating: 0, count: 160)))
        _ = try bench.leave("b")
        try bench.sit("b")
        let taken = ParticipantSettings(
            participantID: "c", callID: "call_c", owner: "CallServer-2", epoch: 2,
            inside: InsideEndpoint(address: bench.phones[2].address.description, ssrc: 3000))
        _ = try bench.mixer.join(
            RoomIdentity(id: "room_1", customerID: "cust_1"), taken, relay: bench.phones[2].address,
            at: Timestamp(milliseconds: 0))
        let freed = silent.compactMap { bench.mixer.free($0, after: silence) }
        #expect(silent.count == 3 && freed.isEmpty && bench.mixer.seatCount == 3)
    }

    @Test("A call is gone when it was seen without an owner for long enough, and not at the first look")
    func ownerless() {
        let start = Instant(nanoseconds: 0)
        var calls = Ownerless()
        var looks: [Bool] = []
        for (second, sight) in [(0, Ownerless.Sight.abandoned), (4, .abandoned), (10, .abandoned)] {
            looks.append(calls.isGone("dead", sight, now: start + .seconds(second)))
        }
        #expect(looks == [false, false, true])
        // Its CallServer is alive, so it may only be cut off from Redis.
        looks = [0, 10, 599, 600].map { calls.isGone("unclear", .unclear, now: start + .seconds($0)) }
        #expect(looks == [false, false, false, true])
        // A held call is owned for hours.
        looks = stride(from: 0, to: 20_000, by: 10).map { calls.isGone("held", .owned, now: start + .seconds($0)) }
        #expect(!looks.contains(true))
    }

    @Test("A successor, and a Redis that was away, start the count anew")
    func countedAnew() {
        let start = Instant(nanoseconds: 0)
        var calls = Ownerless()
        _ = calls.isGone("a", .abandoned, now: start)
        _ = calls.isGone("a", .owned, now: start + .seconds(10))
        #expect(calls.isGone("a", .abandoned, now: start + .seconds(20)) == false)
        calls.forgetAll()
        #expect(calls.isGone("a", .abandoned, now: start + .seconds(700)) == false)
        calls.keep(only: [])
        #expect(calls.isGone("a", .abandoned, now: start + .seconds(800)) == false)
    }

    @Test("An instance that was killed and started anew under its name has none of the calls from before")
    func startedAnew() {
        let start = Instant(nanoseconds: 0) + .seconds(1000)
        func announcement(_ incarnation: String) -> Announcement {
            Announcement(service: .callServer, instance: "CallServer-1", incarnation: incarnation)
        }
        var incarnations = Incarnations()
        incarnations.look([announcement("inc_1")], now: start)
        // It was there before us, so it may have any seat.
        #expect(!incarnations.hasRestarted("CallServer-1", within: .seconds(500), now: start + .seconds(5)))
        incarnations.look([], now: start + .seconds(10))
        incarnations.look([announcement("inc_2")], now: start + .seconds(20))
        incarnations.look([announcement("inc_2")], now: start + .seconds(100))
        let now = start + .seconds(100)
        // Seen new 80 s ago: a seat of 100 s is its predecessor's, one of 83 s may be its own.
        #expect(incarnations.hasRestarted("CallServer-1", within: .seconds(100), now: now))
        #expect(!incarnations.hasRestarted("CallServer-1", within: .seconds(83), now: now))
        #expect(!incarnations.hasRestarted("CallServer-2", within: .seconds(100), now: now))
    }

    @Test("A seat's age is counted from when its owner last asked for it")
    func age() throws {
        var bench = Bench()
        try bench.sit("a")
        bench.run(ticks: 1000)
        let renewed = ParticipantSettings(
            participantID: "a", callID: "call_a", owner: "CallServer-1", epoch: 1,
            inside: InsideEndpoint(address: bench.phones[0].address.description, ssrc: 1000))
        _ = try bench.mixer.join(
            RoomIdentity(id: "room_1", customerID: "cust_1"), renewed, relay: bench.phones[0].address,
            at: Timestamp(milliseconds: 0))
        bench.run(ticks: ticks - 1)
        #expect(bench.mixer.silentSeats(for: silence).isEmpty)
        bench.run(ticks: 1)
        #expect(bench.mixer.silentSeats(for: silence).map(\.age) == [.seconds(120)])
    }
}
