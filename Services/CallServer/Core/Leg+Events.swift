import Contracts
import Deadlines
import Flow

extension Leg {
    /// Applies one event completely and returns what is to be done, in order.
    mutating func apply(_ event: LegEvent, at moment: Moment) -> [LegEffect] {
        var effects: [LegEffect] = []
        revision += 1
        changedAt = moment.time
        if phase == .ended {
            applyAfterEnd(event, at: moment, into: &effects)
            return effects
        }
        switch event {
        case .invited(let offer, let number):
            publish("call.created", into: &effects)
            deadlines[.duration] = moment.now + limits.duration
            effects.append(.createMedia(offer: offer))
            media.isAgreed = offer != nil
            media.awaitsAnswerInAck = offer == nil
            begin(number, into: &effects)
        case .canceled:
            end(.canceled, Status(code: 487, cause: sip.theirCause ?? 16), by: "caller", at: moment, into: &effects)
        case .rang(let branch):
            rang(branch, at: moment, into: &effects)
        case .progressed(let branch, let progress): progressed(branch, progress, at: moment, into: &effects)
        case .refusedAsShort(let branch, let minimum):
            if !tooShort(branch, minimum: minimum, into: &effects) { refused(branch, code: 422, at: moment, into: &effects) }
        case .accepted(let branch, let answer):
            accepted(branch, answer: answer, at: moment, into: &effects)
        case .refused(let branch, let code):
            refused(branch, code: code, at: moment, into: &effects)
        case .byed:
            leaveTransfer(into: &effects)
            // A BYE within an early dialog gives the call up, as a CANCEL does (RFC 3261 §15).
            let status = phase == .up ? Status(code: 200, cause: sip.theirCause ?? 16) : Status(code: 487, cause: sip.theirCause ?? 16)
            end(
                phase == .up ? .completed : .canceled, status, by: isInbound ? "caller" : "callee", sayBye: false, at: moment,
                into: &effects)
        case .reinvited(let offer):
            reinvited(offer, into: &effects)
        case .updated(let offer, let early): updated(offer, in: early, into: &effects)
        case .acknowledgedEarly(let acknowledgement, let body): acknowledged(acknowledgement, body, at: moment, into: &effects)
        case .refreshAnswered(let code, let answer, let timer, let minimum, let wait):
            refreshAnswered(code, answer: answer, timer: timer, minimum: minimum, wait: wait, at: moment, into: &effects)
        case .texted(let text): texted(text, into: &effects)
        case .partnerTexted(let partner, let text): partnerTexted(partner, text, into: &effects)
        case .referred(let referral): referred(referral, at: moment, into: &effects)
        case .subscribed(let seconds): subscribed(seconds: seconds, into: &effects)
        case .noticeRefused(let id): if referral?.id == id { referral?.isSilent = true }
        case .referredInVain: effects.append(.respondToRefer(code: 603))
        case .partnersJoined(let referral): partnersJoined(by: referral, into: &effects)
        case .transferWanted(let leg, let number, let program, let referrer):
            transfer(by: leg, to: number, program, from: referrer, at: moment, into: &effects)
        case .sentOn(let program, let counted, let end): sentOn(program, counted: counted, end: end, at: moment, into: &effects)
        case .partnerSent(let partner): partnerSent(partner, at: moment, into: &effects)
        case .referralTold(let code): tellOfReferral(code, into: &effects)
        case .referAnswered(let code): referAnswered(code, at: moment, into: &effects)
        case .referralProgressed(let code, let isOver): referralProgressed(code, isOver: isOver, at: moment, into: &effects)
        case .replaced: replaced(at: moment, into: &effects)
        case .placeTaken(let leg, let newcomer): placeTaken(of: leg, by: newcomer, at: moment, into: &effects)
        case .joinedBy(let newcomer): joined(by: newcomer, into: &effects)
        case .waiting(let isWaiting): wait(isWaiting, into: &effects)
        case .inherited(let bequest): inherited(bequest, into: &effects)
        case .adopted(let parent): adopted(by: parent, into: &effects)
        case .arrivalWanted(let wanted, let roomID, let instance): arrive(wanted, roomID: roomID, instance: instance, at: moment, into: &effects)
        case .partnerGoesElsewhere(let partner): partnerGoesElsewhere(partner, at: moment, into: &effects)
        case .goesElsewhere(let first, let partner): goesElsewhere(to: first, without: partner, at: moment, into: &effects)
        case .heardEarly: heardEarly(into: &effects)
        case .childProgressed(let child): childProgressed(child, at: moment, into: &effects)
        case .reinviteCanceled: reinviteCanceled(into: &effects)
        case .answeredInAck(let answer):
            guard media.awaitsAnswerInAck else { break }
            media.awaitsAnswerInAck = false
            effects.append(.updateMedia(.answer, remote: answer, profile: nil))
        case .unansweredInAck: unansweredInAck(at: moment, into: &effects)
        case .dialogLost:
            end(phase == .up ? .completed : .failed, Status(code: 408, cause: 102), by: "platform", at: moment, into: &effects)
        case .resolved(let flowID, let actions) where joinsNothing == true && (flowID != nil || actions.first?.kind.isInConference != true):
            refuse(Status(code: 481, cause: 31), at: moment, into: &effects)
        case .unresolved where joinsNothing == true: refuse(Status(code: 481, cause: 31), at: moment, into: &effects)
        case .resolved(let flowID, let actions):
            program = Program(flowID: flowID, actions: flowID == nil ? actions : nil)
            startRun(into: &effects)
        case .unresolved(let error):
            refuse(error.code == .notFound ? Status(code: 404, cause: 1) : Status(code: 503, cause: 41), at: moment, into: &effects)
        case .targetMoved(let branch, let code, let numbers): redirected(branch, code: code, to: numbers, at: moment, into: &effects)
        case .found(let bindings):
            if foundRedirected(bindings, at: moment, into: &effects) { break }
            dial?.isSearched = true
            dial?.targets = bindings.map { Target(contact: $0.contact, route: $0.path, instanceID: $0.instanceID) }
            guard !bindings.isEmpty else {
                refuse(Status(code: 480, cause: 20), at: moment, into: &effects)
                break
            }
            ringTargets(at: moment, into: &effects)
        case .causeCopied(let cause): causeCopied(cause, at: moment, into: &effects)
        case .notToBeDisturbed:
            if redirectionFailed(at: moment, into: &effects) { break }
            refuse(Status(code: 486, cause: 17, by: "callee"), at: moment, into: &effects)
        case .notFound(let error):
            if redirectionFailed(at: moment, into: &effects) { break }
            refuse(error.code == .notFound ? Status(code: 404, cause: 1) : Status(code: 503, cause: 41), at: moment, into: &effects)
        case .mediaCreated(let reply, let asked):
            media.stage = .ready
            (media.description, media.inside) = (reply.description, reply.inside)
            takeFirstSeat(asked, reply.place, at: moment, into: &effects)
            ringTargets(at: moment, into: &effects)
        case .mediaOffered(let description, .sdes): securelyOffered(description, into: &effects)
        case .mediaOffered(let description, let profile):
            if profile == .browser { media.browserOffer = description } else { (media.description, media.family) = (description, .ipv6) }
            ringTargets(at: moment, into: &effects)
        case .mediaOfferFailed(let error):
            if secureOfferFailed(at: moment, into: &effects) { break }
            // Whoever rings, or talks, has an offer.
            guard phase == .preparing else { break }
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
            leaveFirstSeat(after: error, into: &effects)
            refuse(Self.status(of: error), at: moment, into: &effects)
        case .mediaRefused(let error, let offer, let other):
            // A second relay is asked and no third: then it is not the relays.
            guard media.refusedBy == nil else {
                media.stage = .failed
                leaveFirstSeat(after: error, into: &effects)
                refuse(Self.status(of: error), at: moment, into: &effects)
                break
            }
            (media.refusedBy, placement.relay) = (placement.relay, other)
            effects.append(.createMedia(offer: offer))
        case .mediaUpdated(let reply, let kind):
            media.asked = nil
            mediaUpdated(reply, kind, at: moment, into: &effects)
        case .mediaUpdateFailed(let error, let kind):
            media.asked = nil
            if kind == .makeOffer, refreshOfferFailed(at: moment) { break }
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
            if !closingTaken(step, at: moment, into: &effects) { accept(step, at: moment, into: &effects) }
        case .stepFailed(let error):
            stepFailed(error, at: moment, into: &effects)
        case .peerCame(let peer, let change): peerCame(peer, change, at: moment, into: &effects)
        case .peerFound(let step, let place): peerFound(step, place, at: moment, into: &effects)
        case .peerMissed(let step, let error): peerMissed(step, error, at: moment, into: &effects)
        case .watched(let step): watched(step, at: moment, into: &effects)
        case .watchFailed: watchFailed(at: moment)
        case .digit(let digit):
            pressed(digit, at: moment, into: &effects)
        case .digitPastRoom(let digit):
            pressed(digit, at: moment, into: &effects)
            interruptPrompt(at: moment, into: &effects)
        case .keyInMessage(let digit, let duration):
            guard media.stage == .ready else { break }
            effects.append(.pressKey(digit, duration: duration))
        case .trickled(let fragment): trickled(fragment, into: &effects)
        case .heard(let watchID, let finding):
            heard(finding, by: watchID, at: moment, into: &effects)
        case .listenWanted(let watch):
            listen(for: watch, into: &effects)
        case .transcriptionWanted(let transcription):
            transcribe(transcription, at: moment, into: &effects)
        case .listening(let watchID): listening(watchID, at: moment, into: &effects)
        case .listenFailed(let watchID, let error):
            listenFailed(watchID, error, at: moment, into: &effects)
        case .playFinished(let playID, let reason):
            if screeningPlayed(playID, at: moment, into: &effects) || askingPlayed(playID, at: moment, into: &effects)
                || controlledPlayEnded(playID, reason, into: &effects) { break }
            guard performing?.playID == playID else { break }
            performing?.playID = nil
            deadlines[.play] = nil
            playEnded(reason, at: moment, into: &effects)
        case .recordingAnswered(let step, let outcome):
            recorded(outcome)
            guard performing?.step == step, !takingAnswered(outcome, at: moment, into: &effects) else { break }
            finish(outcome, at: moment, into: &effects)
        case .removedFromRoom(let roomID, _) where seat.supervises?.place.roomID == roomID:
            // Who was supervised has gone.
            superviseNoMore(at: moment, into: &effects)
        case .removedFromRoom(let roomID, let reason):
            guard seat.roomID == roomID || seat.stage == .joining, seat.conferenceID != nil else { break }
            if performing?.action.kind.isInConference == true {
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
        case .parentEnded: parentGone(cause: 16, at: moment, into: &effects)
        case .parentGone(let cause): parentGone(cause: cause, at: moment, into: &effects)
        case .consultWanted(let leg, let number): consult(by: leg, number, into: &effects)
        case .consultationOver(let completes): consultationOver(completes: completes, at: moment, into: &effects)
        case .askWanted(let id, let action, let webhook): ask(id, action, webhook, at: moment, into: &effects)
        case .muteWanted(let isMuted): mute(isMuted, into: &effects)
        case .holdWanted(let isHeld): hold(isHeld, into: &effects)
        case .attached(let call): attached(call)
        case .masterEnded: masterEnded(at: moment, into: &effects)
        case .supervise(let supervised): supervise(supervised, at: moment, into: &effects)
        case .superviseNoMore: superviseNoMore(at: moment, into: &effects)
        case .streamStarted(let stream): streamStarted(stream, at: moment, into: &effects)
        case .streamRefused(let id, let error): streamRefused(id, error, at: moment, into: &effects)
        case .streamUnwanted(let id): stopStreams(id, into: &effects)
        case .streamEnded(let id): forgetStream(id)
        case .hangUp(let cause):
            let status = phase == .up ? Status(code: 200, cause: cause) : Status(code: isInbound ? Self.code(forCause: cause) : 487, cause: cause)
            end(phase == .up ? .completed : .canceled, status, by: "platform", at: moment, into: &effects)
        case .recorded(let id): recorded(id)
        case .answerWanted: requestAnswer(at: moment, into: &effects)
        case .redirected(let flowID, let actions): redirect(flowID: flowID, actions: actions, at: moment, into: &effects)
        case .admitted: admitted(at: moment, into: &effects)
        case .overLimit(let over): overLimit(over, at: moment, into: &effects)
        case .due(let kind):
            deadlines[kind] = nil
            timerFired(kind, at: moment, into: &effects)
        }
        tellOfSecret(into: &effects)
        return effects
    }

    /// An ended leg waits for the statistics of its media only, and lets late seats and answers go again.
    private mutating func applyAfterEnd(_ event: LegEvent, at moment: Moment, into effects: inout [LegEffect]) {
        switch event {
        case .mediaCreated(let reply, let asked):
            // The session came into being after the call was over.
            if let asked {
                effects.append(.leave(roomID: asked.roomID, participantID: asked.participantID, instance: reply.place?.instance ?? asked.instance))
            }
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
        case .reinvited, .updated, .acknowledgedEarly:
            effects.append(.respondToReinvite(code: 481, body: nil))
        case .arrivalWanted(let wanted, _, _): effects.append(.tellChild(wanted.replaces, .referralTold(480)))
        case .referred, .referredInVain, .partnersJoined: effects.append(.respondToRefer(code: 481))
        case .placeTaken(_, let newcomer), .joinedBy(let newcomer): effects.append(.tellChild(newcomer, .parentEnded))
        case .transferWanted(let leg, _, _, _): effects.append(.tellChild(leg, .referralTold(480)))
        case .inherited(let bequest): effects.append(.tellChild(bequest.newcomer, .parentEnded))
        case .attached(let call): effects.append(.releaseChained(call))
        case .sentOn: effects.append(.tellParent(.referralTold(480)))
        case .mediaDeleted(let statistics):
            record.media = statistics?.after(moves?.earlier) ?? moves?.earlier ?? record.media
            media.stage = .gone
            sayFarewell(into: &effects)
        case .heard(_, let finding):
            _ = tellTranscript(finding, into: &effects)
        case .mediaFailed(let error), .mediaRefused(let error, _, _):
            media.stage = .failed
            leaveFirstSeat(after: error, into: &effects)
            sayFarewell(into: &effects)
        case .step(let step):
            // The run began while the call ended: it is told so.
            if !closingTaken(step, at: moment, into: &effects), closing == nil, step.action != nil || step.waiting != nil {
                close(step.runID, step.step, .callEnded, into: &effects)
            }
        case .stepFailed(let error): _ = closingFailed(error, at: moment, into: &effects)
        case .due(.flowRetry):
            deadlines[.flowRetry] = nil
            tellClosing(into: &effects)
        case .childRang(let child), .childProgressed(let child), .childAnswered(let child):
            effects.append(.tellChild(child, .parentEnded))
        case .due(.farewell):
            // Whether it has it or not: nobody will hear the answer.
            if seat.stage == .joining || seat.stage == .none && media.stage == .creating && seat.conferenceID == nil {
                effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
            }
            if media.stage == .creating { effects.append(.deleteMedia) }
            (media.stage, seat.stage) = (.gone, .none)
            sayFarewell(into: &effects)
        default:
            break
        }
    }

    /// The last of a leg: when its media is gone and no seat is on its way, or when it has been waited for long enough.
    mutating func sayFarewell(into effects: inout [LegEffect]) {
        guard seat.stage != .joining, media.stage == .gone || media.stage == .failed else { return }
        guard deadlines.removeValue(forKey: .farewell) != nil else { return }
        publish("call.ended", into: &effects)
        leaveWhenTold(into: &effects)
    }

    private mutating func timerFired(_ kind: TimerKind, at moment: Moment, into effects: inout [LegEffect]) {
        switch kind {
        case .ring:
            // Where not even a 180 has come, it is not people who did not answer.
            end(.noAnswer, Status(code: 408, cause: record.ringingAt == nil ? 102 : 19), by: "platform", at: moment, into: &effects)
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
        case .asking: askingTimeIsUp(at: moment, into: &effects)
        case .move: moveIsDue(at: moment, into: &effects)
        case .seat: takeSeatAgain(into: &effects)
        case .screening: screeningTimeIsUp(at: moment, into: &effects)
        case .refresh: refresh(at: moment, into: &effects)
        case .session: sessionExpired(at: moment, into: &effects)
        case .provisional: provisionalIsDue(at: moment, into: &effects)
        case .farewell:
            break
        }
    }
}
