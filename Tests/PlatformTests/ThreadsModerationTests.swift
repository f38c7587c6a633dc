import Deadlines
import Testing
import Threads

@Suite("Threads: moderation of wake-ups")
struct ThreadsModerationTests {
    private var moderation = WakeupModeration(interval: .microseconds(500), above: 4_000)
    private var now = Instant(nanoseconds: 1_000_000_000)

    /// Turns with one item each, so far apart; how many of them were told to wait.
    private mutating func turns(_ count: Int, every gap: Interval, items: Int = 1) -> Int {
        var waited = 0
        for _ in 0..<count {
            now = now + gap
            if let next = moderation.turned(items: items, began: now) {
                #expect(next == now + .microseconds(500))
                waited += 1
            }
        }
        return waited
    }

    @Test("below the rate nothing waits")
    mutating func calm() {
        #expect(turns(1_000, every: .milliseconds(1)) == 0)
        #expect(turns(1_000, every: .microseconds(300)) == 0)
    }

    @Test("above the rate turns are told to wait after one window, and no longer when it has passed")
    mutating func load() {
        _ = turns(200, every: .microseconds(100))
        #expect(turns(100, every: .microseconds(100)) == 100)
        // Told to wait, it sees five items at once: the same load.
        #expect(turns(100, every: .microseconds(500), items: 5) == 100)
        _ = turns(30, every: .milliseconds(1))
        #expect(turns(30, every: .milliseconds(1)) == 0)
    }

    @Test("while few come turns are further apart, in proportion, and at most twice as far")
    mutating func few() throws {
        moderation = WakeupModeration(interval: .microseconds(500), above: 2_000, filling: 10)
        func apart(_ items: Int, every gap: Interval) throws -> Interval {
            for _ in 0..<100 {
                now = now + gap
                _ = moderation.turned(items: items, began: now)
            }
            let next = moderation.turned(items: items, began: now)
            return try #require(next) - now
        }
        #expect(try apart(20, every: .microseconds(500)) == .microseconds(500))
        #expect(try apart(10, every: .microseconds(500)) == .microseconds(500))
        #expect(abs(try apart(8, every: .microseconds(500)).nanoseconds - 625_000) < 20_000)
        #expect(try apart(2, every: .microseconds(500)) == .milliseconds(1))
    }

    @Test("a turn without items is never told to wait, and an interval of zero turns it off")
    mutating func off() {
        _ = turns(200, every: .microseconds(100))
        #expect(turns(5, every: .microseconds(100), items: 0) == 0)
        moderation = WakeupModeration(interval: .zero, above: 4_000)
        #expect(turns(1_000, every: .microseconds(10)) == 0)
    }
}
