@testable import Cache
import Deadlines
import Foundation
import Suite
import Testing

@Suite("The cache", .serialized, .timeLimit(.minutes(1)))
struct CacheTests {
    private func cache(_ settings: Cache.Settings? = nil) async throws -> Cache {
        let cache = Cache(settings: try settings ?? Servers.redis(), logger: Servers.silent)
        await cache.start()
        return cache
    }

    @Test("values come back as they were given, and end")
    func values() async throws {
        let cache = try await cache()
        let key = Servers.unique("test:")
        #expect(try await cache.get(key) == nil)
        try await cache.set(key, [0, 13, 10, 255], ttl: .seconds(600))
        #expect(try await cache.get(key) == [0, 13, 10, 255])
        try await cache.set(key, [1], ttl: .milliseconds(200))
        while try await cache.get(key) != nil { try await Task.sleep(for: .milliseconds(50)) }
        #expect(try await cache.command(["HSET", CacheArgument(key), "a", "1", "b", ""]) == .integer(2))
        #expect(try await cache.command(["HMGET", CacheArgument(key), "a", "b", "c"]).array == [.bytes([49]), .bytes([]), .null])
        await #expect(throws: CacheError.self) { try await cache.command(["GET", CacheArgument(key)]) }
        #expect(try await cache.delete(key))
        cache.stop()
    }

    @Test("many commands at once are one pipeline, each with its own reply")
    func pipelining() async throws {
        let cache = try await cache()
        let prefix = Servers.unique("test:")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2_000 {
                group.addTask {
                    try await cache.set("\(prefix)\(number)", Array("\(number)".utf8), ttl: .seconds(5))
                    #expect(try await cache.command(["GET", CacheArgument("\(prefix)\(number)")]).integer == Int64(number))
                }
            }
            try await group.waitForAll()
        }
        cache.stop()
    }

    @Test("a script is taught once, and again when Redis has forgotten it")
    func scripts() async throws {
        let cache = try await cache()
        let script = LuaScript("return {KEYS[1], ARGV[1], \(Int.random(in: 0...1_000_000))}")
        for _ in 0..<3 {
            #expect(try await cache.script(script, keys: ["k"], arguments: ["a"]).array?.first == .bytes([107]))
        }
        try await cache.command(["SCRIPT", "FLUSH"])
        #expect(try await cache.script(script, keys: ["k"], arguments: ["a"]).array?.count == 3)
        await #expect(throws: CacheError.self) { try await cache.script(LuaScript("return nonsense("), keys: [], arguments: []) }
        cache.stop()
    }

    @Test("without Redis commands fail at once; after its return all works, and owners are told")
    func loss() async throws {
        var settings = try Servers.redis()
        let line = try CuttableLine(to: settings.port)
        settings.port = line.port
        let cache = Cache(settings: settings, logger: Servers.silent)
        let returns = Collected<Int>()
        cache.onReconnect { returns.add(1) }
        await cache.start()
        line.cut()
        #expect(await eventually { !cache.isReady })
        let began = ContinuousClock.now
        await #expect(throws: CacheError.self) { try await cache.get("key") }
        #expect(ContinuousClock.now - began < .milliseconds(100))
        line.restore()
        #expect(await eventually { cache.isReady })
        #expect(try await cache.get(Servers.unique("test:")) == nil)
        #expect(returns.all.count == 2)
        cache.stop()
    }
}

/// RELIABILITY §4.2: one owner, raised epochs, late writes refused.
@Suite("Snapshots and leases", .serialized, .timeLimit(.minutes(1)))
struct CacheSnapshotTests {
    @Test("an owner keeps its lease, a second is refused, a take-over raises the epoch and fences the first")
    func takeOver() async throws {
        let cache = Cache(settings: try Servers.redis(), logger: Servers.silent)
        await cache.start()
        let snapshots = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60))
        let (kind, id) = (Servers.unique("test-"), "call_1")
        #expect(try await snapshots.acquire(kind, id, owner: "a") == .acquired(.init(epoch: 1, state: nil)))
        #expect(try await snapshots.save(kind, id, owner: "a", epoch: 1, [1, 2]) == .done)
        #expect(try await snapshots.acquire(kind, id, owner: "b") == .owned(by: "a", epoch: 1))
        #expect(try await snapshots.orphans(of: kind) == [])
        #expect(try await snapshots.acquire(kind, id, owner: "b", takingOver: true) == .acquired(.init(epoch: 2, state: [1, 2])))
        #expect(try await snapshots.owner(of: kind, id) == "b")

        // The first owner wakes up and does not know yet.
        #expect(try await snapshots.save(kind, id, owner: "a", epoch: 1, [9]) == .lost)
        #expect(try await snapshots.renew(kind, owner: "a", [(id, 1)]) == [id])
        #expect(try await snapshots.release(kind, id, epoch: 1) == .lost)
        #expect(try await snapshots.load(kind, id) == [1, 2])

        #expect(try await snapshots.renew(kind, owner: "b", [(id, 2)]) == [])
        #expect(try await snapshots.yield(kind, id, epoch: 2) == .done)
        #expect(try await snapshots.orphans(of: kind) == [id])
        #expect(try await snapshots.acquire(kind, id, owner: "c") == .acquired(.init(epoch: 3, state: [1, 2])))
        #expect(try await snapshots.release(kind, id, epoch: 3) == .done)
        #expect(try await snapshots.ids(of: kind) == [])
        #expect(try await snapshots.load(kind, id) == nil)
        // What has ended stays ended.
        #expect(try await snapshots.save(kind, id, owner: "c", epoch: 3, [4]) == .lost)
        cache.stop()
    }

    @Test("what a dead owner had goes to one of those that try; a living owner's, also one without a lease, to none; what has ended to nobody")
    func succession() async throws {
        let cache = Cache(settings: try Servers.redis(), logger: Servers.silent)
        await cache.start()
        let snapshots = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60))
        let (kind, id) = (Servers.unique("test-"), "call_1")
        let nothing = try await snapshots.succeed(kind, id, owner: "b", former: "a")
        #expect(nothing.acquisition == nil && !nothing.isOver)
        #expect(try await snapshots.ids(of: kind) == [], "asking leaves nothing behind")
        #expect(try await snapshots.save(kind, id, owner: "a", epoch: 1, [1]) == .done)
        #expect(try await snapshots.orphans(of: kind, from: "x").isEmpty)
        #expect(try await snapshots.orphans(of: kind, from: "a").map(\.state) == [[1]])
        #expect(try await snapshots.succeed(kind, id, owner: "b", former: nil).acquisition == .owned(by: "a", epoch: 1))
        #expect(try await snapshots.succeed(kind, id, owner: "b", former: "a").acquisition == .acquired(.init(epoch: 2, state: [1])))
        #expect(try await snapshots.succeed(kind, id, owner: "c", former: "a").acquisition == .owned(by: "b", epoch: 2))
        #expect(try await snapshots.succeed(kind, id, owner: "b", former: nil).acquisition == .acquired(.init(epoch: 3, state: [1])), "a former life")
        // Its lease ends; it may be alive all the same.
        try await cache.command(["DEL", CacheArgument("tandem:\(kind):lease:\(id)")])
        #expect(try await snapshots.succeed(kind, id, owner: "c", former: nil).acquisition == .owned(by: "b", epoch: 3))
        #expect(try await snapshots.orphans(of: kind, from: "x").map(\.owner) == ["b"])
        #expect(try await snapshots.succeed(kind, id, owner: "c", former: "b").acquisition == .acquired(.init(epoch: 4, state: [1])))
        #expect(try await snapshots.yield(kind, id, epoch: 4) == .done)
        #expect(try await snapshots.succeed(kind, id, owner: "d", former: nil).acquisition == .acquired(.init(epoch: 5, state: [1])))
        snapshots.name(kind, ["here", "there"], as: "root leg")
        #expect(try await snapshots.find(kind, named: "there") == "root leg")
        #expect(try await snapshots.release(kind, id, epoch: 5) == .done)
        let over = try await snapshots.succeed(kind, id, owner: "e", former: "d")
        #expect(over.acquisition == nil && over.isOver)
        try await snapshots.forget(kind, names: ["here", "there"])
        #expect(try await snapshots.find(kind, named: "here") == nil)
        cache.stop()
    }

    @Test("of two processes of one name the later has what there is: it takes from the earlier, which takes and writes nothing more")
    func lives() async throws {
        let cache = Cache(settings: try Servers.redis(), logger: Servers.silent)
        await cache.start()
        let (kind, id) = (Servers.unique("test-"), "call_1")
        let first = try await Snapshots.newLife(of: "a", kind, time: 1_000, in: cache)
        // The clock was set back meanwhile.
        let second = try await Snapshots.newLife(of: "a", kind, time: 10, in: cache)
        #expect(first == 1_000 && second > first)
        let early = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60), life: first)
        let late = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60), life: second)
        #expect(try await early.save(kind, id, owner: "a", epoch: 1, [1]) == .done)
        #expect(try await late.save(kind, id, owner: "a", epoch: 1, [2]) == .lost, "an epoch is one process's")
        #expect(try await late.renew(kind, owner: "a", [(id, 1)]) == [id])
        #expect(try await late.succeed(kind, id, owner: "a", former: nil).acquisition == .acquired(.init(epoch: 2, state: [1])))

        // It is alive all the same, and looks for what it had.
        #expect(try await early.succeed(kind, id, owner: "a", former: nil).acquisition == .owned(by: "a", epoch: 2))
        #expect(try await early.succeed(kind, id, owner: "a", former: "a").acquisition == .owned(by: "a", epoch: 2))
        #expect(try await early.acquire(kind, id, owner: "a") == .owned(by: "a", epoch: 2))
        #expect(try await early.save(kind, id, owner: "a", epoch: 1, [3]) == .lost)
        #expect(try await early.save(kind, id, owner: "a", epoch: 2, [3]) == .lost)
        #expect(try await early.renew(kind, owner: "a", [(id, 1)]) == [id])
        #expect(try await early.renew(kind, owner: "a", [(id, 2)]) == [id])
        #expect(try await early.release(kind, id, epoch: 1) == .lost)
        #expect(try await late.save(kind, id, owner: "a", epoch: 2, [4]) == .done)
        // Also when its lease has ended.
        try await cache.command(["DEL", CacheArgument("tandem:\(kind):lease:\(id)")])
        #expect(try await early.succeed(kind, id, owner: "a", former: nil).acquisition == .owned(by: "a", epoch: 2))
        // Of another name that has died anybody may have it, whatever their lives.
        let other = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60), life: 1)
        #expect(try await other.succeed(kind, id, owner: "b", former: "a").acquisition == .acquired(.init(epoch: 3, state: [4])))
        #expect(try await late.save(kind, id, owner: "a", epoch: 2, [5]) == .lost)
        #expect(try await other.release(kind, id, epoch: 3) == .done)
        cache.stop()
    }

    @Test("a lease ends by itself; a Redis that came back empty learns epoch and state from the living owner")
    func forgetting() async throws {
        let cache = Cache(settings: try Servers.redis(), logger: Servers.silent)
        await cache.start()
        let snapshots = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60))
        let (kind, id) = (Servers.unique("test-"), "room")
        #expect(try await snapshots.save(kind, id, owner: "a", epoch: 7, [1]) == .done)
        #expect(try await snapshots.acquire(kind, id, owner: "b") == .owned(by: "a", epoch: 7))
        try await cache.delete("tandem:\(kind):lease:\(id)")
        try await cache.delete("tandem:\(kind):state:\(id)")
        #expect(try await snapshots.renew(kind, owner: "a", [(id, 7)]) == [])
        #expect(try await snapshots.owner(of: kind, id) == "a")
        try await cache.delete("tandem:\(kind):lease:\(id)")
        let brief = Snapshots(cache: cache, leaseLength: .milliseconds(50))
        #expect(try await brief.acquire(kind, id, owner: "b", seen: 7) == .acquired(.init(epoch: 8, state: nil)))
        while try await snapshots.owner(of: kind, id) != nil { try await Task.sleep(for: .milliseconds(20)) }
        _ = try await snapshots.release(kind, id, epoch: 8)
        cache.stop()
    }

    @Test("leases are renewed in batches")
    func batches() async throws {
        let cache = Cache(settings: try Servers.redis(), logger: Servers.silent)
        await cache.start()
        let snapshots = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60))
        let kind = Servers.unique("test-")
        let claims = (0..<450).map { (id: "c\($0)", epoch: UInt64(1)) }
        for claim in claims { _ = try await snapshots.save(kind, claim.id, owner: "a", epoch: 1, [0]) }
        _ = try await snapshots.acquire(kind, "c440", owner: "b", takingOver: true)
        #expect(try await snapshots.renew(kind, owner: "a", claims) == ["c440"])
        let lost = try await snapshots.release(kind, claims)
        #expect(lost == ["c440"], "and released in batches")
        #expect(try await snapshots.ids(of: kind) == ["c440"])
        #expect(try await snapshots.save(kind, "c7", owner: "a", epoch: 1, [1]) == .lost, "what has ended stays ended")
        #expect(try await snapshots.release(kind, "c440", epoch: 2) == .done)
        cache.stop()
    }

    @Test("states are written in batches: what is new is taken with it, what is ours goes on, what is another's is left alone")
    func writing() async throws {
        let cache = Cache(settings: try Servers.redis(), logger: Servers.silent)
        await cache.start()
        let snapshots = Snapshots(cache: cache, leaseLength: .seconds(60), stateLength: .seconds(60))
        let kind = Servers.unique("test-")
        _ = try await snapshots.acquire(kind, "theirs", owner: "b")
        _ = try await snapshots.acquire(kind, "taken", owner: "a")
        _ = try await snapshots.acquire(kind, "taken", owner: "b", takingOver: true)
        #expect(try await snapshots.save(kind, "ours", owner: "a", epoch: 4, [4]) == .done)
        #expect(try await snapshots.save(kind, "ended", owner: "a", epoch: 2, [0]) == .done)
        #expect(try await snapshots.release(kind, "ended", epoch: 2) == .done)
        func writing(_ id: String, _ epoch: UInt64?) -> Snapshots.Writing { .init(id: id, epoch: epoch, state: Array(id.utf8)) }
        let some = [writing("new", nil), writing("theirs", nil), writing("taken", 1), writing("ours", 4), writing("ended", nil), writing("forgotten", 9)]
        #expect(try await snapshots.write(kind, owner: "a", some) == [1, nil, nil, 4, 4, 9])
        for id in ["new", "ours", "ended", "forgotten"] {
            #expect(try await snapshots.load(kind, id) == Array(id.utf8))
            #expect(try await snapshots.owner(of: kind, id) == "a")
        }
        #expect(try await snapshots.load(kind, "theirs") == nil)
        #expect(try await snapshots.owner(of: kind, "taken") == "b")

        let many = (0..<120).map { writing("n\($0)", nil) }
        #expect(try await snapshots.write(kind, owner: "a", many) == Array(repeating: 1, count: 120))
        #expect(try await snapshots.write(kind, owner: "a", []) == [])
        let claims = many.map { (id: $0.id, epoch: UInt64(1)) } + [("new", 1), ("ours", 4), ("ended", 4), ("forgotten", 9)]
        #expect(try await snapshots.release(kind, claims) == [])
        #expect(Set(try await snapshots.ids(of: kind)) == ["theirs", "taken"])
        #expect(try await snapshots.release(kind, [("theirs", 1), ("taken", 2)]) == [])
        cache.stop()
    }
}
