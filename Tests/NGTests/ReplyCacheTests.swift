import Deadlines
import NG
import Testing

@Suite("ng: requests that come again")
struct ReplyCacheTests {
    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

    @Test("The same cookie gets the same answer, is waited for while it is worked on, and is new when it is old")
    func again() {
        var cache = ReplyCache(capacity: 4, lifetime: .seconds(30))
        #expect(cache.begin([1], now: at(0)) == .new)
        #expect(cache.begin([1], now: at(1)) == .pending)
        cache.answer([1], [9])
        #expect(cache.begin([1], now: at(29)) == .answered([9]))
        #expect(cache.begin([1], now: at(30)) == .new)
    }

    @Test("It holds no more than its capacity: the oldest go first, and a late answer to one of them is nothing")
    func bounded() {
        var cache = ReplyCache(capacity: 3)
        for number in 0..<5_000 { #expect(cache.begin([UInt8(number & 255), UInt8(number >> 8)], now: at(0)) == .new) }
        #expect(cache.count == 3)
        cache.answer([0, 0], [1])
        #expect(cache.begin([0, 0], now: at(0)) == .new)
        #expect(cache.begin([135, 19], now: at(0)) == .pending)
    }
}
