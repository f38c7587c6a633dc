import Deadlines
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy admission: overload (RELIABILITY O1, O2, §4.8)")
struct AdmissionOverloadTests {
    /// A call server that answers `capacity` INVITEs a second in the order in which they come.
    private struct Result {
        var offered = 0
        var answered = 0
        var late: [Int] = []
        var shedAtEnd = 0.0
    }

    /// Milliseconds of load, in calls a second; deterministic, with Call-IDs spread by a keyed hash.
    private static func run(capacity: Int, _ phases: [(milliseconds: Int, load: Int)]) -> [Result] {
        var control = OverloadControl(ServerLoad.Limits())
        let hash = KeyedHash(key: 3, 4)
        var queue: [(call: UInt64, sent: Int)] = []
        var (head, number, now, credit, debt) = (0, UInt64(0), 0, 0, 0)
        func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds) }
        return phases.map { phase in
            var result = Result()
            for _ in 0..<phase.milliseconds {
                now += 1
                debt += phase.load
                while debt >= 1_000 {
                    debt -= 1_000
                    number += 1
                    result.offered += 1
                    let call = hash.hash(number, 0)
                    if control.admit(server: 1, call: call, now: at(now)) { queue.append((call, now)) }
                }
                credit = min(credit + capacity, 1_000 + capacity)
                while credit >= 1_000, head < queue.count {
                    credit -= 1_000
                    control.answered(call: queue[head].call, now: at(now))
                    result.answered += 1
                    result.late.append(now - queue[head].sent)
                    head += 1
                }
            }
            result.shedAtEnd = control.shed
            return result
        }
    }

    @Test("O1: at twice the capacity nine tenths of it come through, soon; five seconds after it all is normal", arguments: [50, 500])
    func twice(capacity: Int) {
        let results = Self.run(capacity: capacity, [(60_000, capacity * 2), (5_000, capacity / 2), (5_000, capacity / 2)])
        #expect(results[0].answered >= capacity * 60 * 9 / 10)
        let waits = results[0].late.sorted()
        #expect(waits[waits.count * 95 / 100] <= 1_000)
        #expect((0.3...0.7).contains(results[0].shedAtEnd))
        #expect(results[1].shedAtEnd == 0)
        #expect(results[2].answered >= results[2].offered - 1)
        #expect((results[2].late.max() ?? 0) < 100)
    }

    @Test("O2: at five times the capacity eight tenths come through, and none after five seconds")
    func fiveTimes() {
        let results = Self.run(capacity: 500, [(30_000, 2_500)])
        let inTime = results[0].late.count { $0 < 5_000 }
        #expect(inTime >= 500 * 30 * 8 / 10)
        #expect(inTime == results[0].answered)
    }

    @Test("Below its capacity nothing is refused, nor for a short burst")
    func calm() {
        let results = Self.run(capacity: 500, [(20_000, 450), (200, 1_500), (5_000, 100)])
        #expect(results.map(\.shedAtEnd) == [0, 0, 0])
        #expect(results.reduce(0) { $0 + $1.offered } == results.reduce(0) { $0 + $1.answered })
    }

    @Test("A server that stops answering is spared nearly all, and gets its calls back when it is well")
    func hung() {
        let results = Self.run(capacity: 500, [(5_000, 100)])
        #expect(results[0].shedAtEnd == 0)
        var control = OverloadControl(ServerLoad.Limits())
        let hash = KeyedHash(key: 3, 4)
        func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds) }
        for number in 0..<300 {
            let key = hash.hash(UInt64(number), 9)
            _ = control.admit(server: 1, call: key, now: at(number * 10))
        }
        #expect(control.shed > 0.9)
        for number in 300..<800 {
            let key = hash.hash(UInt64(number), 9)
            if control.admit(server: 1, call: key, now: at(7_000 + number * 10)) {
                control.answered(call: key, now: at(7_000 + number * 10 + 1))
            }
        }
        #expect(control.shed == 0)
    }

    @Test("A few that are lost are no overload; a retransmission goes the way of the first and is not counted again")
    func losses() {
        var control = OverloadControl(ServerLoad.Limits())
        for second in 0..<60 {
            let now = Instant(nanoseconds: UInt64(second + 1) * 1_000_000_000)
            let call = UInt64(second + 1) << 40
            #expect(control.admit(server: 1, call: call, now: now) == true)
            #expect(control.admit(server: 1, call: call, now: now + .milliseconds(500)) == true)
        }
        #expect(control.shed == 0)
    }

    @Test("One server's trouble is not another's; more servers than places are measured anew")
    func servers() {
        var control = OverloadControl(ServerLoad.Limits(), servers: 2)
        let hash = KeyedHash(key: 3, 4)
        for number in 0..<300 {
            let now = Instant(nanoseconds: 1_000_000_000) + .milliseconds(number * 10)
            let key = hash.hash(UInt64(number), 9)
            _ = control.admit(server: 1, call: key, now: now)
            #expect(control.admit(server: 2, call: key ^ 1, now: now) == true)
            control.answered(call: key ^ 1, now: now + .milliseconds(5))
        }
        #expect(control.shed(of: 1) > 0.9)
        #expect(control.shed(of: 2) == 0)
        #expect(control.admit(server: 3, call: 1, now: Instant(nanoseconds: 5_000_000_000)) == true)
        #expect(control.shed(of: 1) == 0)
    }

    @Test("RFC 3261 §20.33: Retry-After is another for each, from the shortest to six times that: five to thirty seconds")
    func retryAfter() {
        #expect(Set((0..<1_000).map { RetryAfter().seconds(random: $0) }) == Set(5...30))
        #expect(Set((0..<1_000).map { RetryAfter(shortest: 2).seconds(random: .max - $0) }) == Set(2...12))
    }

    @Test("A loop that is late drops the least important first, and dialogs and emergencies never")
    func lag() {
        var lag = LoopLag(ServerLoad.Limits())
        var now = Instant(nanoseconds: 1_000_000_000)
        let kinds: [RequestClass] = [.other, .registration, .refresh, .invite]
        var ended: [RequestClass] = []
        for _ in 0..<60 {
            now = now + LoopLag.period
            lag.measured(.milliseconds(150), now: now)
            for kind in kinds where !ended.contains(kind) && !lag.admits(kind, key: .max >> 1) { ended.append(kind) }
        }
        #expect(ended == kinds)
        #expect(lag.pressure == 1)
        #expect(lag.admits(.inDialog, key: 0) && lag.admits(.emergency, key: 0))
        for _ in 0..<20 {
            now = now + LoopLag.period
            lag.measured(.milliseconds(1), now: now)
        }
        #expect(lag.pressure == 0)
        for _ in 0..<5 {
            now = now + LoopLag.period
            lag.measured(.milliseconds(150), now: now)
        }
        #expect(lag.pressure == 0)
    }

    @Test("What waited for more than five seconds goes nowhere; an emergency call goes past all overload")
    func stale() {
        var admission = Admission(AdmissionSettings(), seed: (1, 2), connections: 8)
        func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 9_000_000_000) + .milliseconds(milliseconds) }
        #expect(admission.isStale(since: at(-5_001), now: at(0)) == true)
        #expect(admission.isStale(since: at(-5_000), now: at(0)) == false)
        func call(_ number: UInt64, _ callID: UInt64, isEmergency: Bool = false) -> Admission.Call {
            Admission.Call(transaction: number, callID: callID, server: 1, customer: nil, isEmergency: isEmergency)
        }
        for number in 0..<300 { _ = admission.refuse(call(UInt64(number), UInt64(number) << 52), now: at(number * 10)) }
        #expect(admission.shed > 0.9)
        #expect(admission.refuse(call(1_000, 1), now: at(3_000)) == .overload)
        #expect(admission.refuse(call(1_000, 1, isEmergency: true), now: at(3_000)) == nil)
    }
}
