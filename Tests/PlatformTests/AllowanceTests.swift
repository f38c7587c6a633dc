import Cache
import Deadlines
import Testing

@Suite("Allowances: how many at once and how many a second, over all instances", .serialized, .timeLimit(.minutes(1)))
struct AllowanceTests {
    private func caches(_ count: Int) async throws -> [Cache] {
        var caches: [Cache] = []
        for _ in 0..<count {
            let cache = Cache(settings: try Servers.redis(), logger: Servers.silent)
            await cache.start()
            caches.append(cache)
        }
        return caches
    }

    @Test("of many that ask two instances at the same moment exactly so many are let in; released, one more is")
    func exact() async throws {
        let caches = try await caches(2)
        let name = Servers.unique("test:")
        let instances = caches.map { Allowances(cache: $0, name: name) }
        let bounds = [Allowances.Bound(key: "a", atOnce: 40, perSecond: nil), .init(key: "b", atOnce: 25, perSecond: nil)]
        let verdicts = try await withThrowingTaskGroup(of: (String, Allowances.Verdict).self) { group in
            for number in 0..<200 {
                group.addTask { ("m\(number)", try await instances[number % 2].admit("m\(number)", under: bounds)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let admitted = verdicts.filter { $0.value == .admitted }.map(\.key)
        #expect(admitted.count == 25)
        #expect(verdicts.values.filter { $0 == .full(1) }.count == 175, "by the second bound")
        #expect(try await instances[0].counts(["a", "b", "none"]) == [25, 25, 0], "who is refused counts nowhere")
        let one = try #require(admitted.first)
        #expect(try await instances[1].admit(one, under: bounds) == .admitted, "who is in is in, whoever asks")
        #expect(try await instances[1].counts(["b"]) == [25])
        instances[0].release(one, under: ["a", "b"])
        #expect(try await instances[0].admit("late", under: bounds) == .admitted)
        #expect(try await instances[0].admit("later", under: bounds) == .full(1))
        for cache in caches { cache.stop() }
    }

    @Test("within any second no more begin than may, and who is refused takes nobody's turn")
    func rate() async throws {
        let cache = try await caches(1)[0]
        let allowances = Allowances(cache: cache, name: Servers.unique("test:"))
        let bound = [Allowances.Bound(key: "r", atOnce: nil, perSecond: 5)]
        // Times are asked around each: a verdict falls between its two.
        var begun: [(after: ContinuousClock.Instant, before: ContinuousClock.Instant)] = []
        var refused = 0
        let end = ContinuousClock.now + .milliseconds(2500)
        var number = 0
        while ContinuousClock.now < end {
            number += 1
            let after = ContinuousClock.now
            let verdict = try await allowances.admit("m\(number)", under: bound)
            if verdict == .admitted { begun.append((after, ContinuousClock.now)) } else {
                #expect(verdict == .tooFast(0))
                refused += 1
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(refused > 0)
        #expect(begun.count >= 10, "as soon as a second has passed the next begin, however many were refused")
        for (first, sixth) in zip(begun, begun.dropFirst(5)) {
            #expect(sixth.before - first.after >= .milliseconds(999), "six within a second")
        }
        #expect(try await allowances.admit("n", under: [.init(key: "none", atOnce: nil, perSecond: 0)]) == .tooFast(0))
        cache.stop()
    }

    @Test("what nobody refreshes ends with its lease; what is refreshed goes on, and is counted again after a loss")
    func leases() async throws {
        let cache = try await caches(1)[0]
        let name = Servers.unique("test:")
        let allowances = Allowances(cache: cache, name: name, lease: .milliseconds(400))
        let bound = [Allowances.Bound(key: "l", atOnce: 2, perSecond: nil)]
        #expect(try await allowances.admit("dead", under: bound) == .admitted)
        #expect(try await allowances.admit("alive", under: bound) == .admitted)
        #expect(try await allowances.admit("third", under: bound) == .full(0))
        for _ in 0..<8 {
            allowances.refresh(["alive"], under: "l")
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try await allowances.counts(["l"]) == [1])
        #expect(try await allowances.admit("third", under: bound) == .admitted)
        try await cache.command(["DEL", CacheArgument("tandem:\(name):held:l")])
        allowances.refresh(["alive", "third", "fourth"], under: "l")
        #expect(try await allowances.counts(["l"]) == [3], "those that are there are there, even beyond the bound")
        #expect(try await allowances.admit("fifth", under: bound) == .full(0))
        cache.stop()
    }
}
