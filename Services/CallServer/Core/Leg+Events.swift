import Contracts
import Deadlines
import Flow

extension Leg {
    /// Applies one event completely and returns what is to be done, in order.
    mutating func apply(_ event: LegEvent, at moment: Moment) -> [LegEffect] {
        var effects: [LegEffect] = []
        revision += 1
        if phase == .ended {
            applyAfterEnd(event, into: &effects)
            return effects
        }
        switch event {
        case .invited(let offer, let number):
            publish("call.created", into: &effects)
            deadlines[.duration] = moment.now + limits.duration
            effects.append(.createMedia(offer: offer))
            media.isAgreed = offer != nil
            media.awaitsAnswerInAck = offer == nil
            effects.append(.resolve(number: number))
        case .canceled:
            end(.canceled, Status(code: 487, cause: 16), by: "caller", at: moment, into: &effects)
        case .rang(let branch):
            rang(branch, at: moment, into: &effects)
        case .accepted(let branch, let answer):
            accepted(branch, answer: answer, at: moment, into: &effects)
        case .refused(let branch, let code):
            refused(branch, code: code, at: moment, into: &effects)
        case .byed:
            // A BYE within an early dialog gives the call up, as a CANCEL does (RFC 3261 §15).
            let status = phase == .up ? Status(code: 200, cause: 16) : Status(code: 487, cause: 16)
            end(
                phase == .up ? .completed : .canceled, status, by: isInbound ? "caller" : "callee", sayBye: false, at: moment,
                into: &effects)
        case .reinvited(let offer):
            guard phase == .up, !media.isRenegotiating, moves?.move?.stage != .offering else { return [.respondToReinvite(code: 491, body: nil)] }
            media.isRenegotiating = true
            media.awaitsAnswerInAck = offer == nil
            effects.append(.updateMedia(offer == nil ? .makeOffer : .offer, remote: offer ?? "", profile: nil))
        case .reinviteCanceled:
            media.isRenegotiating = false
            media.awaitsAnswerInAck = false
        case .answeredInAck(let answer):
            guard media.awaitsAnswerInAck else { break }
            media.awaitsAnswerInAck = false
            effects.append(.updateMedia(.answer, remote: answer, profile: nil))
        case .dialogLost:
            end(phase == .up ? .completed : .failed, Status(code: 408, cause: 102), by: "platform", at: moment, into: &effects)
        case .resolved(let flowID, let actions):
            program = Program(flowID: flowID, actions: flowID == nil ? actions : nil)
            startRun(into: &effects)
        case .unresolved(let error):
            refuse(error.code == .notFound ? Status(code: 404, cause: 1) : Status(code: 503, cause: 41), at: moment, into: &effects)
        case .found(let bindings):
            dial?.isSearched = true
            dial?.targets = bindings.map { Target(contact: $0.contact, route: $0.path, instanceID: $0.instanceID) }
            guard !bindings.isEmpty else {
                refuse(Status(code: 480, cause: 20), at: moment, into: &effects)
                break
            }
            ringTargets(at: moment, into: &effects)
        case .notFound(let error):
            refuse(error.code == .notFound ? Status(code: 404, cause: 1) : Status(code: 503, cause: 41), at: moment, into: &effects)
        case .mediaCreated(let reply):
            media.stage = .ready
            (media.description, media.inside) = (reply.description, reply.inside)
            seat.stage = .joining
            effects.append(.join(seat))
            ringTargets(at: moment, into: &effects)
        case .mediaOffered(let description, let profile):
            if profile == .browser { media.browserOffer = description } else { (media.description, media.family) = (description, .ipv6) }
            ringTargets(at: moment, into: &effects)
        case .mediaOfferFailed(let error):
            guard let phones = dial?.targets.filter({ !$0.isBrowser }), !phones.isEmpty else {
                refuse(Self.status(of: error), at: moment, into: &effects)
                break
            }
            // What could not be offered is not asked for again.
            media.family = media.family ?? .ipv4
            // The phones ring at least.
            dial?.targets = phones
            media.family = media.family ?? .ipv4
            ringTargets(at: moment, into: &effects)
        case .mediaFailed(let error):
            media.stage = .failed
            refuse(Self.status(of: error), at: moment, into: &effects)
        case .mediaRefused(let error, let offer, let other):
            // A second relay is asked and no third: then it is not the relays.
            guard media.refusedBy == nil else {
                media.stage = .failed
                refuse(Self.status(of: error), at: moment, into: &effects)
                break
            }
            (media.refusedBy, placement.relay) = (placement.relay, other)
            effects.append(.createMedia(offer: offer))
        case .mediaUpdated(let reply, let kind):
            mediaUpdated(reply, kind, at: moment, into: &effects)
        case .mediaUpdateFailed(let error, let kind):
            if kind == .answer, !isInbound || !media.isAgreed || moves != nil {
                end(.failed, Status(code: 488, cause: 88), by: "platform", at: moment, into: &effects)
            } else if kind != .answer {
                media.isRenegotiating = false
                media.awaitsAnswerInAck = false
                effects.append(.respondToReinvite(code: error.code == .notAcceptable ? 488 : 500, body: nil))
            }
        case .mediaDeleted:
            break
        case .moveWanted(let relay): if relay != placement.relay { moveWanted(to: relay, at: moment, into: &effects) }
        case .sessionLost(let relay): moveWanted(to: relay, at: moment, into: &effects)
        case .createdElsewhere(let session, let reply): createdElsewhere(session, reply, at: moment, into: &effects)
        case .creationElsewhereFailed(let session): creationElsewhereFailed(session, into: &effects)
        case .moveAccepted(let session, let answer): moveAccepted(session, answer: answer, at: moment, into: &effects)
        case .moveRefused(let session, let code, let wait): moveRefused(session, code: code, wait: wait, at: moment, into: &effects)
        case .sessionLeft(let statistics): sessionLeft(statistics)
        case .joined(let number, let roomID, let instance, let inside):
            joined(number, roomID: roomID, instance: instance, inside, into: &effects)
        case .joinFailed(let number, let error):
            joinFailed(number, error, at: moment, into: &effects)
        case .linkFailed(let number, let error):
            guard seat.number == number else { break }
            seatFailed(error, at: moment, into: &effects)
        case .linked(let number):
            linked(number, at: moment, into: &effects)
        case .seatLost(let instance, let successor): seatLost(at: instance, successor: successor, into: &effects)
        case .moveRequested(let roomID, let instance, let conferenceID):
            moveRequested(roomID: roomID, instance: instance, conferenceID: conferenceID, at: moment, into: &effects)
        case .step(let step):
            accept(step, at: moment, into: &effects)
        case .stepFailed(let error):
            stepFailed(error, at: moment, into: &effects)
        case .digit(let digit):
            pressed(digit, at: moment, into: &effects)
        case .digitPastRoom(let digit):
            pressed(digit, at: moment, into: &effects)
            interruptPrompt(at: moment, into: &effects)
        case .keyInMessage(let digit, let duration):
            guard media.stage == .ready else { break }
            effects.append(.pressKey(digit, duration: duration))
        case .heard(let watchID, let finding):
            heard(finding, by: watchID, at: moment, into: &effects)
        case .listenWanted(let watch):
            listen(for: watch, into: &effects)
        case .transcriptionWanted(let transcription):
            transcribe(transcription, at: moment, into: &effects)
        case .listenFailed(let watchID, let error):
            listenFailed(watchID, error, at: moment, into: &effects)
        case .playFinished(let playID, let reason):
            if screeningPlayed(playID, at: moment, into: &effects) { break }
            guard performing?.playID == playID else { break }
            performing?.playID = nil
            deadlines[.play] = nil
            playEnded(reason, at: moment, into: &effects)
        case .recordingAnswered(let step, let outcome):
            guard performing?.step == step else { break }
            finish(outcome, at: moment, into: &effects)
        case .removedFromRoom(let roomID, _) where seat.supervises?.place.roomID == roomID:
            // Who was supervised has gone.
            superviseNoMore(at: moment, into: &effects)
        case .removedFromRoom(let roomID, let reason):
            guard seat.roomID == roomID || seat.stage == .joining, seat.conferenceID != nil else { break }
            if case .conferenceJoin? = performing?.action.kind {
                finish(reason.map { .failed($0) } ?? .completed, at: moment, into: &effects)
            } else {
                // Brought there over the API: the flow goes on with what it does.
                move(roomID: ownRoomID, instance: placement.mixer, conferenceID: nil, into: &effects)
            }
        case .mediaSilent:
            guard phase == .up else { break }
            record.hangupReason = "media_timeout"
            end(.completed, Status(code: 200, cause: 102), by: "platform", at: moment, into: &effects)
        case .mediaLost(let reason):
            mediaLost(reason, at: moment, into: &effects)
        case .childRang(let child):
            childRang(child, at: moment, into: &effects)
        case .childAnswered(let child):
            childAnswered(child, at: moment, into: &effects)
        case .childEnded(let child, let status, let outcome):
            childEnded(child, status, outcome, at: moment, into: &effects)
        case .parentEnded:
            end(phase == .up ? .completed : .canceled, Status(code: phase == .up ? 200 : 487, cause: 16), by: "caller", at: moment, into: &effects)
        case .supervise(let supervised): supervise(supervised, at: moment, into: &effects)
        case .superviseNoMore: superviseNoMore(at: moment, into: &effects)
        case .streamStarted(let stream): streamStarted(stream, at: moment, into: &effects)
        case .streamRefused(let id, let error): streamRefused(id, error, at: moment, into: &effects)
        case .streamUnwanted(let id): stopStreams(id, into: &effects)
        case .streamEnded(let id): forgetStream(id)
        case .hangUp(let cause):
            let status = phase == .up ? Status(code: 200, cause: cause) : Status(code: isInbound ? Self.code(forCause: cause) : 487, cause: cause)
            end(phase == .up ? .completed : .canceled, status, by: "platform", at: moment, into: &effects)
        case .due(let kind):
            deadlines[kind] = nil
            timerFired(kind, at: moment, into: &effects)
        }
        return effects
    }

    /// An ended leg waits for the statistics of its media only, and lets late seats and answers go again.
    private mutating func applyAfterEnd(_ event: LegEvent, into effects: inout [LegEffect]) {
        switch event {
        case .mediaCreated:
            // The session came into being after the call was over.
            media.stage = .ready
            deleteMedia(into: &effects)
        case .joined(_, let roomID, let instance, _):
            effects.append(.leave(roomID: roomID, participantID: seat.participantID, instance: instance))
            seat.stage = .none
            sayFarewell(into: &effects)
        case .joinFailed(_, let error):
            if error.code == .timeout, seat.conferenceID == nil {
                effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
            }
            seat.stage = .none
            sayFarewell(into: &effects)
        case .accepted(let branch, _):
            effects.append(.dismiss(branch: branch))
        case .reinvited:
            effects.append(.respondToReinvite(code: 481, body: nil))
        case .mediaDeleted(let statistics):
            record.media = statistics?.after(moves?.earlier) ?? moves?.earlier ?? record.media
            media.stage = .gone
            sayFarewell(into: &effects)
        case .heard(_, let finding):
            _ = tellTranscript(finding, into: &effects)
        case .mediaFailed, .mediaRefused:
            media.stage = .failed
            sayFarewell(into: &effects)
        case .step(let step):
            // The run began while the call ended: it is told so.
            if step.action != nil || step.waiting != nil { effects.append(.advance(runID: step.runID, step: step.step, .callEnded)) }
        case .childRang(let child), .childAnswered(let child):
            effects.append(.tellChild(child, .parentEnded))
        case .due(.farewell):
            (media.stage, seat.stage) = (.gone, .none)
            sayFarewell(into: &effects)
        default:
            break
        }
    }

    /// The last of a leg: when its media is gone and no seat is on its way, or when it has been waited for long enough.
    private mutating func sayFarewell(into effects: inout [LegEffect]) {
        guard seat.stage != .joining, media.stage == .gone || media.stage == .failed else { return }
        guard deadlines.removeValue(forKey: .farewell) != nil else { return }
        publish("call.ended", into: &effects)
        effects.append(.forget)
    }

    private mutating func timerFired(_ kind: TimerKind, at moment: Moment, into effects: inout [LegEffect]) {
        switch kind {
        case .ring:
            end(.noAnswer, Status(code: 408, cause: 19), by: "platform", at: moment, into: &effects)
        case .duration:
            let status = phase == .up ? Status(code: 200, cause: 31) : Status(code: 408, cause: 102)
            end(phase == .up ? .completed : .noAnswer, status, by: "platform", at: moment, into: &effects)
        case .play:
            playEnded(.failed, at: moment, into: &effects)
        case .action:
            actionTimeIsUp(at: moment, into: &effects)
        case .flowRetry:
            askFlow(into: &effects)
        case .detection: detectionTimeIsUp(at: moment, into: &effects)
        case .move: moveIsDue(at: moment, into: &effects)
        case .seat: takeSeatAgain(into: &effects)
        case .screening: screeningTimeIsUp(at: moment, into: &effects)
        case .farewell:
            break
        }
    }

    // MARK: Ending

    /// Refuses an inbound leg that was not answered, or gives up an outbound one.
    mutating func refuse(_ status: Status, at moment: Moment, into effects: inout [LegEffect]) {
        end(Self.outcome(of: status.code), status, by: "platform", at: moment, into: &effects)
    }

    /// Ends the leg in every direction: the phone, the children or the parent, the room, the relay, the flow.
    mutating func end(
        _ outcome: Call.Status, _ status: Status, by: String, sayBye: Bool = true, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard phase != .ended else { return }
        let before = phase
        phase = .ended
        record.status = outcome
        record.endedAt = moment.time
        (record.sipCode, record.hangupCause, record.hangupBy) = (status.code, status.cause, by)
        deadlines = [.farewell: moment.now + .seconds(5)]
        if before == .up {
            // A request that is pending when the dialog ends is answered all the same (RFC 3261 §15.1.2).
            if media.isRenegotiating { effects.append(.respondToReinvite(code: 487, body: nil)) }
            media.isRenegotiating = false
            if sayBye { effects.append(.bye) }
        } else if isInbound {
            precondition(status.code >= 300, "a call that was not answered is refused, never accepted")
            effects.append(.respond(code: status.code, body: nil))
        } else {
            cancelTargets(except: nil, into: &effects)
        }
        for child in children { effects.append(.tellChild(child, .parentEnded)) }
        if record.parentCallID != nil { effects.append(.tellParent(.childEnded(record.id, status, outcome))) }
        if let playID = performing?.playID, isSeated { effects.append(.stopPlay(playID: playID)) }
        leaveSeat(into: &effects)
        if let performing {
            effects.append(.advance(runID: performing.runID, step: performing.step, .callEnded))
        }
        performing = nil
        endMove(into: &effects)
        switch media.stage {
        case .ready: deleteMedia(into: &effects)
        case .failed: sayFarewell(into: &effects)
        case .creating, .deleting, .gone: break
        }
    }

    private mutating func deleteMedia(into effects: inout [LegEffect]) {
        media.stage = .deleting
        effects.append(.deleteMedia)
    }

    /// Gives the current seat up, whether it is taken or on the way.
    mutating func leaveSeat(into effects: inout [LegEffect]) {
        if seat.stage == .linking || seat.stage == .linked {
            effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
        }
        // A place that is on its way is left when it comes.
        if seat.stage != .joining { seat.stage = .none }
        leavePlaces(into: &effects)
    }

    // MARK: Publishing

    mutating func publish(_ type: String, with details: [String: JSONValue] = [:], into effects: inout [LegEffect]) {
        sequence += 1
        effects.append(.publish(type: type, record, sequence: sequence, with: details))
    }
}
