import Contracts
import Deadlines
import Flow

/// Going on with a leg whose owner has died: from the snapshot alone, what was on its way is done again, in a form that equals doing it
/// once (RELIABILITY §4.4). What was not on its way is left as it is; the phone hears nothing of it.
extension Leg {
    /// So long after the answer the INVITEs to the other phones may still want their CANCEL.
    private static let losersTime = Interval.seconds(10)

    /// `offer`: what the phone's INVITE offers, while that is kept.
    mutating func resume(offer: String?, at moment: Moment) -> [LegEffect] {
        var effects: [LegEffect] = []
        revision += 1
        changedAt = moment.time
        tellAgain(into: &effects)
        guard phase != .ended else {
            resumeEnding(at: moment, into: &effects)
            return effects
        }
        resumeMedia(offer: offer, into: &effects)
        resumeSeat(into: &effects)
        if isInbound { resumeInbound(into: &effects) } else { resumeOutbound(at: moment, into: &effects) }
        resumeMove(at: moment, into: &effects)
        resumeRefresh(into: &effects)
        resumeReferral(into: &effects)
        resumeScreening(into: &effects)
        if let chainedTo { effects.append(.attach(to: chainedTo)) }
        resumeFlow(at: moment, into: &effects)
        return effects
    }

    // MARK: Media and seat

    private mutating func resumeMedia(offer: String?, into effects: inout [LegEffect]) {
        switch media.stage {
        case .creating: effects.append(.createMedia(offer: offer))
        case .ready:
            effects.append(.ownMedia)
            if let asked = media.asked { effects.append(.updateMedia(asked.kind, remote: asked.remote, profile: asked.profile)) }
        case .failed, .deleting, .gone: break
        }
    }

    private mutating func resumeSeat(into effects: inout [LegEffect]) {
        switch seat.stage {
        case .none: break
        // A relay that may be told again where to send is one that its room may have linked straight since: the room hears of it first.
        case .joining, .linking:
            seat.stage = .joining
            effects.append(.join(seat))
        case .linked: effects.append(.ownSeat)
        }
    }

    private mutating func resumeMove(at moment: Moment, into effects: inout [LegEffect]) {
        guard let move = moves?.move else { return }
        switch move.stage {
        case .creating: effects.append(.createElsewhere(relay: move.relay, session: move.session, continuing: media.description))
        case .offering: effects.append(.reinviteAgain(session: move.session, body: move.description))
        }
    }

    // MARK: SIP

    private mutating func resumeInbound(into effects: inout [LegEffect]) {
        switch phase {
        case .preparing, .ringing:
            // Nobody tells it any more.
            awaitsAdmission = nil
            // What it is not answered by it cannot be: its phone has given up, or will.
            guard sip.invite != nil else { break }
            if program == nil, performing == nil, record.runID == nil { begin(sip.dialled ?? record.to, into: &effects) }
            if phase == .ringing { resumeProvisional(into: &effects) }
            resumeReinvite(into: &effects)
        case .up:
            // Nobody knows whether the phone has it; repeated until it is acknowledged, and acknowledged again if it was.
            if sip.invite != nil { effects.append(.respond(code: 200, body: finalDescription)) }
            resumeReinvite(into: &effects)
        case .ended: break
        }
    }

    /// A re-INVITE of the phone's: asked of the relay again, or answered again.
    mutating func resumeReinvite(into effects: inout [LegEffect]) {
        guard sip.reinvite != nil else {
            media.isRenegotiating = false
            return
        }
        if !media.isRenegotiating {
            effects.append(.respondToReinvite(code: 200, body: media.description))
        } else if media.asked == nil {
            // The question was never written down: the phone may ask again.
            media.isRenegotiating = false
            effects.append(.respondToReinvite(code: 500, body: nil))
        }
    }

    private mutating func resumeOutbound(at moment: Moment, into effects: inout [LegEffect]) {
        guard let dial else { return }
        switch phase {
        case .preparing:
            if dial.isSearched { ringTargets(at: moment, into: &effects) } else { effects.append(.findBindings(number: dial.number)) }
        case .ringing:
            inviteAgain(dial, into: &effects)
            resumeEarly(into: &effects)
            if media.secureOffer == nil, awaitsSecureOffer { effects.append(.offerMedia(.sdes, nil)) }
            if let current = redirections?.current { effects.append(.findBindings(number: current.number)) }
        case .up:
            resumeReinvite(into: &effects)
            guard let since = record.answeredAt, moment.time.milliseconds - since.milliseconds > Int64(Self.losersTime.milliseconds) else {
                if let winner = dial.winner { effects.append(.acknowledge(branch: winner)) }
                return inviteAgain(dial, into: &effects)
            }
        case .ended: break
        }
    }

    /// Those whose INVITE has no final response yet; the CANCEL of those that had one follows their first response.
    private func inviteAgain(_ dial: Dial, into effects: inout [LegEffect]) {
        for (branch, target) in dial.targets.enumerated()
        where branch != dial.winner && dial.refusals[branch] == nil && target.isOver != true && sip.branches[branch]?.name != nil {
            effects.append(.inviteAgain(branch: branch, body: media.offer(to: target)))
            if target.wasCanceled { effects.append(.cancel(branch: branch)) }
        }
    }

    // MARK: Flow

    private mutating func resumeFlow(at moment: Moment, into effects: inout [LegEffect]) {
        if isSeated { seatTakenBefore(at: moment, into: &effects) }
        guard let current = performing else {
            if closing != nil { return tellClosing(into: &effects) }
            // Its first step, which was asked for and did not come.
            if program?.isStarted == true { effects.append(.startRun) }
            return
        }
        if let pendingOutcome {
            effects.append(.advance(runID: current.runID, step: current.step, pendingOutcome))
            return
        }
        guard current.isStarted else { return proceed(at: moment, into: &effects) }
        performAgain(current, into: &effects)
    }

    /// What the action commands is commanded again, under the names it had; what only waits goes on waiting, by `deadlines`.
    private mutating func performAgain(_ current: Performing, into effects: inout [LegEffect]) {
        if current.playID != nil { playAgain(into: &effects) }
        switch current.action.kind {
        case .recordingStart(let option): startRecording(option, into: &effects)
        case .recordingStop: effects.append(.stopRecordings(step: current.step))
        case .digitsSend(let option): sendDigits(option, into: &effects)
        case .externalMediaStart(let option): effects.append(.startStream(stream(option, step: current.step)))
        case .amd, .gather, .listenStart, .transcribeStart: listenAgain(into: &effects)
        case .record(let option): takeAgain(option, into: &effects)
        case .transfer(let option): referAgain(option, into: &effects)
        case .hold, .meet: meetAgain(into: &effects)
        case .hangup(let option): if let other = option.referenceID { effects.append(.copyCause(of: other)) }
        default: break
        }
    }

    // MARK: Endings

    /// The leg is over, and not everybody has been told.
    private mutating func resumeEnding(at moment: Moment, into effects: inout [LegEffect]) {
        guard deadlines[.farewell] != nil else {
            // Everybody but its run has.
            deadlines = [:]
            tellClosing(into: &effects)
            return leaveWhenTold(into: &effects)
        }
        deadlines = [.farewell: moment.now + .seconds(5)]
        if record.answeredAt == nil, isInbound, sip.invite != nil, let code = record.sipCode, code >= 300 {
            effects.append(.respond(code: code, body: nil))
        }
        if sip.notice != nil { effects.append(.notifyAgain) }
        if sip.bye != nil { effects.append(.byeAgain) }
        if let dial, !isInbound { inviteAgain(dial, into: &effects) }
        for place in leaving ?? [] {
            effects.append(.leave(roomID: place.roomID, participantID: seat.participantID, instance: place.instance))
        }
        effects.append(.leave(roomID: seat.roomID, participantID: seat.participantID, instance: seat.instance))
        (seat.stage, leaving) = (.none, nil)
        endMove(into: &effects)
        releaseChained(into: &effects)
        tellClosing(into: &effects)
        media.stage = .deleting
        effects.append(.deleteMedia)
    }
}
