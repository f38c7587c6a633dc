public import Deadlines
internal import Glibc
internal import Synchronization

/// A thread of its own for a blocking C client: a bounded mailbox of work, and between work a look at the client's descriptor.
///
/// The client's handle is touched by this thread, or by one that has its turn (`runHere`). After every batch of work, when the descriptor it waits for is
/// ready, and when its pause is over, `attend` is called: it reads what the client has (or connects anew) and answers what
/// to wait for next. So work can append to a pipeline, and `attend` reads all replies.
public final class ConnectionThread: @unchecked Sendable {
    // Sendable: `mailbox`, `thread` and `owner` are made for many threads; `attend` is run by the thread alone.

    /// What to wait for besides new work.
    public struct Pause: Sendable {
        public var descriptor: Int32?
        public var interest: Interest
        public var limit: Interval?

        /// Until work arrives, `descriptor` is ready or `limit` has passed; without a limit, for as long as it takes.
        public init(descriptor: Int32? = nil, interest: Interest = .read, limit: Interval? = nil) {
            (self.descriptor, self.interest, self.limit) = (descriptor, interest, limit)
        }

        public static let untilWork = Pause()
    }

    /// Why `attend` is called; several reasons at once are reported as the first that holds.
    public enum Occasion: Sendable { case started, ready, worked, timedOut }

    public let name: String
    private let mailbox: Mailbox<@Sendable () -> Void>
    private let thread = Mutex<Thread?>(nil)
    private let owner = Atomic<UInt>(0)
    private let mustStop = Atomic<Bool>(false)
    /// Held by whoever touches the client.
    private let turn = Mutex<Void>(())
    /// Who runs work in the thread's stead; nobody: 0.
    private let guest = Atomic<UInt>(0)

    /// At most `capacity` pieces of work wait; more are refused, so that a dead server does not fill the memory.
    public init(name: String, capacity: Int) {
        self.name = name
        mailbox = Mailbox(capacity: capacity)
    }

    public func start(attend: @escaping @Sendable (Occasion) -> Pause = { _ in .untilWork }) {
        thread.withLock { thread in
            precondition(thread == nil && !mustStop.load(ordering: .relaxed), "a thread is started once")
            thread = Thread(name: name, processor: nil) { self.run(attend) }
        }
    }

    /// Queues work, to be run in order; false when the queue is full or the thread is stopping: the work will not run.
    public func submit(_ work: @escaping @Sendable () -> Void) -> Bool { mailbox.put(work) }

    /// Runs the work on the calling thread when nothing waits before it and the thread does nothing meanwhile, which saves waking it up: that
    /// takes longer than most work. False when it is not so, or when the work says that it could not be done here: then it is to be submitted.
    /// The work must not block.
    public func runHere(_ work: () -> Bool) -> Bool {
        let current = Thread.current
        let host = owner.load(ordering: .relaxed)
        guard host != 0, host != current, guest.load(ordering: .relaxed) != current else { return false }
        return turn.withLockIfAvailable { _ in
            guard mailbox.isEmpty, !mustStop.load(ordering: .acquiring) else { return false }
            guest.store(current, ordering: .relaxed)
            defer { guest.store(0, ordering: .relaxed) }
            return work()
        } ?? false
    }

    /// Refuses new work, runs what is queued, ends the thread and waits for it (on the thread itself: only asks).
    public func stop() {
        mustStop.store(true, ordering: .releasing)
        mailbox.close()
        guard !isCurrent else { return }
        let ended = thread.withLock { $0.take() }
        if let ended { ended.join() }
    }

    public var isCurrent: Bool { owner.load(ordering: .relaxed) == Thread.current }

    /// How much work waits: for a gauge, or to answer "busy" early.
    public var backlog: Int { mailbox.count }

    private func run(_ attend: @Sendable (Occasion) -> Pause) {
        owner.store(Thread.current, ordering: .relaxed)
        var queue: [@Sendable () -> Void] = []
        var pause = turn.withLock { _ in attend(.started) }
        while !mustStop.load(ordering: .acquiring) {
            let isReady = wait(pause)
            pause = turn.withLock { _ in
                let hasWorked = runQueued(&queue)
                return attend(isReady ? .ready : hasWorked ? .worked : .timedOut)
            }
        }
        turn.withLock { _ in while runQueued(&queue) { _ = attend(.worked) } }
        owner.store(0, ordering: .relaxed)
    }

    private func runQueued(_ queue: inout [@Sendable () -> Void]) -> Bool {
        mailbox.take(into: &queue)
        for work in queue { work() }
        defer { queue.removeAll(keepingCapacity: true) }
        return !queue.isEmpty
    }

    /// Whether the client's descriptor is ready.
    private func wait(_ pause: Pause) -> Bool {
        var milliseconds = pause.limit.map { Int32(clamping: ($0.nanoseconds + 999_999) / 1_000_000) } ?? -1
        if !mailbox.prepareToSleep() { milliseconds = 0 }
        var events: Int32 = 0
        if pause.interest.contains(.read) { events |= POLLIN }
        if pause.interest.contains(.write) { events |= POLLOUT }
        // poll ignores negative descriptors: that is how "none" is said.
        var polled = [
            pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: pause.descriptor ?? -1, events: Int16(events), revents: 0),
        ]
        guard unsafe poll(&polled, 2, milliseconds) > 0 else { return false }
        if polled[0].revents != 0 { mailbox.clearWake() }
        return polled[1].revents != 0
    }
}
