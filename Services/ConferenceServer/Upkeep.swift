import Deadlines
import Logging
import ServiceKit

/// What goes on beside the commands for as long as the service runs: snapshots, leases, the announced load, seats nobody owns.
struct Upkeep: Sendable {
    private static let flushEvery = Duration.milliseconds(100)
    private static let renewEvery = Duration.seconds(1)
    /// Seats are looked at after so many looks at the fleet, one a second.
    private static let looksBetween = 10

    let wiring: Wiring
    /// Participants this instance takes before it calls itself full.
    let capacity: Int
    /// After which silence a seat's owner is looked for.
    let seatSilence: Interval

    /// Runs until its task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Nothing turns while nothing changes.
                for await _ in wiring.snapshots.changes {
                    announceLoad()
                    await wiring.snapshots.flush()
                    try? await Task.sleep(for: Self.flushEvery)
                }
            }
            group.addTask {
                var reaper = SeatReaper(wiring: wiring, silence: seatSilence)
                while !Task.isCancelled {
                    for _ in 0..<Self.looksBetween {
                        reaper.lookAtFleet()
                        try? await Task.sleep(for: .seconds(1))
                    }
                    await reaper.lookAtSeats()
                }
            }
            group.addTask {
                while !Task.isCancelled {
                    announceLoad()
                    await wiring.snapshots.renew()
                    try? await Task.sleep(for: Self.renewEvery)
                }
            }
        }
    }

    private func announceLoad() {
        let count = wiring.loops.seatCount
        MediaMetrics.participants.set(count)
        let load = min(1, Double(count) / Double(capacity))
        wiring.runtime.announce { $0.load = load }
    }
}
