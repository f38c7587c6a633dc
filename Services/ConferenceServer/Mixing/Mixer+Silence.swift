import Contracts
import Deadlines

/// A seat whose relay says nothing, and whose call that is.
struct SilentSeat: Sendable, Equatable {
    var roomID: String
    var customerID: String
    var participantID: String
    var callID: String
    /// The CallServer instance that took the seat.
    var owner: String
    /// Since the owner last asked for it.
    var age: Interval
    /// Tells this participant's time in the seat from any other.
    var ssrc: UInt32
}

// Seats whose call has died without leaving. A held phone is silent as well, so silence alone frees nothing: who owns the call
// is asked outside, and the answer comes back with `free`.
extension Mixer {
    /// The seats that have heard nothing for that long.
    func silentSeats(for silence: Interval) -> [SilentSeat] {
        rooms.flatMap { room in
            room.seats.filter { seats[$0].stream == nil && isSilent($0, for: silence) }.map { slot in
                let settings = seats[slot].settings
                return SilentSeat(
                    roomID: room.identity.id, customerID: room.identity.customerID, participantID: settings.participantID,
                    callID: settings.callID, owner: settings.owner,
                    age: MixerLoop.tick * Int(clamping: tickNumber &- seats[slot].ownedAt), ssrc: seats[slot].ssrc)
            }
        }
    }

    /// Vacates a seat that nobody owns; nil when it was left, taken over or heard meanwhile.
    mutating func free(_ seat: SilentSeat, after silence: Interval) -> Departure? {
        guard let slot = slot(of: seat.participantID, in: seat.roomID), seats[slot].ssrc == seat.ssrc,
            seats[slot].settings.owner == seat.owner, isSilent(slot, for: silence)
        else { return nil }
        return vacate(slot)
    }

    private func isSilent(_ slot: Int, for silence: Interval) -> Bool {
        tickNumber &- seats[slot].heardAt >= UInt64(max(0, silence.nanoseconds / MixerLoop.tick.nanoseconds))
    }
}
