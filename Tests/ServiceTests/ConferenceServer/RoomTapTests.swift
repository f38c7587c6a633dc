import Audio
import Contracts
import Testing
import Threads

@testable import ConferenceServer

/// A room that is recorded in virtual time: what its tap copies goes into a take.
private struct Studio {
    var bench = Bench()
    let ring = RecordRing(capacity: 4 << 20)
    var take: Take
    var order: RoomTap.Order

    init(_ terms: RecordingTerms, of participant: String? = nil, seconds: Int = 60, position: Int = 0) throws {
        take = try Take(terms, longest: seconds, mostTracks: 4, position: position)
        order = RoomTap.Order(
            number: 7, recordingID: "rec_1", roomID: "room_1", participantID: participant, terms: terms, position: position, ring: ring)
    }

    mutating func begin() throws { try bench.mixer.begin(order) }

    /// So many ticks, and what was copied meanwhile.
    mutating func run(_ ticks: Int) throws {
        bench.run(ticks: ticks)
        try drain()
    }

    mutating func drain() throws {
        var failure: (any Error)?
        ring.drain { head, bytes in
            guard let kind = RoomTap.Kind(rawValue: head[0] & 0xffff_ffff), head[0] >> 32 == 7 else { return }
            let track = UInt32(truncatingIfNeeded: head[3])
            if kind == .name { return take.name(track, bytes) }
            do { try take.receive(kind, bytes, at: Int(truncatingIfNeeded: head[1]), flags: head[2], track: track) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    mutating func finish() throws -> [[Int16]] {
        bench.mixer.end(tap: 7, room: "room_1", .stopped)
        try drain()
        let ends = bench.mixer.takeTapEnds()
        take.finish(at: ends.first?.position ?? take.length)
        return take.parts.indices.map { take.sound(of: $0) }
    }
}

@Suite("Rooms that are recorded")
struct RoomTapTests {
    private func tones(_ sound: [Int16]) -> [Double] {
        var meter = ToneMeter(window: 1600)
        meter.append(Array(sound.suffix(1600)))
        return meter.tones(among: MixerTests.tones)
    }

    private func side(_ sound: [Int16], _ channel: Int) -> [Int16] {
        stride(from: channel, to: sound.count, by: 2).map { sound[$0] }
    }

    @Test("mixed: everybody together, as long as it lasted, and not before it began")
    func mixed() throws {
        var studio = try Studio(RecordingTerms())
        for (name, tone) in zip(["a", "b", "c"], MixerTests.tones) { try studio.bench.sit(name, tone: tone) }
        try studio.run(20)
        try studio.begin()
        try studio.run(50)
        let sound = try studio.finish()
        #expect(sound.count == 1 && sound[0].count == 50 * 160)
        #expect(tones(sound[0]) == [400, 600, 900])
    }

    @Test("stereo: what the participant says is left, what it hears right; muted it says nothing")
    func stereo() throws {
        var studio = try Studio(RecordingTerms(layout: .stereo), of: "a")
        for (name, tone) in zip(["a", "b"], MixerTests.tones) { try studio.bench.sit(name, tone: tone) }
        try studio.begin()
        try studio.run(40)
        try studio.bench.mixer.set(room: "room_1", participant: "a", muted: true)
        try studio.run(30)
        let sound = try studio.finish()[0]
        #expect(sound.count == 70 * 160 * 2)
        #expect(tones(Array(side(sound, 0).prefix(40 * 160))) == [400] && tones(side(sound, 1)) == [600])
        #expect(side(sound, 0).suffix(25 * 160).allSatisfy { $0 == 0 })
    }

    @Test("mixed of a participant: what it says and what it alone hears")
    func participant() throws {
        var studio = try Studio(RecordingTerms(), of: "a")
        for (name, tone) in zip(["a", "b"], MixerTests.tones) { try studio.bench.sit(name, tone: tone) }
        try studio.begin()
        var prompt = Tone(frequency: 900)
        try studio.bench.begin(
            PlayInRoom(roomID: "room_1", participantID: "a", playID: "p", sources: [], loop: true), [.sound(prompt.next(8000))])
        try studio.run(40)
        #expect(tones(try studio.finish()[0]) == [400, 600, 900])
    }

    @Test("tracks: one for each, in step; who comes later begins with silence, who comes back goes on")
    func tracks() throws {
        var studio = try Studio(RecordingTerms(layout: .tracks))
        for (name, tone) in zip(["a", "b"], MixerTests.tones) { try studio.bench.sit(name, tone: tone) }
        try studio.begin()
        try studio.run(30)
        try studio.bench.sit("c", tone: 900)
        try studio.run(20)
        _ = try studio.bench.leave("b")
        try studio.run(10)
        try studio.bench.sit("b", tone: 1300)
        try studio.run(20)
        #expect(studio.take.parts.map { $0.name?.participantID } == ["a", "b", "c"])
        #expect(studio.take.parts.map { $0.name?.callID } == ["call_a", "call_b", "call_c"])
        let starts = studio.take.parts.map(\.start)
        let sound = try studio.finish()
        for index in 0..<3 { #expect(starts[index] * 160 + sound[index].count == 80 * 160) }
        #expect((30...33).contains(starts[2]))
        #expect(tones(sound[0]) == [400] && tones(sound[2]) == [900])
        #expect(tones(Array(sound[1].prefix(45 * 160))) == [600] && tones(sound[1]) == [1300])
    }

    @Test("a pause leaves out what is said meanwhile, and no time")
    func pause() throws {
        var studio = try Studio(RecordingTerms())
        try studio.bench.sit("a", tone: 400)
        try studio.begin()
        try studio.run(20)
        studio.bench.mixer.pause(tap: 7, room: "room_1", true)
        studio.bench.phones[0].tone = Tone(frequency: 900)
        try studio.run(30)
        studio.bench.phones[0].tone = Tone(frequency: 600)
        try studio.run(10)
        studio.bench.mixer.pause(tap: 7, room: "room_1", false)
        try studio.run(20)
        let sound = try studio.finish()[0]
        #expect(sound.count == 40 * 160)
        #expect(tones(sound) == [600] && tones(Array(sound.prefix(20 * 160))) == [400])
    }

    @Test("ends at its longest, exactly; and after the silence that was asked for, counted from the last word")
    func ends() throws {
        var terms = RecordingTerms()
        terms.seconds = 1
        var studio = try Studio(terms)
        try studio.bench.sit("a", tone: 400)
        try studio.begin()
        try studio.run(80)
        #expect(studio.take.end == .duration)
        #expect(try studio.finish()[0].count == 8000)

        terms.seconds = nil
        terms.endOfSilence = 2
        studio = try Studio(terms, of: "a")
        try studio.bench.sit("a", tone: 400)
        try studio.bench.sit("b", tone: 600)
        try studio.begin()
        try studio.run(60)
        #expect(studio.take.end == nil)
        studio.bench.phones[0].tone = nil
        try studio.run(95)
        #expect(studio.take.end == nil)
        try studio.run(15)
        #expect(studio.take.end == .silence, "what it hears is no word of its own")
    }

    @Test("a key that was asked for ends it, another does not; the last to leave ends it, too")
    func keys() throws {
        var terms = RecordingTerms()
        terms.endKeys = "#"
        var studio = try Studio(terms)
        try studio.bench.sit("a", tone: 400)
        try studio.begin()
        studio.bench.press("5", "a")
        #expect(studio.bench.mixer.tapEnds.isEmpty)
        studio.bench.press("#", "a")
        #expect(studio.bench.mixer.takeTapEnds().map(\.reason) == [.key])
        #expect(studio.bench.mixer.rooms[0].taps.isEmpty)
        try studio.begin()
        try studio.run(5)
        _ = try studio.bench.leave("a")
        let end = try #require(studio.bench.mixer.takeTapEnds().first)
        #expect(end.reason == .roomEnded && end.position == 5)
    }

    @Test("the participant that is recorded leaves a room in which others stay")
    func leaves() throws {
        var studio = try Studio(RecordingTerms(), of: "a")
        try studio.bench.sit("a", tone: 400)
        try studio.bench.sit("b", tone: 600)
        try studio.begin()
        _ = try studio.bench.leave("b")
        #expect(studio.bench.mixer.tapEnds.isEmpty)
        try studio.bench.sit("b", tone: 600)
        _ = try studio.bench.leave("a")
        #expect(studio.bench.mixer.takeTapEnds().map(\.reason) == [.left])
    }

    @Test("digits: false: a key is silence, with a margin on both sides; without, it is as it came")
    func digits() throws {
        var terms = RecordingTerms()
        terms.digits = false
        var studio = try Studio(terms)
        try studio.bench.sit("a", tone: 400)
        try studio.begin()
        try studio.run(40)
        studio.bench.press("5", "a", packets: 5)
        try studio.run(60)
        let sound = try studio.finish()[0]
        #expect(sound.count == 100 * 160)
        let silent = (0..<100).filter { frame in sound[(frame * 160)..<((frame + 1) * 160)].allSatisfy { $0 == 0 } }
        let middle = silent.filter { (30..<60).contains($0) }
        #expect((6...14).contains(middle.count), "\(silent)")
        #expect(middle.first.map { $0 < 40 } == true && middle.last.map { $0 > 41 } == true)
    }

    @Test("a secret that is asked for: keys are silence until a second after the question, and while the last is down; before and after they are as they came")
    func secrets() throws {
        var studio = try Studio(RecordingTerms(layout: .stereo), of: "b")
        try studio.bench.sit("a", tone: 400)
        try studio.bench.sit("b", tone: 600)
        try studio.begin()
        try studio.run(20)
        studio.bench.press("5", "a", packets: 5)
        try studio.run(20)
        try studio.bench.mixer.set(room: "room_1", participant: "a", hidesKeys: true)
        try studio.run(20)
        studio.bench.press("6", "a", packets: 5)
        try studio.run(20)
        try studio.bench.mixer.set(room: "room_1", participant: "a", hidesKeys: false)
        try studio.run(40)
        studio.bench.press("7", "a", packets: 5)
        try studio.run(80)
        studio.bench.press("8", "a", packets: 5)
        try studio.run(20)
        let sound = side(try studio.finish()[0], 1)
        #expect(sound.count == 220 * 160)
        // What "b" hears begins a few frames late, and is no silence after that.
        let silent = (10..<220).filter { frame in sound[(frame * 160)..<((frame + 1) * 160)].allSatisfy { $0 == 0 } }
        // A phone that tells of a key says nothing else meanwhile: a few frames; a hidden one has its margins besides.
        func count(_ frames: ClosedRange<Int>) -> Int { silent.count { frames.contains($0) } }
        #expect(count(50...75) >= 10 && count(110...135) >= 10, "\(silent)")
        #expect(count(10...49) <= 5 && count(76...109) == 0 && count(136...219) <= 5, "\(silent)")
    }

    @Test("who is not let in yet is asked for a PIN, perhaps")
    func entrance() throws {
        var studio = try Studio(RecordingTerms())
        try studio.bench.sit("a", tone: 400)
        let slot = try #require(studio.bench.mixer.rooms[0].seats.first)
        try studio.begin()
        studio.bench.mixer.seats[slot].attendance.presence = .waiting
        try studio.run(10)
        #expect(studio.bench.mixer.seats[slot].hidesKeysUntil > 10)
    }

    @Test("what a successor needs stands in the room's snapshot; it goes on at its place")
    func successor() throws {
        var studio = try Studio(RecordingTerms(layout: .stereo), of: "a")
        try studio.bench.sit("a", tone: 400)
        try studio.begin()
        try studio.run(50)
        studio.bench.mixer.pause(tap: 7, room: "room_1", true)
        let position = try #require(studio.bench.mixer.snapshot(of: "room_1")?.recordings?.first)
        #expect(position == RecordingPosition(
            id: "rec_1", participantID: "a", terms: RecordingTerms(layout: .stereo), milliseconds: 1000, paused: true))
        var next = try Studio(RecordingTerms(layout: .stereo), of: "a", position: 60)
        try next.bench.sit("a", tone: 400)
        try next.run(10)
        try next.begin()
        try next.run(30)
        #expect(next.take.length == 90)
        #expect(try next.finish()[0].count == 30 * 160 * 2)
    }

    @Test("a ring that is full loses frames, and neither the place of the others nor the length")
    func full() throws {
        var studio = try Studio(RecordingTerms())
        studio.order = RoomTap.Order(
            number: 7, recordingID: "rec_1", roomID: "room_1", participantID: nil, terms: RecordingTerms(), ring: RecordRing(capacity: 4096))
        try studio.bench.sit("a", tone: 400)
        try studio.begin()
        studio.bench.run(ticks: 100)
        studio.bench.mixer.end(tap: 7, room: "room_1", .stopped)
        let end = try #require(studio.bench.mixer.takeTapEnds().first)
        #expect(end.position == 100 && end.dropped > 50)
    }
}
