internal import Synchronization
public import Threads

/// The event loops that phones share: a few threads carry hundreds of calls.
public enum PhoneLoops {
    private static let loops: [EventLoop] = (0..<2).map { number in
        let loop = EventLoop(name: "phones-\(number)")
        loop.start()
        return loop
    }
    private static let turn = Atomic<Int>(0)

    /// One of them, in turn.
    public static func next() -> EventLoop {
        loops[turn.wrappingAdd(1, ordering: .relaxed).oldValue % loops.count]
    }
}
