import Audio
import Contracts
import Foundation
import RTP
import Testing

@testable import ConferenceServer

/// What a keeper would hold of a mixer: kept by its changes alone, and given to the next mixer as bytes.
private struct Deposits {
    var rooms: [String: Data] = [:]
    var seats: [String: Data] = [:]

    mutating func take(_ mixer: inout Mixer) throws {
        for change in mixer.takeChanges() {
            if let participant = change.participant {
                seats["\(change.room)/\(participant)"] = try mixer.record(of: participant, in: change.room).map { try JSONEncoder().encode($0) }
            } else {
                rooms[change.room] = try mixer.record(ofRoom: change.room).map { try JSONEncoder().encode($0) }
            }
        }
    }

    func mixer(_ shelf: RoomShelf) throws -> Mixer {
        var mixer = Mixer(seed: 77)
        mixer.keepsChanges = true
        mixer.restore(
            try rooms.values.map { try JSONDecoder().decode(RoomRecord.self, from: $0) },
            try seats.values.map { try JSONDecoder().decode(SeatRecord.self, from: $0) }, from: shelf)
        return mixer
    }
}

extension Bench {
    /// The mixer dies after its last tick, and another goes on so many ticks later with what was deposited.
    fileprivate mutating func succeed(_ deposits: inout Deposits, missed: Int = 0) throws {
        let shelf = try #require(RoomShelf())
        mixer.note(on: shelf, due: 0)
        mixer = try deposits.mixer(shelf)
        mixer.pass(ticks: missed)
        for index in phones.indices {
            phones[index].timestamp &+= UInt32(160 * missed)
            phones[index].sequence &+= UInt16(missed)
        }
    }
}

@Suite("Rooms: another process goes on with them (RELIABILITY §4.6)")
struct RoomSuccessionTests {
    private static let tones = [400.0, 600, 900, 1300]

    private func bench(_ deposits: inout Deposits, _ names: [String] = ["a", "b", "c"]) throws -> Bench {
        var bench = Bench()
        bench.mixer.keepsChanges = true
        for (name, tone) in zip(names, Self.tones) { try bench.sit(name, tone: tone) }
        try deposits.take(&bench.mixer)
        return bench
    }

    @Test("Everybody hears the others and nobody itself, in the stream that was: the next number, the time that has passed", arguments: [0, 5])
    func streams(missed: Int) throws {
        var deposits = Deposits()
        var bench = try bench(&deposits)
        bench.run(ticks: 20)
        let last = bench.phones.map { $0.heard.last }
        try bench.succeed(&deposits, missed: missed)
        for index in bench.phones.indices { bench.phones[index].heard = [] }
        bench.run(ticks: 20)
        for (phone, last) in zip(bench.phones, last) {
            let (first, last) = (try #require(phone.heard.first), try #require(last))
            #expect(first.sequence == last.sequence.next)
            #expect(first.timestamp.value == last.timestamp.value &+ UInt32(160 * (1 + missed)))
            #expect(phone.heard.count == 20)
        }
        #expect(bench.hears("a", Self.tones) == [600, 900])
        #expect(bench.hears("b", Self.tones) == [400, 900])
        #expect(bench.hears("c", Self.tones) == [400, 600])
    }

    @Test("Seats keep their places and their names: who left is gone, who comes gets a free one")
    func places() throws {
        var deposits = Deposits()
        var bench = try bench(&deposits)
        try bench.sit("d", tone: 1300, room: "room_2")
        #expect(try bench.leave("b"))
        try deposits.take(&bench.mixer)
        let kept = bench.phones.map(\.ssrc)
        try bench.succeed(&deposits)
        #expect(bench.mixer.seatCount == 3)
        #expect(bench.mixer.slot(of: "a", in: "room_1") == Int(kept[0] & 0xffff))
        try bench.sit("e", tone: 2000)
        #expect(bench.phones[4].ssrc & 0xffff == kept[1] & 0xffff, "the gap is filled")
        #expect(bench.phones[4].ssrc != kept[1])
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones + [2000]) == [900, 2000])
        #expect(bench.hears("d", Self.tones + [2000]) == [])
    }

    @Test("Mutes, echo and deafness are kept")
    func settings() throws {
        var deposits = Deposits()
        var bench = try bench(&deposits)
        try bench.mixer.set(room: "room_1", participant: "a", muted: true)
        try bench.mixer.set(room: "room_1", participant: "b", deaf: true)
        try bench.mixer.set(room: "room_1", participant: "c", echo: true)
        try deposits.take(&bench.mixer)
        try bench.succeed(&deposits)
        bench.run(ticks: 20)
        #expect(bench.hears("b", Self.tones) == [])
        #expect(bench.hears("c", Self.tones) == [600, 900], "a is muted, c hears itself")
    }

    @Test("A play goes on where it was, is rendered anew, and its end is told once")
    func plays() throws {
        var deposits = Deposits()
        var bench = try bench(&deposits)
        var (first, second) = (Tone(frequency: 1300, level: .dBm0(-16)), Tone(frequency: 2000, level: .dBm0(-16)))
        let pieces = [Play.Piece.sound(first.next(4000)), .sound(second.next(4000))]
        try bench.begin(PlayInRoom(roomID: "room_1", participantID: "a", playID: "p", sources: [.url("x"), .url("y")]), pieces)
        try deposits.take(&bench.mixer)
        bench.run(ticks: 20)
        #expect(bench.hears("a", [1300, 2000]) == [1300])
        try deposits.take(&bench.mixer)
        try bench.succeed(&deposits)
        let jobs = bench.mixer.unrendered()
        #expect(jobs.map(\.playID) == ["p"])
        #expect(jobs.first?.sources == [.url("x"), .url("y")])
        bench.run(ticks: 2)
        for piece in pieces { bench.extend("p", with: piece) }
        bench.mixer.complete(play: "p", room: "room_1")
        bench.run(ticks: 18)
        #expect(bench.hears("a", [1300, 2000]) == [2000])
        #expect(bench.ends.isEmpty)
        bench.run(ticks: 20)
        #expect(bench.ends.map(\.0) == ["p"])
        #expect(bench.ends.first?.1 == .completed)
    }

    @Test("A play of two passes has the ones left that it had; one that is paused waits")
    func passes() throws {
        var deposits = Deposits()
        var bench = try bench(&deposits, ["a"])
        var tone = Tone(frequency: 1300, level: .dBm0(-16))
        let piece = Play.Piece.sound(tone.next(1600))
        var request = PlayInRoom(roomID: "room_1", participantID: nil, playID: "p", sources: [.url("x")])
        request.repeats = 3
        try bench.begin(request, [piece])
        bench.run(ticks: 25)
        try bench.control("p", .pause)
        bench.run(ticks: 2)
        try deposits.take(&bench.mixer)
        try bench.succeed(&deposits)
        bench.extend("p", with: piece)
        bench.mixer.complete(play: "p", room: "room_1")
        bench.run(ticks: 10)
        #expect(bench.ends.isEmpty)
        let state = try bench.control("p", .resume)
        #expect(state.repeatsLeft == 0)
        bench.run(ticks: 10)
        #expect(bench.ends.map(\.0) == ["p"], "four ticks were left of the last pass")
    }

    @Test("A key that is down while the process dies is told once, and ends for the other phone; digits that waited are sent")
    func keys() throws {
        var deposits = Deposits()
        var bench = try bench(&deposits, ["a", "b"])
        bench.run(ticks: 5)
        let index = bench.index("a")
        let start = bench.phones[index].timestamp
        func event(_ number: Int, isEnd: Bool) -> [UInt8] {
            var payload: [UInt8] = []
            TelephoneEvent(code: 5, isEnd: isEnd, duration: UInt16(160 * number)).append(to: &payload)
            return payload
        }
        bench.receive(Bench.packet(bench.phones[index], payload: event(1, isEnd: false), type: .telephoneEvent, timestamp: start, marker: true))
        bench.deliver()
        let before = try #require(bench.phones[1].heard.last { $0.payloadType == .telephoneEvent })
        try bench.mixer.send(digits: "12", duration: 100, interval: 60, room: "room_1", participant: "b")
        try deposits.take(&bench.mixer)
        #expect(bench.digits == ["5"])
        try bench.succeed(&deposits)
        bench.phones[index].sequence &+= 1
        bench.receive(Bench.packet(bench.phones[index], payload: event(3, isEnd: true), type: .telephoneEvent, timestamp: start))
        bench.deliver()
        #expect(bench.digits == ["5"])
        let after = try #require(bench.phones[1].heard.last { $0.payloadType == .telephoneEvent })
        #expect(after.timestamp == before.timestamp)
        bench.phones[1].events = []
        bench.run(ticks: 30)
        #expect(bench.phones[1].events.filter(\.isEnd).map(\.code).reduce(into: [UInt8]()) { if $0.last != $1 { $0.append($1) } } == [1, 2])
    }

    @Test("A conference keeps roles, hands, mutes, lock and who waits; a PIN half given is completed")
    func conference() throws {
        var deposits = Deposits()
        var bench = Bench()
        bench.mixer.keepsChanges = true
        var rules = MeetingRules()
        rules.pins = Entrance.PINs(member: "12", moderator: "99")
        try bench.enter("a", tone: 400, rules)
        bench.dial("99", "a")
        try bench.enter("b", tone: 600, rules)
        bench.dial("12", "b")
        try bench.enter("c", tone: 900, rules)
        bench.dial("1", "c")
        bench.dial("*9", "b")
        bench.dial("*5", "a")
        bench.run(ticks: 3)
        try deposits.take(&bench.mixer)
        let before = bench.participants
        #expect(before.map(\.role) == ["moderator", "member"])
        #expect(before.map(\.muted) == [false, true] && before.map(\.handRaised) == [false, true])
        try bench.succeed(&deposits)
        bench.run(ticks: 20)
        #expect(bench.participants == before)
        #expect(bench.hears("a", Self.tones) == [])
        #expect(bench.hears("b", Self.tones) == [400])
        bench.dial("2", "c")
        bench.run(ticks: 20)
        #expect(bench.participants.map(\.id) == ["a", "b", "c"])
        #expect(bench.participants.last?.muted == true, "everybody is muted, and who comes")
    }

    @Test("After anything that happens, what was deposited makes the mixer that is there")
    func deposits() throws {
        var deposits = Deposits()
        var bench = try bench(&deposits, ["a", "b", "c", "d"])
        var random = SystemRandomNumberGenerator()
        for step in 0..<300 {
            let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
            switch Int.random(in: 0..<9, using: &random) {
            case 0: try? bench.mixer.set(room: "room_1", participant: name, muted: Bool.random())
            case 1: _ = try bench.leave(name)
            case 2 where bench.mixer.slot(of: name, in: "room_1") == nil:
                try bench.sit(name, tone: 700)
                // The phone that sat there before has gone.
                bench.phones.remove(at: bench.index(name))
            case 3: _ = try? bench.mixer.play(PlayInRoom(roomID: "room_1", participantID: name, playID: "p\(step)", sources: [.silence(milliseconds: 60)]), into: &bench.box)
            case 4: _ = try? bench.mixer.play(PlayInRoom(roomID: "room_1", participantID: nil, playID: "r\(step)", sources: [.silence(milliseconds: 60)]), into: &bench.box)
            case 5: bench.stop("p\(step - 1)")
            case 6:
                if let play = bench.mixer.unrendered().first { bench.extend(play.playID, with: .silence(samples: 480)) }
            case 7:
                if let play = bench.mixer.unrendered().first { bench.mixer.complete(play: play.playID, room: "room_1") }
            default: bench.run(ticks: 2)
            }
            try deposits.take(&bench.mixer)
            let shelf = try #require(RoomShelf())
            bench.mixer.note(on: shelf, due: 0)
            let next = try deposits.mixer(shelf)
            #expect(next.seatCount == bench.mixer.seatCount)
            for room in bench.mixer.rooms {
                let id = room.identity.id
                #expect(next.snapshot(of: id)?.plays.map(\.id) == bench.mixer.snapshot(of: id)?.plays.map(\.id))
                #expect(next.snapshot(of: id)?.plays.map(\.milliseconds) == bench.mixer.snapshot(of: id)?.plays.map(\.milliseconds))
                #expect(Set(next.snapshot(of: id)?.members.map(\.ssrc) ?? []) == Set(bench.mixer.snapshot(of: id)?.members.map(\.ssrc) ?? []))
                for slot in room.seats {
                    let name = bench.mixer.seats[slot].settings.participantID
                    let place = try #require(next.slot(of: name, in: id))
                    #expect(next.seats[place].settings == bench.mixer.seats[slot].settings)
                    #expect(next.seats[place].sequence == bench.mixer.seats[slot].sequence && next.seats[place].timestamp == bench.mixer.seats[slot].timestamp)
                    #expect(next.seats[place].plays.all.map(\.milliseconds) == bench.mixer.seats[slot].plays.all.map(\.milliseconds))
                }
            }
        }
    }
}
