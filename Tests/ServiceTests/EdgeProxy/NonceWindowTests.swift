import Deadlines
import Testing

@testable import EdgeProxy

@Suite("EdgeProxy: nonce counts (RFC 7616 §5.12)")
struct NonceWindowTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("Each count is taken once, in any order within 64 of the highest, and never when older")
    func window() {
        var window = NonceWindow(capacity: 16)
        let steps: [(UInt32, NonceWindow.Verdict)] = [
            (0, .replayed), (1, .fresh), (1, .replayed), (3, .fresh), (2, .fresh), (2, .replayed), (70, .fresh), (7, .fresh),
            (7, .replayed), (6, .replayed), (69, .fresh), (5_000, .fresh), (70, .replayed), (4_999, .fresh), (4_937, .fresh),
            (4_936, .replayed), (UInt32.max, .fresh), (UInt32.max, .replayed), (5_000, .replayed),
        ]
        for (index, (count, verdict)) in steps.enumerated() {
            #expect(window.use(count, key: 42, message: UInt64(index), now: start) == verdict, "step \(index): nc \(count)")
        }
    }

    @Test("RFC 3261 §17.1: the same message again is no replay while its transaction lives; with the count of another it is")
    func retransmissions() {
        var window = NonceWindow(capacity: 16)
        #expect(window.use(1, key: 42, message: 100, now: start) == .fresh)
        #expect(window.use(1, key: 42, message: 100, now: start + .milliseconds(500)) == .retransmission)
        #expect(window.use(2, key: 42, message: 200, now: start + .seconds(1)) == .fresh)
        #expect(window.use(1, key: 42, message: 100, now: start + .seconds(31)) == .retransmission)
        #expect(window.use(1, key: 42, message: 200, now: start + .seconds(31)) == .replayed)
        #expect(window.use(1, key: 42, message: 100, now: start + .seconds(32)) == .replayed)
        #expect(window.use(2, key: 42, message: 200, now: start + .seconds(32)) == .retransmission)
    }

    @Test("Counts of one user's nonce say nothing about another's")
    func keys() {
        var window = NonceWindow(capacity: 64)
        for key in UInt64(1)...32 { #expect(window.use(1, key: key &* 0x9e37_79b9_7f4a_7c15, message: key, now: start) == .fresh) }
        #expect(window.use(1, key: 0x9e37_79b9_7f4a_7c15, message: 99, now: start) == .replayed)
    }

    @Test("The table never grows; the one used longest ago makes room")
    func bounded() {
        var window = NonceWindow(capacity: 4)
        #expect(window.capacity == 4)
        for key in UInt64(1)...4 { #expect(window.use(1, key: key, message: 0, now: start + .seconds(Int(key))) == .fresh) }
        #expect(window.use(2, key: 1, message: 1, now: start + .seconds(5)) == .fresh)
        #expect(window.use(1, key: 5, message: 0, now: start + .seconds(6)) == .fresh)
        #expect(window.use(1, key: 1, message: 9, now: start + .seconds(7)) == .replayed, "used lately, so still known")
        #expect(window.use(1, key: 2, message: 9, now: start + .seconds(8)) == .fresh, "made room for the fifth")
        #expect(window.capacity == 4)
    }
}
