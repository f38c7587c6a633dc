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

    private mutating func answerIfPossible(at moment: Moment, into effects: inout [LegEffect]) {
        guard isInbound, wantsAnswer, phase == .preparing || phase == .ringing, isSeated else { return }
        phase = .up
        effects.append(.respond(code: 200, body: media.description))
        answered(at: moment, into: &effects)
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
        outboundIsTalking(at: moment, into: &effects)
        proceed(at: moment, into: &effects)
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
            // Taken back meanwhile: the phone has its 487.
            guard media.isRenegotiating else { break }
            media.isRenegotiating = false
            media.description = reply.description ?? media.description
            effects.append(.respondToReinvite(code: 200, body: reply.description))
        }
    }

    /// Our callee answered and everything is in place: its parent may answer its own caller, or its flow may start.
    private mutating func outboundIsTalking(at moment: Moment, into effects: inout [LegEffect]) {
        guard !isInbound, isTalking, record.answeredAt == nil else { return }
        answered(at: moment, into: &effects)
        if record.parentCallID != nil { effects.append(.tellParent(.childAnswered(record.id))) }
        startRun(into: &effects)
    }

    mutating func seatFailed(_ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) {
        if seat.conferenceID != nil, phase == .up {
            // The conference could not be entered; the call itself goes on, alone in its own room.
            finish(.failed(error.problems.first?.code ?? error.code.rawValue), at: moment, into: &effects)
            return
        }
        guard phase != .up else {
            end(.failed, Status(code: 500, cause: 41), by: "platform", at: moment, into: &effects)
            return
        }
        refuse(Self.status(of: error), at: moment, into: &effects)
    }

    /// Sits down in another room; the media session is pointed there by the `link` that follows.
    mutating func move(roomID: String, instance: String, conferenceID: String?, into effects: inout [LegEffect]) {
        leaveSeat(into: &effects)
        seat = Seat(
            roomID: roomID, participantID: seat.participantID, instance: instance, stage: .joining, number: seat.number + 1,
            conferenceID: conferenceID)
        effects.append(.join(seat))
    }

    /// The room every call has of its own.
    var ownRoomID: String { "room_" + record.id.drop(while: { $0 != "_" }).dropFirst() }
}
