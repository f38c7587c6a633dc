import Deadlines

/// The numbers of `CallCounts`, kept in step with what happens to legs.
extension CallEngine {
    /// Something has happened to the leg.
    func keepCount(of entry: Entry) {
        let isUp = entry.leg.phase == .up
        if isUp != entry.isCountedUp {
            entry.isCountedUp = isUp
            CallCounts.active.add(isUp ? 1 : -1)
        }
        guard entry.leg.isEnded, !entry.isEndCounted else { return }
        entry.isEndCounted = true
        CallCounts.ended(entry.leg.record)
    }

    /// The leg is not of this instance any more.
    func countNoMore(_ entry: Entry) {
        guard entry.isCountedUp else { return }
        entry.isCountedUp = false
        CallCounts.active.add(-1)
    }

    /// Our INVITE has gone out.
    func noteInvited(_ id: String) {
        guard let entry = legs[id], case .notInvited = entry.dialProgress else { return }
        entry.dialProgress = entry.former == nil ? .invited(loop.now) : .done
    }

    /// A phone has said that it rings.
    func noteRinging(_ id: String) {
        guard let entry = legs[id], case .invited(let began) = entry.dialProgress else { return }
        entry.dialProgress = .done
        CallCounts.postDialDelay.observe(nanoseconds: UInt64(max(0, (loop.now - began).nanoseconds)))
    }
}
