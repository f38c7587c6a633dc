import Deadlines
import Testing

@testable import Bus

@Suite("The bus's ledgers, in virtual time")
struct BusLedgerTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("a request leaves the ledger once: answered, or expired at its deadline, or with all others")
    func requestsLeaveOnce() {
        var ledger = RequestLedger<String>(limit: 10)
        #expect(ledger.insert(1, until: start + .seconds(1), "one") == true)
        #expect(ledger.insert(2, until: start + .seconds(3), "two") == true)
        #expect(ledger.insert(3, until: start + .seconds(2), "three") == true)
        #expect(ledger.nextDeadline() == start + .seconds(1))
        #expect(ledger.take(1) == "one")
        #expect(ledger.take(1) == nil)
        #expect(ledger.expire(now: start + .seconds(1)).isEmpty)
        #expect(ledger.nextDeadline() == start + .seconds(2))
        #expect(ledger.expire(now: start + .milliseconds(2_500)) == ["three"])
        #expect(ledger.take(3) == nil)
        #expect(ledger.takeAll() == ["two"])
        #expect(ledger.count == 0)
        #expect(ledger.nextDeadline() == nil)
    }

    @Test("a full ledger and a repeated id are refused")
    func bounds() {
        var ledger = RequestLedger<Int>(limit: 2)
        #expect(ledger.insert(1, until: start, 1) == true)
        #expect(ledger.insert(1, until: start, 1) == false)
        #expect(ledger.insert(2, until: start, 2) == true)
        #expect(ledger.insert(3, until: start, 3) == false)
        #expect(ledger.expire(now: start) == [1, 2])
        #expect(ledger.insert(3, until: start, 3) == true)
    }

    @Test("one key is performed once: repetitions wait for the first answer, then get it again")
    func repliesAreKept() {
        var cache = ReplyCache<String, Int>(limit: 10, lifetime: .seconds(60))
        #expect(cache.admit("key", waiter: 0, now: start) == .perform)
        #expect(cache.admit("key", waiter: 1, now: start) == .waits)
        #expect(cache.admit("key", waiter: 2, now: start) == .waits)
        #expect(cache.finish("key", "answer", isFinal: true, now: start) == [1, 2])
        #expect(cache.admit("key", waiter: 3, now: start + .seconds(59)) == .answered("answer"))
        #expect(cache.admit("key", waiter: 4, now: start + .seconds(60)) == .perform)
    }

    @Test("a failure that may pass is not kept")
    func transientFailures() {
        var cache = ReplyCache<String, Int>(limit: 10, lifetime: .seconds(60))
        _ = cache.admit("key", waiter: 0, now: start)
        _ = cache.admit("key", waiter: 1, now: start)
        #expect(cache.finish("key", "away", isFinal: false, now: start) == [1])
        #expect(cache.admit("key", waiter: 2, now: start) == .perform)
    }

    @Test("the reply cache forgets its oldest answers")
    func cacheBound() {
        var cache = ReplyCache<Int, Int>(limit: 3, lifetime: .seconds(60))
        for number in 0..<20 {
            _ = cache.admit("\(number)", waiter: 0, now: start)
            _ = cache.finish("\(number)", number, isFinal: true, now: start)
        }
        #expect(cache.count == 3)
        #expect(cache.admit("19", waiter: 0, now: start) == .answered(19))
        #expect(cache.admit("16", waiter: 0, now: start) == .perform)
    }

    @Test(
        "publisher confirms settle one tag, or all up to one",
        arguments: [
            ([(2, false)], ["b"], ["a", "c", "d"]), ([(3, true)], ["a", "b", "c"], ["d"]),
            ([(0, true)], ["a", "b", "c", "d"], []), ([(2, false), (3, true)], ["b", "a", "c"], ["d"]),
            ([(9, false), (9, true)], ["a", "b", "c", "d"], []), ([(1, true), (1, true)], ["a"], ["b", "c", "d"]),
        ] as [([(UInt64, Bool)], [String], [String])])
    func confirms(_ acks: [(UInt64, Bool)], _ settled: [String], _ rest: [String]) {
        var window = ConfirmWindow<String>(limit: 4)
        for element in ["a", "b", "c", "d"] { window.published(element) }
        #expect(window.isFull)
        #expect(acks.flatMap { window.settle($0.0, multiple: $0.1) } == settled)
        #expect(window.restart() == rest)
        window.published("e")
        #expect(window.settle(1, multiple: false) == ["e"])
    }

    @Test(
        "topic patterns: * is one word, # any number",
        arguments: [
            ("call.answered", "call.answered", true), ("call.*", "call.answered", true), ("call.*", "call", false),
            ("call.*", "call.leg.up", false), ("#", "", true), ("#", "a.b.c", true), ("call.#", "call", true),
            ("call.#", "call.a.b", true), ("*.answered", "call.answered", true), ("#.up", "call.leg.up", true),
            ("#.up", "call.leg.down", false), ("a.#.z", "a.z", true), ("a.#.z", "a.b.c.z", true), ("*", "a.b", false),
        ])
    func topics(_ pattern: String, _ key: String, _ matches: Bool) {
        #expect(TopicPattern(pattern).matches(key) == matches)
    }
}
