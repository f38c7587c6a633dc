import Audio
import Contracts
import RTP
import Testing

@testable import ConferenceServer

@Suite("Rooms: plays and digits")
struct MixerPlayTests {
    static let tones = [400.0, 600, 900, 1300]

    private func piece(_ frequency: Double, milliseconds: Int) -> Play.Piece {
        var tone = Tone(frequency: frequency, level: .dBm0(-16))
        return .sound(tone.next(milliseconds * 8))
    }

    private func begin(
        _ bench: inout Bench, _ id: String, to participant: String?, _ pieces: [Play.Piece], loops: Bool = false,
        stopsOnDigit: Bool = false
    ) throws {
        try bench.begin(
            PlayInRoom(
                roomID: "room_1", participantID: participant, playID: id, sources: [], loop: loops, stopOnDigit: stopsOnDigit),
            pieces)
    }

    @Test("A prompt reaches one ear only, mixed with what the room says, and its end is told with its length")
    func oneEar() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        try bench.sit("b", tone: 600)
        try begin(&bench, "play_1", to: "a", [piece(900, milliseconds: 410)])
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [600, 900])
        #expect(bench.hears("b", Self.tones) == [400])
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [600])
        #expect(
            bench.box.events == [
                .played(callID: "call_a", owner: "CallServer-1", playID: "play_1", end: .completed, milliseconds: 410)
            ])
    }

    @Test("Everybody hears what is played to the room, and everybody's owner is told of its end")
    func wholeRoom() throws {
        var bench = Bench()
        for (name, tone) in zip(["a", "b", "c"], Self.tones) { try bench.sit(name, tone: tone) }
        try begin(&bench, "play_1", to: nil, [piece(1300, milliseconds: 400)])
        bench.run(ticks: 18)
        #expect(bench.hears("a", Self.tones) == [600, 900, 1300])
        #expect(bench.hears("c", Self.tones) == [400, 600, 1300])
        bench.run(ticks: 10)
        #expect(bench.box.events.count == 3)
    }

    @Test("Pieces that come late are waited for in silence")
    func latePieces() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.mixer.play(
            PlayInRoom(roomID: "room_1", participantID: "a", playID: "play_1", sources: []), into: &bench.box)
        bench.run(ticks: 10)
        #expect(bench.box.events.isEmpty)
        #expect(bench.phones[0].meter.level < -100)
        bench.extend("play_1", with: piece(400, milliseconds: 200))
        bench.run(ticks: 20)
        #expect(bench.box.events.isEmpty)
        bench.extend("play_1", with: piece(600, milliseconds: 200))
        bench.mixer.complete(play: "play_1", room: "room_1")
        bench.run(ticks: 10)
        #expect(bench.hears("a", Self.tones) == [600])
        bench.run(ticks: 1)
        #expect(bench.ends.map(\.0) == ["play_1"])
    }

    @Test("Plays to the same ear queue up; a loop gives way; stopping is told")
    func queue() throws {
        var bench = Bench()
        try bench.sit("a")
        try begin(&bench, "ringback", to: "a", [piece(400, milliseconds: 100)], loops: true)
        bench.run(ticks: 50)
        #expect(bench.hears("a", Self.tones) == [400])
        #expect(bench.ends.isEmpty)
        try begin(&bench, "one", to: "a", [piece(600, milliseconds: 200)])
        try begin(&bench, "two", to: "a", [piece(900, milliseconds: 400)])
        #expect(bench.ends.map(\.0) == ["ringback"])
        #expect(bench.ends.first?.1 == .stopped)
        bench.run(ticks: 10)
        #expect(bench.hears("a", Self.tones) == [600])
        bench.run(ticks: 10)
        #expect(bench.hears("a", Self.tones) == [900])
        let outcomes = [bench.stop("two"), bench.stop("two"), bench.extend("two", with: .silence(samples: 1))]
        #expect(outcomes == [true, false, false])
        #expect(bench.ends.map(\.0) == ["ringback", "one", "two"])
        bench.run(ticks: 12)
        #expect(bench.phones[0].meter.level < -100)
    }

    @Test("A loop of nothing ends instead of spinning")
    func emptyLoop() throws {
        var bench = Bench()
        try bench.sit("a")
        try begin(&bench, "play_1", to: "a", [.sound([])], loops: true)
        try begin(&bench, "play_2", to: "a", [])
        bench.run(ticks: 2)
        #expect(Set(bench.ends.map(\.0)) == ["play_1", "play_2"])
    }

    @Test("Barge-in: a digit ends a play that asked for it, and no other")
    func bargeIn() throws {
        var bench = Bench()
        try bench.sit("a")
        try begin(&bench, "menu", to: "a", [piece(400, milliseconds: 5000)], stopsOnDigit: true)
        try begin(&bench, "notice", to: "a", [piece(600, milliseconds: 5000)])
        bench.run(ticks: 5)
        bench.press("1", "a")
        #expect(bench.ends.map(\.0) == ["menu"])
        #expect(bench.ends.first?.1 == .digit)
        bench.run(ticks: 12)
        #expect(bench.hears("a", Self.tones) == [600])
        bench.press("2", "a")
        bench.run(ticks: 2)
        #expect(bench.ends.count == 1)
        #expect(bench.digits == ["1", "2"])
    }

    @Test("RFC 4733 §2.5.1: each press is told once, however many packets it has")
    func digitsOnce() throws {
        var bench = Bench()
        try bench.sit("a")
        bench.press("5", "a", packets: 12)
        bench.press("5", "a", packets: 6)
        bench.press("#", "a", packets: 1)
        bench.press("D", "a", packets: 4)
        #expect(bench.digits == ["5", "5", "#", "D"])
        guard case .digit("call_a", "CallServer-1", _, _) = try #require(bench.box.events.first) else {
            Issue.record("a digit names its call and the instance that owns it")
            return
        }
    }

    @Test("In a room of two the other phone gets the digit as an event of its own stream; in a room of three nobody does")
    func forwardedDigits() throws {
        var bench = Bench()
        try bench.sit("a", tone: 400)
        try bench.sit("b", tone: 600)
        bench.run(ticks: 5)
        bench.press("7", "a", packets: 5)
        bench.deliver()
        let heard = bench.phones[1].heard.filter { $0.payloadType == .telephoneEvent }
        #expect(bench.phones[1].events.map(\.digit) == Array(repeating: "7", count: 5))
        #expect(bench.phones[1].events.last?.isEnd == true)
        #expect(Set(heard.map(\.timestamp)).count == 1)
        #expect(heard.map(\.marker) == [true, false, false, false, false])
        #expect(bench.phones[0].events.isEmpty)
        bench.run(ticks: 2)
        let all = bench.phones[1].heard.map(\.sequence)
        #expect(zip(all, all.dropFirst()).allSatisfy { $1 == $0.next })
        try bench.sit("c", tone: 900)
        bench.press("8", "a")
        bench.deliver()
        #expect(bench.phones[1].events.count == 5)
        #expect(bench.phones[2].events.isEmpty)
    }

    @Test("Digits sent to a phone are events of the asked length with pauses between")
    func sentDigits() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.sit("b", tone: 400)
        try bench.mixer.send(digits: "1#", duration: 100, interval: 60, room: "room_1", participant: "a")
        bench.run(ticks: 30)
        let events = bench.phones[0].events
        #expect(events.filter { !$0.isEnd && $0.digit == "1" }.count == 4)
        #expect(events.filter { $0.isEnd && $0.digit == "1" }.map(\.duration) == [800, 800, 800])
        #expect(events.filter { $0.digit == "#" }.count == 7)
        let sequences = bench.phones[0].heard.map(\.sequence)
        #expect(zip(sequences, sequences.dropFirst()).allSatisfy { $1 == $0.next })
        #expect(bench.hears("a", [400]) == [400])
        #expect(throws: RPCError.self) {
            try bench.mixer.send(digits: "1x", duration: 100, interval: 60, room: "room_1", participant: "a")
        }
    }

    @Test("A stop that overtakes its play ends it before it is heard, and that is told; a play that is over is not forgotten so")
    func stoppedEarly() throws {
        var bench = Bench()
        try bench.sit("a")
        #expect(bench.stop("ringing") == false)
        try begin(&bench, "ringing", to: "a", [piece(600, milliseconds: 1000)], loops: true)
        bench.run(ticks: 20)
        #expect(bench.hears("a", Self.tones) == [])
        #expect(bench.ends.map(\.0) == ["ringing"] && bench.ends.map(\.1) == [.stopped])
        // The same name after its end, as a successor of the call would ask for it, is heard.
        try begin(&bench, "prompt", to: "a", [piece(900, milliseconds: 100)])
        bench.run(ticks: 10)
        _ = bench.stop("prompt")
        try begin(&bench, "prompt", to: "a", [piece(900, milliseconds: 400)])
        bench.run(ticks: 15)
        #expect(bench.hears("a", Self.tones) == [900])
    }

    @Test("What a play holds is bounded; what was heard makes room for what comes, and is not sought after then")
    func boundedPlay() throws {
        func request(repeats: Int? = nil) -> PlayInRoom {
            PlayInRoom(roomID: "r", participantID: nil, playID: "p", sources: [], repeats: repeats)
        }
        var play = Play(request())
        let tenMinutes = Play.Piece.sound(Array(repeating: 1, count: 600 * Samples.rate))
        let taken = (0..<7).map { _ in play.append(tenMinutes) }
        #expect(taken == [true, true, true, true, true, true, false])
        play.seek(milliseconds: 601_000)
        var frame = [Int16](repeating: 0, count: 160)
        let outcomes = (play.next(into: &frame), play.append(tenMinutes), play.append(tenMinutes))
        #expect(outcomes == (.sound, true, false))
        #expect(play.held == 6 * 600 * Samples.rate)
        play.seek(milliseconds: 0)
        #expect(play.milliseconds == 600_000)
        // One that is heard again keeps all of it.
        var again = Play(request(repeats: 2))
        let held = (0..<6).map { _ in again.append(tenMinutes) }
        again.seek(milliseconds: 601_000)
        let later = (again.next(into: &frame), again.append(tenMinutes))
        #expect(held.allSatisfy { $0 } && later == (.sound, false))
    }

    @Test("A key that was down when the participant moved to this room has been told by the room before")
    func heldKey() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.sit("b")
        func key(_ duration: Int, end: Bool = false, marker: Bool = false, start: UInt32 = 5000) {
            var payload: [UInt8] = []
            TelephoneEvent(code: 5, isEnd: end, duration: UInt16(duration)).append(to: &payload)
            bench.receive(
                Bench.packet(bench.phones[0], payload: payload, type: .telephoneEvent, timestamp: start, marker: marker))
        }
        key(320)
        bench.step()
        for duration in [480, 640, 800] { key(duration) }
        for _ in 0..<3 { key(960, end: true) }
        bench.deliver()
        #expect(bench.digits.isEmpty && bench.phones[1].events.isEmpty)
        // The next one is new, even when its first packet is lost.
        for _ in 0..<20 { bench.step() }
        key(320, start: 9000)
        key(480, start: 9000)
        #expect(bench.digits == ["5"])
        // And one that begins with this seat is told at once.
        try bench.sit("c", room: "room_2")
        var payload: [UInt8] = []
        TelephoneEvent(code: 7, isEnd: false, duration: 160).append(to: &payload)
        bench.receive(Bench.packet(bench.phones[2], payload: payload, type: .telephoneEvent, marker: true))
        #expect(bench.digits == ["5", "7"])
    }

    @Test("A straggler of a key does not press it again on the other phone")
    func forwardedStraggler() throws {
        var bench = Bench()
        try bench.sit("a")
        try bench.sit("b")
        for _ in 0..<20 { bench.step() }
        func key(_ code: UInt8, at start: UInt32, marker: Bool = false) {
            var payload: [UInt8] = []
            TelephoneEvent(code: code, isEnd: !marker, duration: 800).append(to: &payload)
            bench.receive(
                Bench.packet(bench.phones[0], payload: payload, type: .telephoneEvent, timestamp: start, marker: marker))
            bench.step()
        }
        key(1, at: 1000, marker: true)
        key(2, at: 3000, marker: true)
        key(1, at: 1000)
        key(2, at: 3000)
        bench.deliver()
        #expect(bench.phones[1].events.map(\.code) == [1, 2, 2])
        let times = bench.phones[1].heard.filter { $0.payloadType == .telephoneEvent }.map(\.timestamp)
        #expect(Set(times).count == 2)
    }
}
