import Bus
import Contracts
import Deadlines
import Logging
import Synchronization
import Telemetry
import Threads

/// Gives the orders of rooms to relays, and tells the rooms what came of them. Each command carries the epoch of its call, so that a room
/// that has lost its calls commands nothing.
final class LinkOrders: Sendable {
    private static let linked = Counter("tandem_room_links_total", "Pairs whose relays were linked straight.")
    private static let returned = Counter("tandem_room_links_ended_total", "Pairs that were brought back into the mixer.")
    private static let refused = Counter("tandem_room_links_refused_total", "Pairs that relays did not link.")
    private static let returning = Histogram("tandem_room_link_return_seconds", "From the need of the mixer to relays that speak to it.")

    private static let deadline = Interval.milliseconds(600)
    private static let pause = Duration.milliseconds(20)
    private static let attempts = 50

    private let bus: Bus
    private let logger: Logger
    private let loops = Mutex<MixerLoops?>(nil)

    init(bus: Bus, logger: Logger) { (self.bus, self.logger) = (bus, logger) }

    /// Given while the service is wired.
    func work(for loops: MixerLoops) { self.loops.withLock { $0 = loops } }

    func perform(_ order: LinkOrder) {
        guard let loop = loops.withLock({ $0 })?.loop(of: order.room) else { return }
        Task {
            let began = MonotonicClock.now()
            let result = await performed(order, loop.address.description)
            loop.post { $0.linked(order.room, number: order.number, result) }
            switch (order.isStraight, result) {
            case (true, .done): Self.linked.add()
            case (true, _): Self.refused.add()
            case (false, _):
                Self.returned.add()
                Self.returning.observe(nanoseconds: UInt64((MonotonicClock.now() - began).nanoseconds))
            }
        }
    }

    private func performed(_ order: LinkOrder, _ room: String) async -> LinkOrder.Result {
        await withTaskGroup(of: LinkOrder.Result.self) { group in
            for end in order.ends {
                group.addTask { await self.link(end, order, room) }
            }
            var result = order.ends.count == 2 || !order.isStraight ? LinkOrder.Result.done : .refused
            for await one in group where one != .done && result != .stale { result = one }
            return result
        }
    }

    /// Straight is tried once; back to the room is not given up while the session is there.
    private func link(_ end: LinkOrder.End, _ order: LinkOrder, _ room: String) async -> LinkOrder.Result {
        let inside =
            order.isStraight
            ? InsideEndpoint(address: end.other, ssrc: end.otherSSRC) : InsideEndpoint(address: room, ssrc: end.ssrc)
        let command = LinkMediaSession(
            sessionID: end.session, epoch: end.epoch, inside: inside, session: order.isStraight ? end.otherSession : nil,
            keys: order.isStraight ? true : nil)
        for attempt in 1...Self.attempts {
            let context = CallContext(customer: end.customerID, deadline: Self.deadline)
            do throws(RPCError) {
                _ = try await bus.call(command, to: .instance(end.relay), context: context)
                return .done
            } catch {
                if error.code == .fenced {
                    // Its call has a new owner, who will have said so in a moment.
                    try? await Task.sleep(for: Self.pause)
                    return .stale
                }
                guard !order.isStraight, error.code == .unavailable || error.code == .timeout, attempt < Self.attempts else {
                    if error.code != .notFound {
                        logger.warning("a relay was not linked: \(error)", metadata: ["room": "\(order.room)", "session": "\(end.session)"])
                    }
                    return .refused
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
        return .refused
    }
}
