import Deadlines
import Glibc
import Synchronization
import Testing
import Threads

@Suite("Threads: the thread of a blocking client")
struct ConnectionThreadTests {
    @Test("Work runs in order on the thread; a stop runs what is queued and refuses the rest")
    func workRunsInOrder() {
        let thread = ConnectionThread(name: "client", capacity: 100)
        let seen = Mutex<[Int]>([])
        thread.start()
        for number in 0..<50 {
            #expect(thread.submit { seen.withLock { $0.append(thread.isCurrent ? number : -1) } })
        }
        thread.stop()
        #expect(seen.withLock { $0 } == Array(0..<50))
        #expect(!thread.submit {})
    }

    @Test("A full mailbox refuses, so that a dead server does not fill the memory")
    func fullMailboxRefuses() {
        let thread = ConnectionThread(name: "client", capacity: 3)
        #expect((0..<5).map { _ in thread.submit {} } == [true, true, true, false, false])
        #expect(thread.backlog == 3)
        thread.start()
        thread.stop()
        #expect(thread.backlog == 0)
    }

    @Test("Work runs where it is asked for only when nothing waits before it, the thread is not at work, and not within itself")
    func workRunsHere() async throws {
        let thread = ConnectionThread(name: "client", capacity: 10)
        let seen = Mutex<[String]>([])
        @Sendable func note(_ text: String) { seen.withLock { $0.append(text) } }
        #expect(!thread.runHere { note("before the start"); return true })
        thread.start()
        func runsHere(_ body: @Sendable () -> Bool) async throws -> Bool {
            for _ in 0..<400 {
                if thread.runHere(body) { return true }
                try await Task.sleep(for: .milliseconds(2))
            }
            return false
        }
        let isHere = try await runsHere {
            note("here")
            return !thread.runHere { note("within itself"); return true }
        }
        #expect(isHere)
        #expect(!thread.runHere { false }, "what cannot be done here is told")
        // The thread is held at work: nothing overtakes what waits behind it.
        let gate = Mutex(true)
        #expect(thread.submit { while gate.withLock({ $0 }) { usleep(1_000) } })
        #expect(thread.submit { note("submitted") })
        #expect(!thread.runHere { note("overtaking"); return true })
        gate.withLock { $0 = false }
        thread.stop()
        #expect(!thread.runHere { note("after the stop"); return true })
        #expect(seen.withLock { $0 } == ["here", "submitted"])
    }

    @Test("The client is attended at the start, after work, when its descriptor is ready, and when its pause is over")
    func clientIsAttended() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        let occasions = Mutex<[ConnectionThread.Occasion]>([])
        let thread = ConnectionThread(name: "client", capacity: 10)
        thread.start { occasion in
            occasions.withLock { $0.append(occasion) }
            if occasion == .ready {
                var byte: UInt8 = 0
                read(reader, &byte, 1)
                return .init(limit: .milliseconds(5))
            }
            return occasion == .timedOut ? .untilWork : .init(descriptor: reader)
        }
        func wait(until count: Int) async throws {
            for _ in 0..<400 where occasions.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(5)) }
        }
        try await wait(until: 1)
        #expect(thread.submit {})
        try await wait(until: 2)
        _ = write(writer, [UInt8(1)], 1)
        try await wait(until: 4)
        thread.stop()
        close(reader)
        close(writer)
        #expect(occasions.withLock { Array($0.prefix(4)) } == [.started, .worked, .ready, .timedOut])
    }
}
