import Bus
import Contracts
import Deadlines
import Logging
import ServiceKit
import Threads

/// The end of a relay that was told to stop: it says whom it waits for, and asks the owners of its sessions to move them to other relays,
/// a few at a time, again and again until none is left.
struct HandOver: Sendable {
    struct Session: Sendable {
        let id: String
        let callID: String
        let owner: String
    }

    private static let look = Duration.milliseconds(100)
    private static let announcement = Interval.seconds(5)
    /// Between two rounds of asking: a move takes a round trip to the phone.
    private static let again = Interval.seconds(5)
    private static let shown = 20

    let relay: Relay
    let runtime: Runtime
    /// Seconds before the first is asked; negative: nobody is.
    let pause: Int
    /// Asked in a second.
    let rate: Int

    /// Returns when no session is left.
    func run() async {
        relay.occupancy.close()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await tell() }
            if pause >= 0 { group.addTask { await ask() } }
            while relay.occupancy.count > 0, (try? await Task.sleep(for: Self.look)) != nil {}
            group.cancelAll()
        }
        runtime.health.wait(for: [])
    }

    /// Log and admin port name the sessions that are left.
    private func tell() async {
        var toldAt: Instant?
        while !Task.isCancelled {
            let sessions = await sessions()
            runtime.health.wait(for: sessions.map { "\($0.id) of \($0.callID)" })
            let now = MonotonicClock.now()
            if !sessions.isEmpty, toldAt.map({ now - $0 >= Self.announcement }) ?? true {
                toldAt = now
                let names = sessions.prefix(Self.shown).map { "\($0.id) of \($0.callID)" }.joined(separator: ", ")
                runtime.logger.notice(
                    "waiting for \(sessions.count) media sessions: \(names)\(sessions.count > Self.shown ? ", ..." : "")")
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private func ask() async {
        try? await Task.sleep(for: .seconds(pause))
        while !Task.isCancelled {
            let begun = MonotonicClock.now()
            for session in await sessions().shuffled() {
                guard !Task.isCancelled else { return }
                runtime.bus.tell(
                    MoveCallMedia(callID: session.callID, sessionID: session.id, relay: runtime.instance), to: .instance(session.owner))
                // Spread by half to either side, so that several relays that stop together do not ask in step.
                try? await Task.sleep(for: .nanoseconds(Int64.random(in: 500_000_000...1_500_000_000) / Int64(max(1, rate))))
            }
            let rest = Self.again + Interval(nanoseconds: -(MonotonicClock.now() - begun).nanoseconds)
            try? await Task.sleep(for: .nanoseconds(max(100_000_000, rest.nanoseconds)))
        }
    }

    private func sessions() async -> [Session] {
        var sessions: [Session] = []
        for loop in relay.loops { sessions += await loop.sessions() }
        return sessions
    }
}

extension MediaLoop {
    func sessions() -> [HandOver.Session] {
        (0..<legs.end).compactMap { legs[place: $0] }.map { HandOver.Session(id: $0.id, callID: $0.callID, owner: $0.owner) }
    }
}
