import Audio
import Contracts
import RTP
import Testing

@testable import ConferenceServer

@Suite("Rooms: who hears whom")
struct MixerTests {
    static let tones = [400.0, 600, 900, 1300]

    @Test("Two hear each other and not themselves; the frame is forwarded as it came")
    func roomOfTwo() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        try bench.sit("b", tone: 600)
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [600])
        #expect(bench.hears("b", Self.tones) == [400])
        // Transparent to the bit: a code that no linear mix gives back comes through.
        let odd = [UInt8](repeating: 0x13, count: 160)
        bench.phones[0].tone = nil
        for _ in 0..<4 {
            bench.receive(Bench.packet(bench.phones[0], payload: odd))
            bench.phones[0].timestamp += 160
            bench.step()
        }
        #expect(bench.phones[1].lastCodes == odd)
    }

    @Test("Three hear the other two")
    func roomOfThree() throws {
        var bench = Bench()
        for (name, tone) in zip(["a", "b", "c"], Self.tones) { try bench.sit(name, tone: tone) }
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [600, 900])
        #expect(bench.hears("b", Self.tones) == [400, 900])
        #expect(bench.hears("c", Self.tones) == [400, 600])
    }

    @Test("Alone in a room one hears silence, as a steady stream")
    func alone() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        bench.run(ticks: 50)
        #expect(bench.phones[0].meter.level < -100)
        let heard = bench.phones[0].heard
        #expect(heard.count == 50)
        #expect(heard.first?.marker == true)
        #expect(heard.dropFirst().allSatisfy { !$0.marker && $0.ssrc.value == 1000 })
        for (before, after) in zip(heard, heard.dropFirst()) {
            #expect(after.sequence == before.sequence.next)
            #expect(after.timestamp.distance(from: before.timestamp) == 160)
        }
    }

    @Test("An echo participant hears itself, alone or among others")
    func echo() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400, echo: true)
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [400])
        try bench.sit("b", tone: 600)
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [400, 600])
        #expect(bench.hears("b", Self.tones) == [400])
    }

    @Test("A muted participant is not heard, a deaf one hears nothing")
    func mutedAndDeaf() throws {
        var bench = Bench()
        for (name, tone) in zip(["a", "b", "c"], Self.tones) { try bench.sit(name, tone: tone) }
        try bench.mixer.set(room: "room_1", participant: "a", muted: true)
        try bench.mixer.set(room: "room_1", participant: "b", deaf: true)
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [600, 900])
        #expect(bench.hears("b", Self.tones) == [])
        #expect(bench.hears("c", Self.tones) == [600])
        try bench.mixer.set(room: "room_1", participant: "a", muted: false)
        try bench.mixer.set(room: "room_1", participant: "b", deaf: false)
        bench.run(ticks: 20)
        #expect(bench.hears("b", Self.tones) == [400, 900])
        #expect(throws: RPCError.self) { try bench.mixer.set(room: "room_1", participant: "x", muted: true) }
    }

    @Test("Rooms do not hear each other")
    func roomsApart() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400, room: "r1")
        try bench.sit("b", tone: 600, room: "r1")
        try bench.sit("c", tone: 900, room: "r2")
        try bench.sit("d", tone: 1300, room: "r2")
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [600])
        #expect(bench.hears("d", Self.tones) == [900])
        // The first room goes, the other moves into its place and goes on.
        let departures = [
            try bench.leave("a", room: "r1"), try bench.leave("b", room: "r1"), try bench.leave("b", room: "r1"),
        ]
        #expect(departures == [true, true, false])
        bench.run(ticks: 20)
        #expect(bench.hears("d", Self.tones) == [900])
        #expect(bench.mixer.rooms.count == 1)
        #expect(bench.mixer.snapshot(of: "r1") == nil)
    }

    @Test("A late packet for a vacated seat finds nobody, not even the seat's next owner")
    func generations() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        try bench.sit("b", tone: 600)
        let stale = bench.phones[0]
        _ = try bench.leave("a")
        bench.receive(Bench.packet(stale, payload: Array(repeating: 0, count: 160)))
        #expect(bench.mixer.counters.unknown == 1)
        try bench.sit("c", tone: 900)
        #expect(bench.phones[2].ssrc & 0xffff == stale.ssrc & 0xffff)
        #expect(bench.phones[2].ssrc != stale.ssrc)
        bench.receive(Bench.packet(stale, payload: Array(repeating: 0, count: 160)))
        #expect(bench.mixer.counters.unknown == 2)
    }

    @Test("Garbage from the network is counted and changes nothing")
    func garbage() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        try bench.sit("b", tone: 600)
        bench.receive([])
        bench.receive([1, 2, 3])
        bench.receive(Array(repeating: 0xff, count: 200))
        bench.receive(Bench.packet(bench.phones[0], payload: [], type: .telephoneEvent))
        bench.receive(Bench.packet(bench.phones[0], payload: [1, 2, 3], type: PayloadType(96)))
        bench.receive(Bench.packet(bench.phones[0], payload: Array(repeating: 1, count: 1400)))
        #expect(bench.mixer.counters.malformed == 5)
        bench.run(ticks: 20)
        #expect(bench.hears("b", Self.tones) == [400])
    }

    @Test("Joining again renews, an older owner is fenced, a full room refuses")
    func joining() throws {
        var bench = Bench()
        try bench.sit("a", limit: 2)
        let settings = { (epoch: UInt64) in
            ParticipantSettings(
                participantID: "a", callID: "call_a", owner: "CallServer-2", epoch: epoch,
                inside: InsideEndpoint(address: "127.0.0.1:9", ssrc: 5))
        }
        let identity = RoomIdentity(id: "room_1", customerID: "cust_1", limit: 2)
        let relay = bench.phones[0].address
        let now = Contracts.Timestamp(milliseconds: 0)
        #expect(try bench.mixer.join(identity, settings(2), relay: relay, at: now) == bench.phones[0].ssrc)
        let stale = #expect(throws: RPCError.self) { _ = try bench.mixer.join(identity, settings(1), relay: relay, at: now) }
        #expect(stale?.code == .fenced)
        let fenced = #expect(throws: RPCError.self) { _ = try bench.mixer.leave(room: "room_1", participant: "a", epoch: 1) }
        #expect(fenced?.code == .fenced)
        try bench.sit("b", limit: 2)
        let full = #expect(throws: RPCError.self) { try bench.sit("c", limit: 2) }
        #expect(full?.code == .exhausted)
        #expect(bench.mixer.seatCount == 2)
    }

    @Test("A relay that says nothing for half a minute is reported once and stays")
    func unheard() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.sit("b", tone: 600)
        bench.run(ticks: 1600)
        #expect(bench.box.events == [.unheard(roomID: "room_1", participantID: "a")])
        #expect(bench.mixer.seatCount == 2)
    }

    @Test("A snapshot tells who is there, who talks, and how far plays are")
    func snapshot() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        try bench.sit("b")
        let request = PlayInRoom(roomID: "room_1", participantID: "b", playID: "play_1", sources: [.silence(milliseconds: 1000)])
        try bench.mixer.play(request, into: &bench.box)
        bench.extend("play_1", with: .silence(samples: 8000))
        bench.run(ticks: 20)
        let snapshot = try #require(bench.mixer.snapshot(of: "room_1"))
        #expect(snapshot.members.map(\.talking) == [true, false])
        var rest = request
        (rest.startAt, rest.repeats, rest.paused, rest.volume) = (400, 1, false, 0)
        #expect(snapshot.members[1].plays == [.init(id: "play_1", milliseconds: 400, play: rest)])
        #expect(snapshot.participant("a")?.callID == "call_a")
    }

    @Test("Ticks that were missed leave the stream where it would be")
    func passedTicks() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        try bench.sit("b", tone: 600)
        bench.run(ticks: 10)
        let before = try #require(bench.phones[0].heard.last)
        bench.mixer.pass(ticks: 25)
        for index in bench.phones.indices { bench.phones[index].timestamp += 25 * 160 }
        bench.run(ticks: 20)
        #expect(bench.phones[0].heard[10].timestamp.distance(from: before.timestamp) == 26 * 160)
        #expect(bench.hears("a", Self.tones) == [600])
    }
}
