import Contracts
import Deadlines
import Flow

/// A leg that supervises another call: it sits in that call's room, and its own flow waits until it comes back.
extension Leg {
    /// What a leg supervises, and how.
    struct Supervised: Codable, Sendable, Equatable {
        var place: CallPlace
        var supervision: Supervision
    }

    /// Why the leg cannot supervise; nil when it can.
    var objectionToSupervising: String? {
        guard isTalking || seat.supervises != nil, phase == .up else { return "the supervisor's call is not answered yet" }
        guard record.parentCallID == nil, performing?.action.kind.talksWithOthers != true, seat.conferenceID == nil else {
            return "the supervisor's call talks with others"
        }
        return nil
    }

    /// Goes to the other call's room, or changes how it supervises there.
    mutating func supervise(_ supervised: Supervised, at moment: Moment, into effects: inout [LegEffect]) {
        guard objectionToSupervising == nil else { return }
        let wasThere = seat.supervises?.place.roomID == supervised.place.roomID && seat.instance == supervised.place.instance
        if !wasThere {
            stopAsking("interrupted", into: &effects)
            interruptGather(into: &effects)
            if let playID = performing?.playID {
                performing?.playID = nil
                deadlines[.play] = nil
                heldOutcome = heldOutcome ?? .completed
                effects.append(.stopPlay(playID: playID))
            }
            setOut()
        }
        seat = Seat(
            roomID: supervised.place.roomID, participantID: seat.participantID, instance: supervised.place.instance, stage: .joining,
            number: seat.number + 1)
        seat.supervises = supervised
        effects.append(.join(seat))
        publish("call.supervision_changed", into: &effects)
    }

    /// Comes back to its own room and goes on with its flow.
    mutating func superviseNoMore(at moment: Moment, into effects: inout [LegEffect]) {
        guard seat.supervises != nil, phase == .up else { return }
        move(roomID: ownRoomID, instance: placement.mixer, conferenceID: nil, into: &effects)
        publish("call.supervision_ended", into: &effects)
        guard let outcome = heldOutcome else { return }
        heldOutcome = nil
        finish(outcome, at: moment, into: &effects)
    }

    /// Whether its own room gives it its echo back.
    var echoes: Bool {
        guard let performing, performing.isStarted, performing.action.kind.isEcho else { return false }
        return pendingOutcome == nil && heldOutcome == nil && seat.supervises == nil && seat.conferenceID == nil
    }

    /// Whether the flow waits with what became of its action.
    mutating func holds(_ outcome: Outcome) -> Bool {
        guard seat.supervises != nil, phase != .ended else { return false }
        heldOutcome = heldOutcome ?? outcome
        return true
    }
}
