import Audio
import Testing

@testable import ConferenceServer

@Suite("The jitter buffer")
struct JitterBufferTests {
    /// Frames told apart by their code.
    private func codes(_ number: Int, count: Int = 160) -> [UInt8] {
        Array(repeating: UInt8(0x80 + number % 100), count: count)
    }

    private struct Reader {
        var buffer = JitterBuffer()
        var frame = [UInt8](repeating: 0, count: 160)

        /// The code of the next frame, or nil for silence.
        mutating func next() -> UInt8? { buffer.read(into: &frame, at: 0) ? frame[80] : nil }

        mutating func put(_ codes: [UInt8], at timestamp: Int) {
            buffer.insert(codes.span, at: UInt32(truncatingIfNeeded: timestamp))
        }
    }

    @Test("Frames come out in order after one frame of delay, across the wrap of the timestamp")
    func order() {
        var reader = Reader()
        let start = Int(UInt32.max) - 800
        var heard: [UInt8?] = []
        for number in 0..<20 {
            reader.put(codes(number), at: start + number * 160)
            heard.append(reader.next())
        }
        #expect(heard == [nil] + (0..<19).map { UInt8(0x80 + $0) })
        #expect(reader.buffer.backlog == 160)
    }

    @Test("Reordered and doubled packets are put right")
    func reordered() {
        var reader = Reader()
        reader.put(codes(0), at: 0)
        _ = reader.next()
        reader.put(codes(2), at: 320)
        reader.put(codes(1), at: 160)
        reader.put(codes(1), at: 160)
        let heard = (0..<3).map { _ in reader.next() }
        #expect(heard == [0x80, 0x81, 0x82])
    }

    @Test("A lost frame is covered by the last one fading, a longer gap by silence")
    func concealment() {
        var reader = Reader()
        for number in 0..<4 {
            if number != 2 { reader.put(Array(repeating: 0x80, count: 160), at: number * 160) }
            let code = reader.next()
            if number == 3 { #expect(code.map { G711.decode($0, .ulaw) } == G711.decode(G711.encode(16062, .ulaw), .ulaw)) }
        }
        let rest = (0..<8).map { _ in reader.next() }
        #expect(rest.map { $0 != nil } == [true, true, true, false, false, false, false, false])
        #expect(rest[0] == 0x80)
        #expect(reader.buffer.counters.concealed == 3)
    }

    @Test("Any packet time will do: 10, 30 and 60 ms", arguments: [80, 240, 480])
    func packetTimes(size: Int) {
        var reader = Reader()
        var (sent, silent) = (0, 0)
        for tick in 0..<100 {
            while sent < (tick + 1) * 160 {
                reader.put(codes(5, count: size), at: sent)
                sent += size
            }
            if reader.next() == nil { silent += 1 }
        }
        #expect(silent == 1)
        #expect(reader.buffer.counters.concealed == 0)
    }

    @Test("A packet just too late makes the delay longer once, and is heard")
    func grows() {
        var reader = Reader()
        for number in 0..<5 {
            reader.put(codes(number), at: number * 160)
            _ = reader.next()
        }
        // The sender is two frames late from now on.
        _ = reader.next()
        _ = reader.next()
        #expect(reader.buffer.counters.concealed == 1)
        var heard: [UInt8?] = []
        for number in 5..<12 {
            reader.put(codes(number), at: number * 160)
            heard.append(reader.next())
        }
        #expect(heard.compactMap { $0 } == (5..<12).map { UInt8(0x80 + $0) })
        #expect(reader.buffer.counters.late == 0)
    }

    @Test("A delay longer than needed shrinks again")
    func shrinks() {
        var reader = Reader()
        for number in 0..<5 { reader.put(codes(number), at: number * 160) }
        #expect(reader.buffer.backlog == 960)
        for number in 5..<900 {
            _ = reader.next()
            reader.put(codes(number), at: number * 160)
        }
        #expect(reader.buffer.backlog <= 3 * 160)
        #expect(reader.buffer.counters.concealed == 0)
    }

    @Test(
        "A sender whose clock jumps is followed, forward at once and backward after a few packets",
        arguments: [1_000_000, -1_000_000, -2000])
    func jumps(distance: Int) {
        var reader = Reader()
        for number in 0..<10 {
            reader.put(codes(number), at: 2_000_000 + number * 160)
            _ = reader.next()
        }
        var heard = 0
        for number in 0..<20 {
            reader.put(codes(number), at: 2_000_000 + distance + number * 160)
            if reader.next() != nil { heard += 1 }
        }
        #expect(heard >= 12)
        #expect(reader.buffer.counters.restarts == 1)
    }

    @Test("A burst after a stall is skipped down to a short delay")
    func burst() {
        var reader = Reader()
        for number in 0..<20 { reader.put(codes(number), at: number * 160) }
        #expect(reader.buffer.backlog <= 12 * 160)
    }

    @Test("µ-law's second zero is sound like any other")
    func secondZero() {
        var reader = Reader()
        for number in 0..<5 {
            reader.put(Array(repeating: 0x7f, count: 160), at: number * 160)
            let heard = reader.next()
            #expect(heard == (number > 0 ? 0xff : nil))
        }
    }

    @Test("A thread that stood still goes on with the newest of what came meanwhile, without losing a frame more")
    func stall() {
        var reader = Reader()
        for number in 0..<10 {
            reader.put(codes(number), at: number * 160)
            _ = reader.next()
        }
        // Half a second without a tick; the loop first reads what waits in its socket, then counts the ticks it missed.
        for number in 10..<35 { reader.put(codes(number), at: number * 160) }
        reader.buffer.pass(frames: 25)
        var heard: [UInt8?] = []
        for number in 35..<45 {
            heard.append(reader.next())
            reader.put(codes(number), at: number * 160)
        }
        #expect(heard == (33..<43).map { UInt8(0x80 + $0) })
        #expect(reader.buffer.counters.late == 0 && reader.buffer.counters.restarts == 0)
    }

    @Test("However many ticks were missed, nothing traps")
    func longStall() {
        var reader = Reader()
        reader.put(codes(0), at: 0)
        reader.buffer.pass(frames: .max)
        #expect(reader.next() == nil)
    }
}
