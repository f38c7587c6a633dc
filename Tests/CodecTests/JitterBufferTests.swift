import Codecs
import Deadlines
import RTP
import Testing

@Suite("The jitter buffer restores order")
struct JitterBufferTests {
    static let start = Instant(nanoseconds: 5_000_000_000)

    /// What came out, and when.
    struct Out: Equatable {
        var number: Int
        var lost: Int
        var at: Double
    }

    /// Packets `number` sent each 20 ms arrive after `delays` of ms; nil is lost. Timers fire when they are due.
    static func run(_ delays: [(number: Int, delay: Double?)], settings: JitterBuffer.Settings = .init(), first: Int = 65_500) -> (
        out: [Out], counters: JitterBuffer.Counters, delay: Interval
    ) {
        var buffer = JitterBuffer(clockRate: 8000, settings: settings)
        var out: [Out] = []
        let arrivals = delays.compactMap { entry in entry.delay.map { (entry.number, Double(entry.number) * 20 + $0) } }.sorted {
            $0.1 < $1.1
        }
        func instant(_ milliseconds: Double) -> Instant { start + Interval(nanoseconds: Int64(milliseconds * 1e6)) }
        func release(_ now: Instant) {
            while let entry = buffer.release(now: now) {
                let bytes = buffer.payload(of: entry)
                #expect(bytes.count == 2)
                out.append(Out(number: Int(bytes[0]) | Int(bytes[1]) << 8, lost: entry.lost, at: (now - start).milliseconds))
            }
        }
        for (number, at) in arrivals {
            while let deadline = buffer.deadline, deadline <= instant(at) { release(deadline) }
            let payload = [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
            func arrive() -> JitterBuffer.Arrival {
                buffer.arrive(
                    .sound, sequence: SequenceNumber(UInt16(truncatingIfNeeded: first + number)),
                    timestamp: Timestamp(UInt32(number) * 160),
                    payload: payload.span, now: instant(at))
            }
            var arrival = arrive()
            if arrival == .crowded {
                while let entry = buffer.release(now: instant(at), force: true) {
                    let bytes = buffer.payload(of: entry)
                    out.append(Out(number: Int(bytes[0]) | Int(bytes[1]) << 8, lost: entry.lost, at: at))
                }
                arrival = arrive()
            }
            if case .next(let lost) = arrival { out.append(Out(number: number, lost: lost, at: at)) }
            release(instant(at))
        }
        while let deadline = buffer.deadline { release(deadline) }
        return (out, buffer.counters, buffer.targetDelay)
    }

    @Test("Packets in order pass at once, however much they jitter", arguments: 0..<20)
    func inOrder(seed: Int) {
        var random = Seeded(seed)
        let delays = (0..<500).map { ($0, Optional(Double.random(in: 0..<19, using: &random))) }
        let (out, counters, _) = Self.run(delays)
        #expect(out.map(\.number) == Array(0..<500))
        #expect(zip(out, delays).allSatisfy { abs($0.at - Double($1.0) * 20 - ($1.1 ?? 0)) < 0.001 })
        #expect(counters.received == 500)
        #expect(counters.late + counters.lost + counters.reordered + counters.duplicates == 0)
    }

    @Test(
        "Whatever happens on the way: each packet at most once, in order, none held longer than the ceiling, every one accounted for",
        arguments: 0..<100)
    func anything(seed: Int) {
        var random = Seeded(seed)
        let ceiling = [40.0, 80, 120][seed % 3]
        var delays: [(number: Int, delay: Double?)] = []
        for number in 0..<400 {
            let isLost = Int.random(in: 0..<20, using: &random) == 0
            let delay =
                Double.random(in: 0..<10, using: &random)
                + (Int.random(in: 0..<10, using: &random) == 0 ? Double.random(in: 0..<150, using: &random) : 0)
            delays.append((number, isLost ? nil : delay))
            if !isLost, Int.random(in: 0..<15, using: &random) == 0 {
                delays.append((number, delay + Double.random(in: 0..<60, using: &random)))
            }
        }
        let (out, counters, target) = Self.run(delays, settings: .init(ceiling: .milliseconds(Int(ceiling))))
        #expect(zip(out, out.dropFirst()).allSatisfy { $0.number < $1.number })
        for (previous, next) in zip(out, out.dropFirst()) { #expect(next.lost == next.number - previous.number - 1) }
        let first = Dictionary(
            delays.compactMap { entry in entry.delay.map { (entry.number, Double(entry.number) * 20 + $0) } }, uniquingKeysWith: min
        )
        #expect(out.allSatisfy { $0.at >= (first[$0.number] ?? .infinity) - 0.001 })
        #expect(out.allSatisfy { $0.at <= (first[$0.number] ?? 0) + ceiling + 0.001 })
        #expect(out.count + counters.late + counters.duplicates == delays.filter { $0.delay != nil }.count)
        #expect(target <= .milliseconds(Int(ceiling)))
    }

    @Test("A packet overtaken by its successor is put back before it")
    func reordered() {
        let (out, counters, _) = Self.run([(0, 0), (1, 25), (2, 0), (3, 0)])
        #expect(
            out == [
                Out(number: 0, lost: 0, at: 0), Out(number: 1, lost: 0, at: 45), Out(number: 2, lost: 0, at: 45),
                Out(number: 3, lost: 0, at: 60),
            ])
        #expect(counters.reordered == 1)
    }

    @Test("A gap is given up after the floor when nothing suggests more")
    func floor() {
        let delays: [(number: Int, delay: Double?)] = [(0, 0), (1, nil), (2, 0)]
        let (out, counters, _) = Self.run(delays, settings: .init(floor: .milliseconds(15)))
        #expect(out == [Out(number: 0, lost: 0, at: 0), Out(number: 2, lost: 1, at: 55)])
        #expect(counters.lost == 1)
    }

    @Test("A floor of zero gives every gap up at once")
    func noFloor() {
        let (out, counters, _) = Self.run([(0, 0), (1, 30), (2, 0), (3, 0)], settings: .init(floor: .zero, ceiling: .zero))
        #expect(out.map(\.number) == [0, 2, 3])
        #expect(counters.late == 1)
    }

    @Test("What came late makes the buffer wait longer, and is forgotten when it no longer happens")
    func adapts() {
        // Every tenth packet comes 45 ms after its time.
        let delays = (0..<300).map { ($0, Optional($0 % 10 == 5 ? 65.0 : 0)) }
        let (out, counters, target) = Self.run(delays)
        #expect(counters.late <= 2)
        #expect(out.count >= 298)
        #expect(target >= .milliseconds(45))
        let calm = delays + (300..<3000).map { ($0, Optional(0.0)) }
        #expect(Self.run(calm).delay == .milliseconds(10))
    }

    @Test("A duplicate is counted whether its twin waits or has gone")
    func duplicates() {
        let (out, counters, _) = Self.run([(0, 0), (0, 1), (2, 0), (2, 1), (1, 25), (3, 0), (1, 30)])
        #expect(out.map(\.number) == [0, 1, 2, 3])
        #expect(counters.duplicates == 3)
    }

    @Test("RFC 3550 A.1: a jump is believed when the next packet follows it")
    func restart() {
        let (out, counters, _) = Self.run([(0, 0), (1, 0), (30_000, 0), (30_001, 0), (30_002, 0)])
        #expect(out.map(\.number) == [0, 1, 30_001, 30_002])
        #expect(counters.refused == 1)
        #expect(counters.lost == 0)
    }

    @Test("A gap wider than the buffer is given up at once")
    func wideGap() {
        let (out, counters, _) = Self.run([(0, 0), (1, 0), (200, 0), (201, 0)])
        #expect(out.map(\.number) == [0, 1, 200, 201])
        #expect(counters.lost == 198)
    }

    @Test("A packet longer than any that is transcoded is refused")
    func tooLong() {
        var buffer = JitterBuffer(clockRate: 8000)
        let payload = [UInt8](repeating: 0, count: 1501)
        let arrival = buffer.arrive(
            .sound, sequence: SequenceNumber(0), timestamp: Timestamp(0), payload: payload.span, now: Self.start)
        #expect(arrival == .refused)
    }
}
