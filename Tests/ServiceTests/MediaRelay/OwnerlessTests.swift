import Deadlines
import Testing

@testable import MediaRelay

@Suite("MediaRelay: calls nobody owns")
struct OwnerlessTests {
    private let start = Instant(nanoseconds: 0)

    @Test("RELIABILITY §4.2: ten minutes without a lease at any look end the sessions; one look with a lease counts anew")
    func patience() {
        var ownerless = Ownerless()
        var ended: [Int] = []
        for second in stride(from: 0, through: 1300, by: 30) {
            // The second call finds a successor after nine minutes, and loses it again.
            let leased: Set<String> = second == 540 ? ["b", "c"] : ["c"]
            let gone = ownerless.look(at: ["a", "b", "c"], leased: leased, now: start + .seconds(second))
            if gone.contains("a"), ended.isEmpty { ended.append(second) }
            if gone.contains("b"), ended.count == 1 { ended.append(second) }
            #expect(!gone.contains("c"))
        }
        #expect(ended == [600, 1170])
    }

    @Test("A Redis that was away, and came back empty, ends no call")
    func redisAway() {
        var ownerless = Ownerless()
        _ = ownerless.look(at: ["a"], leased: [], now: start)
        ownerless.forgetAll()
        #expect(ownerless.look(at: ["a"], leased: [], now: start + .seconds(700)).isEmpty)
        #expect(ownerless.look(at: ["a"], leased: ["a"], now: start + .seconds(730)).isEmpty)
    }

    @Test("A call that ended meanwhile is forgotten")
    func forgotten() {
        var ownerless = Ownerless()
        _ = ownerless.look(at: ["a"], leased: [], now: start)
        _ = ownerless.look(at: [], leased: [], now: start + .seconds(30))
        #expect(ownerless.look(at: ["a"], leased: [], now: start + .seconds(660)).isEmpty)
    }
}
