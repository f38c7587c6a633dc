import Contracts
import Deadlines
import SIP

/// Session timers (RFC 4028): whoever is to refresh does so after half the time, and a session that nobody refreshes ends shortly before
/// it is over.
extension Leg {
    /// How long a refresh waits for an exchange that goes on, or after one that failed.
    private static let refreshPause = Interval.milliseconds(500)
    private static let refreshPatience = Interval.seconds(5)
    private static let mostShortSessions = 3

    /// The session begins, or has been refreshed.
    mutating func sessionBegan(at moment: Moment) {
        guard let timer = sip.timer, phase == .up else {
            (deadlines[.refresh], deadlines[.session]) = (nil, nil)
            return
        }
        deadlines[.refresh] = timer.weRefresh ? moment.now + .seconds(timer.secondsToRefresh) : nil
        deadlines[.session] = moment.now + .seconds(timer.secondsToEnd)
    }

    /// Time for our refresh: by UPDATE where the phone takes it, which needs no offer (§7.4), else by an offer of what is agreed.
    mutating func refresh(at moment: Moment, into effects: inout [LegEffect]) {
        guard phase == .up, sip.refresh == nil else { return }
        if sip.takesUpdate == true {
            sip.refresh = SIPState.Refresh(stage: .updating)
            return effects.append(.refresh(body: nil))
        }
        // One exchange after the other (RFC 3261 §14.1).
        guard !media.isRenegotiating, !media.awaitsAnswerInAck, moves?.move == nil, media.isAgreed else {
            deadlines[.refresh] = moment.now + Self.refreshPause
            return
        }
        sip.refresh = SIPState.Refresh(stage: .asking)
        effects.append(.updateMedia(.makeOffer, remote: "", profile: nil))
    }

    /// The relay's offer for a refresh; false when none was wanted.
    mutating func refreshOffer(_ description: String?, into effects: inout [LegEffect]) -> Bool {
        guard sip.refresh?.stage == .asking else { return false }
        guard let description else { sip.refresh = nil; return true }
        media.description = description
        sip.refresh = SIPState.Refresh(stage: .offering, body: description)
        effects.append(.refresh(body: description))
        return true
    }

    mutating func refreshOfferFailed(at moment: Moment) -> Bool {
        guard sip.refresh?.stage == .asking else { return false }
        sip.refresh = nil
        deadlines[.refresh] = moment.now + Self.refreshPatience
        return true
    }

    /// What the phone says to our refresh. `wait`: how long RFC 3261 §14.1 keeps us waiting after a collision.
    mutating func refreshAnswered(
        _ code: Int, answer: String?, timer: SessionTimer?, minimum: Int?, wait: Interval, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard let refresh = sip.refresh, refresh.stage != .asking else { return }
        sip.refresh = nil
        switch code {
        case 200..<300:
            sip.timer = timer
            sessionBegan(at: moment)
            if refresh.stage == .offering, let answer { effects.append(.updateMedia(.answer, remote: answer, profile: nil)) }
        case 491:
            deadlines[.refresh] = moment.now + wait
        case 422:
            // §7.3: again, for as long as it wants it.
            guard let minimum, takeMinimumSession(minimum) else { break }
            self.refresh(at: moment, into: &effects)
        case 408, 481:
            // §10, RFC 3261 §12.2.1.2.
            end(.completed, Status(code: 408, cause: 102), by: "platform", at: moment, into: &effects)
        case 405 where refresh.stage == .updating, 501 where refresh.stage == .updating:
            sip.takesUpdate = false
            self.refresh(at: moment, into: &effects)
        default:
            // `session` ends the call when this goes on.
            deadlines[.refresh] = moment.now + Self.refreshPatience
        }
    }

    /// A 422's Min-SE; false when it is no longer than what was asked for: then it would be refused for ever.
    mutating func takeMinimumSession(_ minimum: Int) -> Bool {
        guard minimum > max(sip.minimumSession ?? 0, sip.timer?.seconds ?? 0), minimum <= 86_400 else { return false }
        sip.minimumSession = minimum
        return true
    }

    /// An INVITE of ours was refused with 422 (§7.3): sent again for a longer session, which another phone may have asked for first. False when that is no
    /// way.
    mutating func tooShort(_ branch: Int, minimum: Int?, into effects: inout [LegEffect]) -> Bool {
        guard let minimum, let dial, dial.winner == nil, dial.targets.indices.contains(branch), !dial.targets[branch].wasCanceled, phase == .ringing,
            let sequence = sip.branches[branch].map({ $0.sequence ?? 1 }), sequence <= Self.mostShortSessions,
            takeMinimumSession(minimum) || sequence == 1 && minimum <= sip.minimumSession ?? 0
        else { return false }
        sip.branches[branch]?.sequence = sequence + 1
        effects.append(.inviteLonger(branch: branch, body: media.offer(to: dial.targets[branch])))
        return true
    }

    /// Nobody has refreshed the session.
    mutating func sessionExpired(at moment: Moment, into effects: inout [LegEffect]) {
        record.hangupReason = "session_expired"
        end(.completed, Status(code: 200, cause: 102), by: "platform", at: moment, into: &effects)
    }

    mutating func resumeRefresh(into effects: inout [LegEffect]) {
        guard let refresh = sip.refresh else { return }
        switch refresh.stage {
        // What the relay is asked is in `media.asked`, or was never written down.
        case .asking: if media.asked == nil { effects.append(.updateMedia(.makeOffer, remote: "", profile: nil)) }
        case .offering, .updating: effects.append(.refreshAgain(body: refresh.body))
        }
    }
}
