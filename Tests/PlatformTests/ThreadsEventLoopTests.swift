import Deadlines
import Glibc
import Synchronization
import Testing
@testable import Threads

@Suite("Threads: the event loop")
struct EventLoopTests {
    private func withLoop<T: Sendable>(_ body: (EventLoop) async throws -> T) async rethrows -> T {
        let loop = EventLoop(name: "test")
        loop.start()
        defer { loop.stop() }
        return try await body(loop)
    }

    /// Runs `body` on the loop and waits for what it gives.
    private func ask<T: Sendable>(_ loop: EventLoop, _ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { answer in loop.post { answer.resume(returning: body()) } }
    }

    @Test("Letters are delivered in the order of posting, on the loop's thread")
    func lettersKeepTheirOrder() async {
        await withLoop { loop in
            let seen = Mutex<[Int]>([])
            for number in 0..<1000 {
                loop.post { seen.withLock { $0.append(loop.isCurrent ? number : -1) } }
            }
            _ = await ask(loop) { true }
            #expect(seen.withLock { $0 } == Array(0..<1000))
            #expect(!loop.isCurrent)
        }
    }

    @Test("Many letters that take their time let descriptors be read in between, and keep their order")
    func lettersShareTheLoop() async {
        await withLoop { loop in
            var ends: [Int32] = [0, 0]
            _ = pipe(&ends)
            let (reading, writing) = (ends[0], ends[1])
            let seen = Mutex<[Int]>([])
            loop.post {
                // Whatever is read here came while letters were waiting; a byte for the next turn each time.
                loop.watch(reading, .read) { _ in
                    var byte: UInt8 = 0
                    _ = read(reading, &byte, 1)
                    _ = write(writing, "x", 1)
                    seen.withLock { $0.append(-1) }
                }
                _ = write(writing, "x", 1)
                for number in 0..<20 {
                    loop.post {
                        usleep(2_000)
                        seen.withLock { $0.append(number) }
                    }
                }
            }
            _ = await ask(loop) { true }
            _ = await ask(loop) { loop.unwatch(reading) }
            let order = seen.withLock { $0 }
            #expect(order.filter { $0 >= 0 } == Array(0..<20))
            let between = order[(order.firstIndex(of: 0) ?? 0)..<(order.firstIndex(of: 19) ?? 0)].filter { $0 < 0 }
            #expect(between.count >= 19, "the descriptor had its turn after each of them: \(order)")
            for end in ends { close(end) }
        }
    }

    @Test("A reader of many is told the tag of what is ready, and each tag once before that")
    func reader() async {
        await withLoop { loop in
            let expected = Mutex<[UInt32]>([])
            let read = Mutex<[UInt32]>([])
            let pipes = (0..<5).map { _ in
                var ends: [Int32] = [0, 0]
                _ = pipe(&ends)
                _ = write(ends[1], "x", 1)
                return ends
            }
            let descriptors = pipes.map { $0[0] }
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                loop.post {
                    let reader = EventLoop.Reader(
                        expect: { tag in expected.withLock { $0.append(tag) } },
                        ready: { tag, readiness in
                            #expect(readiness.contains(.read))
                            loop.unwatch(descriptors[Int(tag) - 100])
                            read.withLock { $0.append(tag) }
                            if read.withLock({ $0.count }) == descriptors.count { done.resume() }
                        })
                    for (number, descriptor) in descriptors.enumerated() { loop.watch(descriptor, .read, reader, tag: UInt32(100 + number)) }
                }
            }
            #expect(read.withLock { $0.sorted() } == Array(100..<105))
            #expect(expected.withLock { $0 } == read.withLock { $0 })
            for end in pipes.joined() { close(end) }
        }
    }

    @Test("A number that is used again is watched again, though its last owner closed it without a word; retired, it is closed wherever that happens")
    func numbersUsedAgain() async {
        await withLoop { loop in
            let (first, second): (Int32, Int32) = await withCheckedContinuation { answer in
                loop.post {
                    var ends: [Int32] = [0, 0]
                    _ = pipe(&ends)
                    loop.watch(ends[0], .read) { _ in }
                    // Another pipe's end takes the number, as that of a connection does whose predecessor is gone.
                    var others: [Int32] = [0, 0]
                    _ = pipe(&others)
                    dup2(others[0], ends[0])
                    close(others[0])
                    loop.watch(ends[0], .read) { _ in
                        loop.unwatch(ends[0])
                        answer.resume(returning: (ends[0], others[1]))
                    }
                    _ = write(others[1], "x", 1)
                    close(ends[1])
                }
            }
            loop.retire(first)
            loop.retire(second)
            // The letters of both have been read.
            #expect(await ask(loop) { true })
        }
    }

    private final class Tally: Sendable {
        let sum = Atomic<Int>(0)
    }

    @Test("Letters from many threads all arrive")
    func lettersFromManyThreads() async {
        await withLoop { loop in
            let tally = Tally()
            await withDiscardingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask { for _ in 0..<2000 { loop.post { tally.sum.add(1, ordering: .relaxed) } } }
                }
            }
            _ = await ask(loop) { true }
            #expect(tally.sum.load(ordering: .relaxed) == 16_000)
        }
    }

    @Test("Timers fire in the order of their deadlines, never early, and not when cancelled")
    func timersFireInOrder() async {
        await withLoop { loop in
            let fired: [String] = await withCheckedContinuation { answer in
                loop.post {
                    let start = loop.now
                    let names = Mutex<[String]>([])
                    func note(_ name: String, after delay: Int) -> EventLoop.Timer {
                        let deadline = start + .milliseconds(delay)
                        return loop.schedule(at: deadline) {
                            names.withLock { $0.append(MonotonicClock.now() >= deadline ? name : "early \(name)") }
                        }
                    }
                    _ = note("third", after: 9)
                    _ = note("first", after: 2)
                    let cancelled = note("cancelled", after: 4)
                    _ = note("second", after: 6)
                    loop.cancel(cancelled)
                    loop.schedule(at: start + .milliseconds(15)) { answer.resume(returning: names.withLock { $0 }) }
                }
            }
            #expect(fired == ["first", "second", "third"])
        }
    }

    @Test("A timer that always schedules itself for now does not keep the loop from its letters")
    func greedyTimer() async {
        await withLoop { loop in
            let isDone = Mutex(false)
            @Sendable func again() {
                if !isDone.withLock({ $0 }) { loop.schedule(at: loop.now) { again() } }
            }
            loop.post { again() }
            #expect(await ask(loop) { true })
            isDone.withLock { $0 = true }
        }
    }

    @Test("A watched descriptor reports data, then the end of its peer")
    func watchedDescriptorReports() async throws {
        try await withLoop { loop in
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            let (reader, writer) = (ends[0], ends[1])
            let heard: [UInt8] = await withCheckedContinuation { answer in
                loop.post {
                    let bytes = Mutex<[UInt8]>([])
                    loop.watch(reader, .read) { readiness in
                        #expect(readiness.contains(.read))
                        var byte: UInt8 = 0
                        if read(reader, &byte, 1) == 1 { return bytes.withLock { $0.append(byte) } }
                        loop.unwatch(reader)
                        answer.resume(returning: bytes.withLock { $0 })
                    }
                    _ = write(writer, [UInt8(7), 8], 2)
                    close(writer)
                }
            }
            close(reader)
            #expect(heard == [7, 8])
        }
    }

    @Test("An event of a descriptor closed and opened again in the same turn does not reach the new owner")
    func reusedDescriptorIsNotConfused() async {
        await withLoop { loop in
            let surprises: Int = await withCheckedContinuation { answer in
                loop.post {
                    let wrong = Atomic<Int>(0)
                    var first: [Int32] = [0, 0]
                    var second: [Int32] = [0, 0]
                    guard pipe(&first) == 0, pipe(&second) == 0 else { return answer.resume(returning: -1) }
                    let pipes = (first, second)
                    // Whichever fires first replaces the other by a pipe with nothing in it, under the same number.
                    let replace: @Sendable (Int32, Int32) -> Void = { own, other in
                        loop.unwatch(own)
                        loop.unwatch(other)
                        var empty: [Int32] = [0, 0]
                        guard pipe(&empty) == 0 else { return }
                        dup2(empty[0], other)
                        loop.watch(other, .read) { _ in wrong.add(1, ordering: .relaxed) }
                    }
                    loop.watch(pipes.0[0], .read) { _ in replace(pipes.0[0], pipes.1[0]) }
                    loop.watch(pipes.1[0], .read) { _ in replace(pipes.1[0], pipes.0[0]) }
                    _ = write(pipes.0[1], [UInt8(1)], 1)
                    _ = write(pipes.1[1], [UInt8(1)], 1)
                    loop.schedule(at: loop.now + .milliseconds(20)) {
                        answer.resume(returning: wrong.load(ordering: .relaxed))
                    }
                }
            }
            #expect(surprises == 0)
        }
    }

    @Test("Hooks run once a turn, after the letters of that turn")
    func hooksRunAfterTheBatch() async {
        let loop = EventLoop(name: "hooks")
        let turns = Mutex<[Int]>([])
        let waiting = Atomic<Int>(0)
        loop.afterEachBatch {
            let count = waiting.exchange(0, ordering: .relaxed)
            if count > 0 { turns.withLock { $0.append(count) } }
        }
        for _ in 0..<50 { loop.post { waiting.add(1, ordering: .relaxed) } }
        loop.start()
        _ = await ask(loop) { true }
        loop.stop()
        #expect(turns.withLock { $0 } == [50])
    }

    @Test("Stopping runs what was posted before and returns when the thread has ended")
    func stopDeliversWhatWasPosted() {
        let loop = EventLoop(name: "stop")
        let done = Atomic<Int>(0)
        loop.start()
        for _ in 0..<100 { loop.post { done.add(1, ordering: .relaxed) } }
        loop.stop()
        #expect(done.load(ordering: .relaxed) == 100)
    }

    private actor Counter {
        let loop: EventLoop
        private var value = 0
        init(on loop: EventLoop) { self.loop = loop }
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
        func add() -> Bool {
            value += 1
            return loop.isCurrent
        }
        func total() -> Int { value }

        /// Arms a timer whose callback touches the actor's state without a hop.
        func addLater(after delay: Interval) {
            loop.schedule(at: loop.now + delay) { self.assumeIsolated { $0.value += 100 } }
        }
    }

    @Test("An actor lives on the loop, and callbacks of the loop may assume its isolation")
    func actorOnTheLoop() async throws {
        try await withLoop { loop in
            let counter = Counter(on: loop)
            for _ in 0..<10 { #expect(await counter.add()) }
            await counter.addLater(after: .milliseconds(1))
            try await Task.sleep(for: .milliseconds(50))
            #expect(await counter.total() == 110)
        }
    }
}
