import Deadlines
import MediaStream
import Testing

@Suite("Sound that comes faster than it is heard")
struct PlayoutTests {
    /// A room that takes a frame every 20 ms, and a socket's thread that looks every 10.
    private struct Room {
        var playout: Playout
        var now = Instant(nanoseconds: 0)
        var frames: [[UInt8]] = []
        var heard: [[UInt8]?] = []
        var taken = 0
        var looks = 0
        var marks: [String] = []

        init(limit: Int = 30_000) { playout = Playout(limit: limit) }

        mutating func look() {
            while let frame = playout.next(taken: taken, now: now) { frames.append(frame) }
            marks += playout.reached(taken: taken)
            looks += 1
            now = now + .milliseconds(10)
            guard looks % 2 == 0 else { return }
            if taken < frames.count {
                heard.append(frames[taken])
                taken += 1
            } else {
                heard.append(nil)
            }
        }

        mutating func run(_ milliseconds: Int) { for _ in 0..<milliseconds / 10 { look() } }
        mutating func say(_ sound: [UInt8]) { playout.append(sound, taken: taken, now: now) }
    }

    @Test("A second that came at once is heard in a second, whole and in order, whatever the pieces were")
    func burst() {
        var room = Room()
        let sound = (0..<8000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for start in stride(from: 0, to: sound.count, by: 777) { room.say(Array(sound[start..<min(start + 777, sound.count)])) }
        #expect(room.playout.backlog == 1000)
        room.run(500)
        #expect(room.frames.count - room.taken <= Playout.ahead)
        #expect((20...26).contains(room.taken))
        room.run(700)
        #expect(Array(room.heard.compactMap { $0 }.joined()) == sound)
        #expect(room.heard.drop { $0 == nil }.prefix(50).allSatisfy { $0 != nil }, "without a gap")
        #expect(room.playout.backlog == 0 && room.playout.dropped == 0)
    }

    @Test("Packets that come unevenly are heard evenly; what begins is not held for longer than 60 ms")
    func uneven() {
        var room = Room()
        // Fifty packets of 20 ms, each up to 40 ms late.
        var due = (0..<50).map { ($0 * 20 + [0, 30, 10, 40, 20][$0 % 5]) / 10 * 10 }
        for step in 0..<140 {
            while let first = due.first, first <= step * 10 {
                due.removeFirst()
                room.say([UInt8](repeating: 1, count: 160))
            }
            room.look()
        }
        let sounding = room.heard.drop { $0 == nil }
        #expect(room.heard.prefix { $0 == nil }.count <= 4)
        // Once what is kept ahead is used up by the latest packet; then it is gathered anew.
        #expect(sounding.prefix(50).filter { $0 == nil }.count <= 3)
        #expect(zip(sounding, sounding.dropFirst()).prefix(50).count { $0 != nil && $1 == nil } <= 1)
        #expect(sounding.compactMap { $0 }.count == 50)
        var single = Room()
        single.say([UInt8](repeating: 1, count: 160))
        single.run(80)
        #expect(single.taken == 1)
    }

    @Test("The end of something is filled up with silence, but only when nothing else is left to be heard")
    func tail() {
        var room = Room()
        room.say([UInt8](repeating: 1, count: 200))
        room.run(200)
        #expect(room.frames.map(\.count) == [160, 160])
        #expect(room.frames.last?.prefix(40).allSatisfy { $0 == 1 } == true)
        #expect(room.frames.last?.dropFirst(40).allSatisfy { $0 == 0xff } == true)
    }

    @Test("Beyond the bound the newest is dropped and counted")
    func bound() {
        var room = Room(limit: 1000)
        room.say([UInt8](repeating: 1, count: 12_000))
        #expect(room.playout.backlog == 1000 && room.playout.dropped == 4000)
        room.run(1400)
        #expect(room.taken == 50)
    }

    @Test("A mark comes when what was before it has been heard; with nothing before it, at once")
    func marks() {
        var room = Room()
        room.playout.mark("first")
        room.look()
        #expect(room.marks == ["first"])
        room.say([UInt8](repeating: 1, count: 4000))
        room.playout.mark("half")
        room.say([UInt8](repeating: 1, count: 4000))
        room.playout.mark("whole")
        room.run(400)
        #expect(room.marks == ["first"])
        room.run(200)
        #expect(room.marks == ["first", "half"])
        room.run(600)
        #expect(room.marks == ["first", "half", "whole"])
    }

    @Test("Clear forgets what waits, and its marks come; what comes afterwards is heard")
    func clear() {
        var room = Room()
        room.say([UInt8](repeating: 1, count: 80_000))
        room.playout.mark("end")
        room.run(300)
        let marks = room.playout.clear()
        #expect(marks == ["end"])
        #expect(room.playout.backlog == 0)
        let before = room.frames.count
        room.run(200)
        #expect(room.frames.count == before)
        room.say([UInt8](repeating: 2, count: 160))
        room.run(200)
        #expect(room.heard.last(where: { $0 != nil })??.first == 2)
    }

    @Test("Marks are bounded")
    func manyMarks() {
        var room = Room()
        room.say([UInt8](repeating: 1, count: 8000))
        for number in 0..<2 * Playout.mostMarks { room.playout.mark("\(number)") }
        #expect(room.playout.dropped == Playout.mostMarks)
        let names = room.playout.clear()
        #expect(names.count == Playout.mostMarks)
    }
}
