import Contracts
import Deadlines
import Flow

/// How a leg comes to be talked through: media agreed, seat taken, 200 sent or received.
extension Leg {
    /// The leg can be heard and hears: what every action that makes or takes sound waits for.
    var isTalking: Bool { phase == .up && isSeated && media.isAgreed }

    /// Answers an inbound leg as soon as its seat is taken; an outbound one was answered by the phone.
    mutating func requestAnswer(at moment: Moment, into effects: inout [LegEffect]) {
        wantsAnswer = true
        answerIfPossible(at: moment, into: &effects)
    }

    mutating func answerIfPossible(at moment: Moment, into effects: inout [LegEffect]) {
        guard isInbound, wantsAnswer, awaitsAdmission != true, phase == .preparing || phase == .ringing, isSeated, mayAnswer else { return }
        phase = .up
        deadlines[.provisional] = nil
        effects.append(.respond(code: 200, body: finalDescription))
        sessionBegan(at: moment)
        answered(at: moment, into: &effects)
        if let place = takesPlaceOf {
            takesPlaceOf = nil
            arrived = Arrival(first: record.parentCallID ?? "", replaces: place, leaves: nil)
            effects.append(.tellParent(.placeTaken(of: place, by: record.id)))
        }
        if joins == true {
            joins = false
            effects.append(.tellParent(.joinedBy(record.id)))
        }
    }

    private mutating func answered(at moment: Moment, into effects: inout [LegEffect]) {
        guard record.answeredAt == nil else { return }
        record.status = .inProgress
        record.answeredAt = moment.time
        record.sipCode = 200
        publish("call.answered", into: &effects)
    }

    mutating func seatTaken(at moment: Moment, into effects: inout [LegEffect]) {
        answerIfPossible(at: moment, into: &effects)
        progressIfWanted(at: moment, into: &effects)
        outboundIsTalking(at: moment, into: &effects)
        screenedIsThere(into: &effects)
        listenAgain(into: &effects)
        moveStreams(into: &effects)
        metIfThere(into: &effects)
        proceed(at: moment, into: &effects)
    }

    /// For who goes on with a leg that sits: what followed from it may not have been done.
    mutating func seatTakenBefore(at moment: Moment, into effects: inout [LegEffect]) {
        answerIfPossible(at: moment, into: &effects)
        outboundIsTalking(at: moment, into: &effects)
        arrived(at: moment, into: &effects)
    }

    mutating func mediaUpdated(
        _ reply: UpdateMediaSession.Reply, _ kind: UpdateMediaSession.Kind, at moment: Moment, into effects: inout [LegEffect]
    ) {
        switch kind {
        case .answer:
            media.isAgreed = true
            outboundIsTalking(at: moment, into: &effects)
            proceed(at: moment, into: &effects)
        case .offer, .makeOffer:
            if kind == .makeOffer, refreshOffer(reply.description, into: &effects) { break }
            // Taken back meanwhile: the phone has its 487.
            guard media.isRenegotiating else { break }
            media.isRenegotiating = false
            earlyOfferTaken()
            media.description = reply.description ?? media.description
            effects.append(.respondToReinvite(code: 200, body: reply.description))
        }
    }

    /// Our callee answered and everything is in place: its parent may answer its own caller, or its flow may start.
    mutating func outboundIsTalking(at moment: Moment, into effects: inout [LegEffect]) {
        guard !isInbound, isTalking, record.answeredAt == nil else { return }
        answered(at: moment, into: &effects)
        if screening != nil { return screen(at: moment, into: &effects) }
        if record.parentCallID != nil { effects.append(.tellParent(.childAnswered(record.id))) }
        startRun(into: &effects)
        // One that began while it rang may wait for sound.
        proceed(at: moment, into: &effects)
    }

    /// The room every call has of its own.
    var ownRoomID: String { "room_" + record.id.drop(while: { $0 != "_" }).dropFirst() }
}
