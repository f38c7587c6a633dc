import Bus
import Cache
import Contracts
import Deadlines
import Logging
import ServiceKit
import Telemetry
import Threads

/// Frees seats whose call died without leaving: its CallServer was killed, or the leave was lost. Without it they would add up
/// until this instance calls itself full.
///
/// Only a seat that has heard nothing for a while is looked at, and only one that nobody owns is freed: a held phone is
/// silent, too.
struct SeatReaper: ~Copyable {
    private static let freed = Counter("tandem_room_seats_freed_total", "Seats freed because nobody owned their call any more.")

    let wiring: Wiring
    let silence: Interval
    private let snapshots: Snapshots
    private var calls = Ownerless()
    private var incarnations = Incarnations()

    init(wiring: Wiring, silence: Interval) {
        (self.wiring, self.silence) = (wiring, silence)
        snapshots = Snapshots(cache: wiring.runtime.cache)
    }

    /// Sees who is alive: once a second.
    mutating func lookAtFleet() {
        incarnations.look(wiring.runtime.fleet.living(.callServer), now: MonotonicClock.now())
    }

    /// Looks for owners, and frees what has none.
    mutating func lookAtSeats() async {
        let seats = await wiring.loops.silentSeats(for: silence)
        calls.keep(only: Set(seats.map(\.callID)))
        for seat in seats {
            let sight: Ownerless.Sight
            do throws(CacheError) {
                sight = try await look(at: seat)
            } catch {
                // Without Redis nobody can be seen to own anything.
                calls.forgetAll()
                return
            }
            guard calls.isGone(seat.callID, sight, now: MonotonicClock.now()) else { continue }
            guard let departure = await wiring.loops.loop(of: seat.roomID).free(seat, after: silence) else { continue }
            Self.freed.add()
            wiring.runtime.logger.warning(
                "a seat of a call that nobody owns is freed",
                metadata: ["room": "\(seat.roomID)", "call": "\(seat.callID)", "owner": "\(seat.owner)"])
            wiring.record(departure)
        }
    }

    private func look(at seat: SilentSeat) async throws(CacheError) -> Ownerless.Sight {
        if try await snapshots.owner(of: "call", seat.callID) != nil { return .owned }
        guard wiring.runtime.fleet.isAlive(.callServer, instance: seat.owner),
            !incarnations.hasRestarted(seat.owner, within: seat.age, now: MonotonicClock.now())
        else { return .abandoned }
        let question = GetCall(customerID: seat.customerID, id: seat.callID)
        do throws(RPCError) {
            let call = try await wiring.bus.call(question, context: CallContext(customer: seat.customerID))
            return call.status.isFinal ? .abandoned : .unclear
        } catch {
            // A call that just began has no record yet, and PostgreSQL may be away.
            return .unclear
        }
    }
}
