public import Synchronization
public import Threads

/// The event loops that phones share: a few threads carry hundreds of calls.
public enum PhoneLoops {
    private static let loops: [EventLoop] = (0..<2).map { number in
        let loop = EventLoop(name: "phones-\(number)", priority: priority.load(ordering: .relaxed))
        // Hundreds of phones would wake a processor for each packet of each of them; who measures others leaves it to them.
        loop.moderate(WakeupModeration(interval: .milliseconds(1), above: 2_000))
        loop.start()
        return loop
    }
    /// A phone has a processor of its own: for what measures others, real-time threads, where they are allowed. Set before the first phone.
    public static let priority = Atomic<Int>(0)
    private static let turn = Atomic<Int>(0)

    /// One of them, in turn.
    public static func next() -> EventLoop {
        loops[turn.wrappingAdd(1, ordering: .relaxed).oldValue % loops.count]
    }
}
