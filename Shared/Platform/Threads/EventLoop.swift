internal import CLinux
public import Deadlines
internal import Glibc
internal import Synchronization

/// One thread that waits for descriptors, timers and letters from other threads, and runs their callbacks one by one.
///
/// Whatever lives on a loop is touched by its thread only, so it needs no lock. `post` may be called from anywhere; all else
/// on the loop's thread, or before `start()`. A turn of the loop goes: ready descriptors, letters (a millisecond's worth: those left
/// over wait for the next turn), due timers, then the `afterEachBatch` hooks, where batches of outgoing packets are flushed. The loop is also a `SerialExecutor`: an actor can
/// live on it, and callbacks on the loop may use that actor's `assumeIsolated`.
public final class EventLoop: @unchecked Sendable {
    // Sendable: `mailbox` and `state` are made for many threads; the rest belongs to the loop's thread (`requireLoop`).

    /// One scheduled piece of work; still valid, but without effect, once it ran or was cancelled.
    public struct Timer: Hashable, Sendable {
        fileprivate let ticket: DeadlineQueue<Work>.Ticket
    }

    /// A closure that generic containers leave as it is: by itself it would be wrapped anew, on the heap, each time it is looked at.
    fileprivate struct Work {
        let run: () -> Void
    }

    enum Letter: Sendable {
        case work(@Sendable () -> Void)
        case job(UnownedJob)
    }

    /// Who reads thousands of descriptors of one kind, each of which has a tag.
    ///
    /// What lies between the calls for two tags has left the processor's cache long ago; a call that has to wait for its memory, line by
    /// line, takes a fifth longer. So the next tag is announced one call before.
    public final class Reader {
        fileprivate let expect: (UInt32) -> Void
        fileprivate let ready: (UInt32, Readiness) -> Void

        /// `expect` asks for memory (`Prefetch`) and changes nothing; what it announces may not come.
        public init(expect: @escaping (UInt32) -> Void = { _ in }, ready: @escaping (UInt32, Readiness) -> Void) {
            (self.expect, self.ready) = (expect, ready)
        }
    }

    /// Plain memory: to look at it counts no references.
    @safe private struct Watch {
        let token: UInt64
        let tag: UInt32
        /// One of `readers`; nil: its closure is in `closures`.
        let reader: Unmanaged<Reader>?
    }

    /// How long the letters of one turn may take.
    private static let letterTime = Interval.milliseconds(1)

    private enum State {
        static let idle: UInt = 0
        static let stopped: UInt = 1
    }

    public let name: String
    let mailbox = Mailbox<Letter>()
    private let processor: Int?
    private let priority: Int
    private let epoll: Int32
    /// `idle`, then the identity of the running thread, then `stopped`.
    private let owner = Atomic<UInt>(State.idle)
    private let thread = Mutex<Thread?>(nil)
    private let mustStop = Atomic<Bool>(false)

    private var watches: [Watch?] = []
    /// By descriptor, of those that have no reader.
    private var closures: [((Readiness) -> Void)?] = []
    /// Kept for as long as the loop.
    private var readers: [Reader] = []
    private var nextGeneration: UInt64 = 1
    private var timers = DeadlineQueue<Work>()
    private var hooks: [Work] = []
    private var cachedNow: Instant?
    private var moderation: WakeupModeration?
    private var items = 0
    /// Taken from the mailbox, and those before `nextLetter` are read.
    private var letters: [Letter] = []
    private var nextLetter = 0
    private var isBehind = false

    public init(name: String, processor: Int? = nil, priority: Int = 0) {
        (self.name, self.processor, self.priority) = (name, processor, priority)
        epoll = tandem_epoll_create()
        precondition(epoll >= 0, "no descriptor left for an event loop: raise the limit of open files (ulimit -n)")
        let added = tandem_epoll_add(epoll, mailbox.descriptor, Interest.read.events, 0)
        precondition(added == 0, "an eventfd can always be watched")
    }

    deinit { close(epoll) }

    // MARK: Any thread

    public func start() {
        thread.withLock { thread in
            precondition(thread == nil && !mustStop.load(ordering: .relaxed), "a loop is started once")
            thread = Thread(name: name, processor: processor, priority: priority) { self.run() }
        }
    }

    /// Runs the letters that have arrived, ends the thread and waits for it (on the loop itself: only asks).
    ///
    /// What is posted later is dropped, so nothing may live on the loop any more.
    public func stop() {
        mustStop.store(true, ordering: .releasing)
        mailbox.wake()
        guard !isCurrent else { return }
        let ended = thread.withLock { $0.take() }
        if let ended { ended.join() }
    }

    /// Whether the caller runs on this loop's thread.
    public var isCurrent: Bool { owner.load(ordering: .relaxed) == Thread.current }

    /// Runs `work` on the loop, after everything posted before.
    public func post(_ work: @escaping @Sendable () -> Void) { mailbox.put(.work(work)) }

    // MARK: Loop thread only

    /// The monotonic time of this turn: read once per wake-up.
    public var now: Instant {
        requireLoop()
        return cachedNow ?? MonotonicClock.now()
    }

    /// Calls `ready` whenever the descriptor is ready, until `unwatch`. Unwatch before closing the descriptor.
    public func watch(_ descriptor: Int32, _ interest: Interest, _ ready: @escaping (Readiness) -> Void) {
        unsafe watch(descriptor, interest, nil, tag: 0)
        closures[Int(descriptor)] = ready
    }

    /// The same, by a reader of many.
    public func watch(_ descriptor: Int32, _ interest: Interest, _ reader: Reader, tag: UInt32) {
        if !readers.contains(where: { $0 === reader }) { readers.append(reader) }
        unsafe watch(descriptor, interest, Unmanaged.passUnretained(reader), tag: tag)
    }

    private func watch(_ descriptor: Int32, _ interest: Interest, _ reader: Unmanaged<Reader>?, tag: UInt32) {
        requireLoop()
        let slot = Int(descriptor)
        while watches.count <= slot {
            watches.append(nil)
            closures.append(nil)
        }
        // What was watched under this number and closed without a word is over: the system has forgotten it. One that is still open
        // is refused below.
        closures[slot] = nil
        // The generation tells an event of this watch from one, read in the same batch, of an earlier owner of the number.
        let token = nextGeneration << 32 | UInt64(slot)
        nextGeneration = (nextGeneration + 1) & 0xffff_ffff
        if nextGeneration == 0 { nextGeneration = 1 }
        unsafe watches[slot] = Watch(token: token, tag: tag, reader: reader)
        let added = tandem_epoll_add(epoll, descriptor, interest.events, token)
        precondition(added == 0, "descriptor \(descriptor) cannot be watched: it is closed, watched already, or a plain file")
    }

    /// Changes what an already watched descriptor is watched for; an empty interest pauses it.
    public func change(_ descriptor: Int32, _ interest: Interest) {
        requireLoop()
        guard let watch = watches[Int(descriptor)] else { preconditionFailure("only a watched descriptor is changed") }
        let changed = tandem_epoll_change(epoll, descriptor, interest.events, watch.token)
        precondition(changed == 0, "a watched descriptor stays open until unwatched")
    }

    public func unwatch(_ descriptor: Int32) {
        requireLoop()
        let slot = Int(descriptor)
        guard slot < watches.count, watches[slot] != nil else { return }
        watches[slot] = nil
        closures[slot] = nil
        _ = tandem_epoll_remove(epoll, descriptor)
    }

    /// Runs `work` once, at `deadline` or as soon after as the loop is free.
    @discardableResult
    public func schedule(at deadline: Instant, _ work: @escaping () -> Void) -> Timer {
        requireLoop()
        return Timer(ticket: timers.insert(Work(run: work), at: deadline))
    }

    public func cancel(_ timer: Timer) {
        requireLoop()
        timers.cancel(timer.ticket)
    }

    /// Runs `hook` at the end of every turn, before the loop sleeps: the place to flush what callbacks have collected.
    public func afterEachBatch(_ hook: @escaping () -> Void) {
        requireLoop()
        hooks.append(Work(run: hook))
    }

    /// Turns are moderated from now on, by the items that callbacks report.
    public func moderate(_ moderation: WakeupModeration) {
        requireLoop()
        self.moderation = moderation
    }

    /// There is more to read than this turn has time for: the next one begins at once.
    public func fallBehind() { isBehind = true }

    /// So many items were handled in this turn.
    public func handled(_ items: Int) { self.items &+= items }

    /// Ends the watch of a descriptor, if there is one, and closes it, wherever its owner goes.
    public func retire(_ descriptor: Int32) {
        let owner = owner.load(ordering: .relaxed)
        if owner == Thread.current || owner == State.idle {
            unwatch(descriptor)
            close(descriptor)
        } else if owner == State.stopped {
            close(descriptor)
        } else {
            post { [self] in retire(descriptor) }
        }
    }

    private func requireLoop() {
        let owner = owner.load(ordering: .relaxed)
        precondition(owner == Thread.current || owner == State.idle, "loop \(name) is used from a thread not its own")
    }

    // MARK: The turn

    private func run() {
        owner.store(Thread.current, ordering: .relaxed)
        var events = [tandem_event](repeating: tandem_event(), count: 256)
        while !mustStop.load(ordering: .acquiring) {
            let ready = wait(for: &events)
            cachedNow = MonotonicClock.now()
            // There may be more of them.
            isBehind = ready == events.count
            if ready > 0 { announce(events[0]) }
            for index in 0..<ready {
                if index + 1 < ready { announce(events[index + 1]) }
                dispatch(events[index])
            }
            deliver(within: Self.letterTime)
            fireTimers()
            for hook in hooks { hook.run() }
            pause()
            cachedNow = nil
        }
        while mailbox.count > 0 || nextLetter < letters.count { deliver(within: .seconds(1)) }
        mailbox.close()
        for hook in hooks { hook.run() }
        // Callbacks often hold the loop that holds them; ending the thread is where that circle is cut.
        watches.removeAll()
        closures.removeAll()
        readers.removeAll()
        timers = DeadlineQueue()
        hooks.removeAll()
        owner.store(State.stopped, ordering: .relaxed)
    }

    /// Under load, until the next turn should begin; a timer that is due before ends it.
    private func pause() {
        defer { (items, isBehind) = (0, false) }
        guard let next = moderation?.turned(items: items, began: now), !isBehind else { return }
        let end = min(next, timers.nextDeadline() ?? next)
        if end > MonotonicClock.now() { tandem_sleep_until(end.nanoseconds) }
    }

    private func wait(for events: inout [tandem_event]) -> Int {
        var nanoseconds: Int64 = -1
        if let deadline = timers.nextDeadline() {
            nanoseconds = max(0, (deadline - MonotonicClock.now()).nanoseconds)
        }
        if nextLetter < letters.count || !mailbox.prepareToSleep() { nanoseconds = 0 }
        let count = unsafe tandem_epoll_wait(epoll, &events, Int32(events.count), nanoseconds)
        precondition(count >= 0, "epoll fails only for a closed descriptor, and this one is ours")
        return Int(count)
    }

    /// Work scheduled by this turn's timers waits for the next turn, however soon it is due: the loop always gets round.
    private func fireTimers() {
        for _ in 0..<timers.count {
            guard let work = timers.popDue(now: now) else { return }
            work.run()
        }
    }

    private func dispatch(_ event: tandem_event) {
        if event.token == 0 { return mailbox.clearWake() }
        let slot = Int(event.token & 0xffff_ffff)
        guard let watch = watches[slot], watch.token == event.token else { return }
        let readiness = Readiness(events: event.events)
        if let reader = unsafe watch.reader {
            // It lives as long as the loop does.
            unsafe reader._withUnsafeGuaranteedRef { $0.ready(watch.tag, readiness) }
        } else {
            closures[slot]?(readiness)
        }
    }

    private func announce(_ event: tandem_event) {
        let slot = Int(event.token & 0xffff_ffff)
        guard slot < watches.count, let watch = watches[slot], let reader = unsafe watch.reader else { return }
        unsafe reader._withUnsafeGuaranteedRef { $0.expect(watch.tag) }
    }

    /// A hundred commands at once must not keep packets waiting for as long as all of them take.
    private func deliver(within time: Interval) {
        if nextLetter == letters.count {
            nextLetter = 0
            mailbox.take(into: &letters)
        }
        guard !letters.isEmpty else { return }
        let end = MonotonicClock.now() + time
        while nextLetter < letters.count {
            let letter = letters[nextLetter]
            nextLetter += 1
            switch letter {
            case .work(let work): work()
            case .job(let job): unsafe job.runSynchronously(on: asUnownedSerialExecutor())
            }
            if nextLetter < letters.count, MonotonicClock.now() >= end { return isBehind = true }
        }
        letters.removeAll(keepingCapacity: true)
        nextLetter = 0
    }
}
