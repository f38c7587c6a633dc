import Contracts
import Deadlines

/// How a leg ends, whoever ends it.
extension Leg {
    /// Refuses an inbound leg that was not answered, or gives up an outbound one.
    mutating func refuse(_ status: Status, at moment: Moment, into effects: inout [LegEffect]) {
        end(Self.outcome(of: status.code), status, by: status.by ?? "platform", at: moment, into: &effects)
    }

    /// Ends the leg in every direction: the phone, the children or the parent, the room, the relay, the flow.
    mutating func end(
        _ outcome: Call.Status, _ status: Status, by: String, sayBye: Bool = true, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard phase != .ended else { return }
        stopAsking("call_ended", into: &effects)
        endTranscription(into: &effects)
        arrivalFailed(into: &effects)
        let before = phase
        phase = .ended
        record.status = outcome
        record.endedAt = moment.time
        (record.sipCode, record.hangupCause, record.hangupBy) = (status.code, status.cause, by)
        deadlines = [.farewell: moment.now + .seconds(5)]
        // A request that is pending when the dialog ends is answered all the same (RFC 3261 §15.1.2).
        if media.isRenegotiating { effects.append(.respondToReinvite(code: 487, body: nil)) }
        media.isRenegotiating = false
        if before == .up {
            if sayBye { effects.append(.bye) }
        } else if isInbound {
            precondition(status.code >= 300, "a call that was not answered is refused, never accepted")
            effects.append(.respond(code: status.code, body: nil))
        } else {
            cancelTargets(except: nil, into: &effects)
        }
        for child in children { effects.append(.tellChild(child, .parentGone(cause: status.cause))) }
        releaseChained(into: &effects)
        depart(into: &effects)
        if record.parentCallID != nil { effects.append(.tellParent(.childEnded(record.id, status.made(by: by), outcome))) }
        if let playID = performing?.playID, isSeated { effects.append(.stopPlay(playID: playID)) }
        leaveSeat(into: &effects)
        leavePeer(into: &effects)
        if let performing { close(performing.runID, performing.step, ended(at: moment), into: &effects) } else { tellClosing(into: &effects) }
        performing = nil
        endMove(into: &effects)
        switch media.stage {
        case .ready: deleteMedia(into: &effects)
        case .failed: sayFarewell(into: &effects)
        case .creating, .deleting, .gone: break
        }
    }

    mutating func parentGone(cause: Int, at moment: Moment, into effects: inout [LegEffect]) {
        // It is its parent no more, and has not heard so yet.
        guard departure == nil else { return }
        end(phase == .up ? .completed : .canceled, Status(code: phase == .up ? 200 : 487, cause: cause), by: "caller", at: moment, into: &effects)
    }

    mutating func deleteMedia(into effects: inout [LegEffect]) {
        media.stage = .deleting
        effects.append(.deleteMedia)
    }

    /// Gives the current seat up, whether it is taken or on the way.
    mutating func leaveSeat(into effects: inout [LegEffect]) {
        // Who was taken over may sit where nothing is written of it yet: where it was to be, or on its way back to its own room.
        if seat.stage == .linking || seat.stage == .linked || seat.stage == .none && epoch > 1 {
            effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
        }
        if epoch > 1, seat.roomID != ownRoomID {
            effects.append(.leave(roomID: ownRoomID, participantID: seat.participantID, instance: placement.mixer))
        }
        // A place that is on its way is left when it comes.
        if seat.stage != .joining { seat.stage = .none }
        leavePlaces(into: &effects)
    }
}
