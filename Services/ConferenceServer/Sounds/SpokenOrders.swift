import Synchronization

/// Brings what conferences want to say to where sounds are made.
final class SpokenOrders: Sendable {
    private struct Places: Sendable {
        let loops: MixerLoops
        let rendering: Rendering
    }

    private let places = Mutex<Places?>(nil)

    /// Given while the service is wired.
    func work(for loops: MixerLoops, _ rendering: Rendering) {
        places.withLock { $0 = Places(loops: loops, rendering: rendering) }
    }

    /// Any thread; never waits.
    func perform(_ order: SpokenOrder) {
        guard let places = places.withLock({ $0 }) else { return }
        let job = Rendering.Job(room: order.room, customer: order.customer, playID: "", sources: [], spoken: order)
        guard !places.rendering.submit(job) else { return }
        // Too much is being prepared: a tone will do.
        places.loops.loop(of: order.room).post { $0.spoken(order, nil) }
    }
}
