import Contracts
import Deadlines
import Flow

/// Going from one room to another: the new place is taken first, then the relay speaks to it, and only then is the old one left, so that
/// the phone is heard and hears all the while, and knows nothing of it.
extension Leg {
    /// A seat that is to be left.
    struct Place: Codable, Sendable, Equatable {
        var roomID: String
        var instance: String
        var inside: InsideEndpoint?
        var conferenceID: String?
    }

    private static let retakingPause = Interval.milliseconds(250)
    private static let retakings = 40

    /// Sits down in another room; the media session is pointed there by the `link` that follows.
    mutating func move(roomID: String, instance: String, conferenceID: String?, isRequested: Bool = false, into effects: inout [LegEffect]) {
        setOut()
        seat = Seat(
            roomID: roomID, participantID: seat.participantID, instance: instance, stage: .joining, number: seat.number + 1,
            conferenceID: conferenceID)
        if isRequested { seat.isRequested = true }
        effects.append(.join(seat))
    }

    /// The place is left when the next one is taken.
    mutating func setOut() {
        guard seat.stage == .linking || seat.stage == .linked else { return }
        leaving = (leaving ?? []) + [Place(roomID: seat.roomID, instance: seat.instance, inside: seat.inside, conferenceID: seat.conferenceID)]
    }

    /// Somebody asks for it over the API. A prompt ends, what else the flow does goes on there.
    mutating func moveRequested(
        roomID: String, instance: String, conferenceID: String?, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard phase == .up, isSeated, roomID != seat.roomID || conferenceID != nil else { return }
        switch performing?.action.kind {
        case .talk, .play, .playTone, .beep: if performing?.playID != nil { finish(.completed, at: moment, into: &effects) }
        case .gather:
            if let playID = performing?.playID {
                performing?.playID = nil
                effects.append(.stopPlay(playID: playID))
                _ = gatherPromptEnded(at: moment, into: &effects)
            }
        default:
            if let playID = performing?.playID {
                performing?.playID = nil
                effects.append(.stopPlay(playID: playID))
            }
        }
        move(roomID: roomID, instance: instance, conferenceID: conferenceID, isRequested: true, into: &effects)
    }

    /// The relay has taken the place along with the session, or has not: then it is asked for now.
    mutating func takeFirstSeat(_ asked: Seat?, _ place: CreateMediaSession.Place?, at moment: Moment, into effects: inout [LegEffect]) {
        guard let asked, let place, asked == seat else {
            if let asked, let place, asked.roomID != seat.roomID || asked.instance != seat.instance {
                // It is to sit elsewhere by now.
                effects.append(.leave(roomID: asked.roomID, participantID: asked.participantID, instance: place.instance ?? asked.instance))
            }
            seat.stage = .joining
            effects.append(.join(seat))
            return
        }
        (seat.instance, seat.stage, seat.inside) = (place.instance ?? seat.instance, .linking, place.inside)
        if record.roomID != seat.roomID { record.roomID = seat.roomID }
        linked(seat.number, at: moment, into: &effects)
    }

    /// A relay that did not answer in time may have taken the place.
    func leaveFirstSeat(after error: RPCError, into effects: inout [LegEffect]) {
        guard error.code == .timeout || error.code == .unavailable, seat.stage == .none, seat.conferenceID == nil else { return }
        effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
    }

    mutating func joined(
        _ number: Int, roomID: String, instance: String, _ inside: InsideEndpoint, into effects: inout [LegEffect]
    ) {
        guard seat.number == number, seat.stage == .joining else {
            // Another place was taken meanwhile.
            guard roomID != seat.roomID || instance != seat.instance else { return }
            effects.append(.leave(roomID: roomID, participantID: seat.participantID, instance: instance))
            return
        }
        (seat.roomID, seat.instance, seat.stage, seat.inside) = (roomID, instance, .linking, inside)
        (seat.attempts, deadlines[.seat]) = (nil, nil)
        if record.roomID != roomID { record.roomID = roomID }
        effects.append(.link(inside, seat: number))
        pointLateSeat(into: &effects)
    }

    mutating func linked(_ number: Int, at moment: Moment, into effects: inout [LegEffect]) {
        guard seat.number == number, seat.stage == .linking else { return }
        seat.stage = .linked
        leavePlaces(into: &effects)
        depart(into: &effects)
        arrived(at: moment, into: &effects)
        if seat.resumes != nil {
            seat.resumes = nil
            playAgain(into: &effects)
        }
        hushInSeat(into: &effects)
        if hidesKeys == true { effects.append(.hideKeys(true)) }
        askAgain(into: &effects)
        if seat.isRequested == true {
            seat.isRequested = nil
            publish("call.moved", into: &effects)
        }
        seatTaken(at: moment, into: &effects)
        // Its record says where it is, whoever has moved it.
        if phase == .up, record.roomID != toldRoom { publish("call.moved", into: &effects) }
    }

    /// Those it has come from; never the one it is in.
    mutating func leavePlaces(into effects: inout [LegEffect]) {
        for place in leaving ?? [] where place.roomID != seat.roomID || place.instance != seat.instance {
            effects.append(.leave(roomID: place.roomID, participantID: seat.participantID, instance: place.instance))
        }
        leaving = nil
    }

    mutating func joinFailed(_ number: Int, _ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) {
        guard seat.number == number, seat.stage == .joining else { return }
        if takesAgain(after: error, at: moment) { return }
        // Nobody knows whether a command that timed out was performed.
        if error.code == .timeout, seat.conferenceID == nil, !isLeaving(seat.roomID, seat.instance) {
            effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
        }
        seat.stage = .none
        seatFailed(error, at: moment, into: &effects)
    }

    private func isLeaving(_ roomID: String, _ instance: String) -> Bool {
        leaving?.contains { $0.roomID == roomID && $0.instance == instance } == true
    }

    mutating func seatFailed(_ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) {
        if seat.supervises != nil, phase == .up {
            // Who was to be supervised has gone meanwhile.
            superviseNoMore(at: moment, into: &effects)
            return
        }
        depart(into: &effects)
        let (conference, isRequested) = (seat.conferenceID, seat.isRequested == true)
        let isBack = phase == .up && returnToPlace(into: &effects)
        arrivalFailed(into: &effects)
        if isRequested, isBack {
            publish("call.move_failed", into: &effects)
            return
        }
        if conference != nil, phase == .up {
            // The conference could not be entered; the call itself goes on, in the room it has.
            finish(.failed(error.problems.first?.code ?? error.code.rawValue), at: moment, into: &effects)
            return
        }
        guard phase != .up else {
            if isBack { return }
            end(.failed, Status(code: 500, cause: 41), by: "platform", at: moment, into: &effects)
            return
        }
        refuse(Self.status(of: error), at: moment, into: &effects)
    }

    /// It has not left yet; false when there is nowhere to return to.
    private mutating func returnToPlace(into effects: inout [LegEffect]) -> Bool {
        guard let place = leaving?.popLast(), let inside = place.inside else { return false }
        if seat.stage == .linking {
            effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
        }
        seat = Seat(
            roomID: place.roomID, participantID: seat.participantID, instance: place.instance, stage: .linking, number: seat.number + 1,
            inside: inside, conferenceID: place.conferenceID)
        record.roomID = place.roomID
        effects.append(.link(inside, seat: seat.number))
        return true
    }

    // MARK: Instances that are gone

    /// The instance that had its room is gone, or has lost it: another goes on with the room.
    mutating func seatLost(at instance: String, successor: String, into effects: inout [LegEffect]) {
        leaving?.removeAll { $0.instance == instance }
        if placement.mixer == instance { placement.mixer = successor }
        guard seat.instance == instance, seat.stage != .none else { return }
        // Who was only on the way there has nothing to go on with.
        let wasThere = seat.stage != .joining || seat.resumes != nil
        seat.instance = successor
        seat.number += 1
        (seat.stage, seat.inside, seat.attempts) = (.joining, nil, nil)
        if wasThere { seat.resumes = instance }
        effects.append(.join(seat))
    }

    /// A place that was lost is asked for until somebody has it; true when it will be.
    private mutating func takesAgain(after error: RPCError, at moment: Moment) -> Bool {
        let attempts = seat.attempts ?? 0
        guard seat.resumes != nil, [.unavailable, .timeout, .exhausted, .conflict].contains(error.code), attempts < Self.retakings else { return false }
        seat.attempts = attempts + 1
        deadlines[.seat] = moment.now + Self.retakingPause
        return true
    }

    mutating func takeSeatAgain(into effects: inout [LegEffect]) {
        guard seat.stage == .joining, seat.resumes != nil else { return }
        seat.number += 1
        effects.append(.join(seat))
    }

    /// What is heard there is asked for again: a room that has gone on with it does nothing.
    mutating func playAgain(into effects: inout [LegEffect]) {
        guard let current = performing, let playID = current.playID else { return }
        switch current.action.kind {
        case .dial(let option): effects.append(.play(playID: playID, option.sources, loop: true, stopOnDigit: false))
        case .hold(let option): effects.append(.play(playID: playID, Self.music(option), loop: true, stopOnDigit: false))
        case .connect: effects.append(.play(playID: playID, [.ringback], loop: true, stopOnDigit: false))
        case .gather:
            guard let sources = promptOfGather() else { return }
            effects.append(.play(playID: playID, sources, loop: false, stopOnDigit: false))
        default:
            guard let prompt = Self.prompt(of: current.action.kind) else { return }
            let loop = if case .playTone(let option) = current.action.kind { option.tone != nil && option.duration != nil } else { false }
            effects.append(.play(playID: playID, prompt.sources, loop: loop, stopOnDigit: prompt.stopsOnDigit))
        }
    }
}
