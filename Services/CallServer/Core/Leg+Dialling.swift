import Contracts
import Deadlines
import Flow

/// The outbound leg: ringing every contact of an extension at once, the first answer wins.
extension Leg {
    /// What starts an outbound leg, once its snapshot exists.
    mutating func begin(at moment: Moment) -> [LegEffect] {
        var effects: [LegEffect] = []
        changedAt = moment.time
        publish("call.created", into: &effects)
        deadlines[.ring] = moment.now + limits.ring
        deadlines[.duration] = moment.now + limits.duration
        effects.append(.createMedia(offer: nil))
        effects.append(.findBindings(number: dial?.number ?? ""))
        if let chainedTo { effects.append(.attach(to: chainedTo)) }
        if program?.isEarly == true { startRun(into: &effects) }
        return effects
    }

    /// Sends the INVITEs as soon as the bindings and an offer for each kind of them are there.
    mutating func ringTargets(at moment: Moment, into effects: inout [LegEffect]) {
        guard let dial, dial.isSearched, media.stage == .ready, phase == .preparing else { return }
        let phones = dial.targets.filter { !$0.isBrowser }
        if !phones.isEmpty, phones.allSatisfy(\.isIPv6), media.family == nil { return effects.append(.offerMedia(.plain, .ipv6)) }
        if dial.targets.contains(where: \.isBrowser), media.browserOffer == nil { return effects.append(.offerMedia(.browser, nil)) }
        phase = .ringing
        for (branch, target) in dial.targets.enumerated() { effects.append(.invite(branch: branch, body: media.offer(to: target))) }
    }

    mutating func rang(_ branch: Int, at moment: Moment, into effects: inout [LegEffect]) {
        guard record.ringingAt == nil else { return }
        record.status = .ringing
        record.ringingAt = moment.time
        publish("call.ringing", into: &effects)
        if record.parentCallID != nil { effects.append(.tellParent(.childRang(record.id))) }
    }

    mutating func accepted(_ branch: Int, answer: String?, at moment: Moment, into effects: inout [LegEffect]) {
        guard dial?.winner == nil else {
            if dial?.winner != branch { effects.append(.dismiss(branch: branch)) }
            return
        }
        dial?.winner = branch
        let early = sip.early?.first { $0.branch == branch && $0.dialog.remoteTag == sip.dialog?.remoteTag }
        let answer = confirmedAnswer(branch, answer)
        (sip.early, media.early) = (nil, nil)
        // What it was offered is what the next offer goes on with.
        if let target = dial?.targets[branch] { media.description = media.offer(to: target) }
        deadlines[.ring] = nil
        phase = .up
        sessionBegan(at: moment)
        if early?.isUpdated == true {
            // What it described last is agreed on.
            media.isAgreed = true
        } else if let answer { effects.append(.updateMedia(.answer, remote: answer, profile: dial?.targets[branch].profile)) }
        effects.append(.acknowledge(branch: branch))
        cancelTargets(except: branch, into: &effects)
        outboundIsTalking(at: moment, into: &effects)
        if answer == nil, early?.isUpdated != true {
            // A 200 to an INVITE with an offer must carry the answer (RFC 3264 §4).
            end(.failed, Status(code: 488, cause: 88), by: "platform", at: moment, into: &effects)
        }
    }

    mutating func refused(_ branch: Int, code: Int, at moment: Moment, into effects: inout [LegEffect]) {
        guard dial?.winner == nil, !offersSecurely(branch, code: code, into: &effects) else { return }
        dial?.refusals[branch] = code
        sip.early?.removeAll { $0.branch == branch }
        guard dial?.refusals.count == dial?.targets.count else {
            // A decline speaks for the person, not for one phone (RFC 3261 §16.7 step 5).
            if code >= 600 { refuse(Status(code: code, cause: Self.cause(forCode: code), by: "callee"), at: moment, into: &effects) }
            return
        }
        // Nor is anybody rung in its stead then.
        if code >= 600 { redirections?.waiting = [] }
        nobodyLeft(at: moment, into: &effects)
    }

    /// No phone rings any more: those it was sent on to are rung, or it has failed.
    mutating func nobodyLeft(at moment: Moment, into effects: inout [LegEffect]) {
        guard let dial, dial.winner == nil, dial.refusals.count == dial.targets.count, !followRedirection(into: &effects) else { return }
        // The best of the refusals (§16.7 step 6): the most telling one, not merely the first. Who was sent on and came to nothing has
        // not been reached.
        let refusals = dial.refusals.mapValues { (300..<400).contains($0) ? 480 : $0 }
        let best = refusals.min { (Self.rank($0.value), $0.key) < (Self.rank($1.value), $1.key) }
        let code = best?.value ?? 480
        let cause = best.flatMap { dial.targets.indices.contains($0.key) ? dial.targets[$0.key].cause : nil } ?? Self.cause(forCode: code)
        end(Self.outcome(of: code), Status(code: code, cause: cause), by: "callee", at: moment, into: &effects)
    }

    mutating func cancelTargets(except winner: Int?, into effects: inout [LegEffect]) {
        guard let dial else { return }
        for branch in dial.targets.indices
        where branch != winner && dial.refusals[branch] == nil && !dial.targets[branch].wasCanceled {
            self.dial?.targets[branch].wasCanceled = true
            effects.append(.cancel(branch: branch))
        }
    }

    /// What the CANCEL of a branch says (RFC 3326 §2): a phone that missed nothing shows no missed call.
    var cancelReason: String {
        if dial?.winner != nil { return "SIP;cause=200;text=\"Call completed elsewhere\"" }
        if record.hangupCause == 26 { return "SIP;cause=200;text=\"Call completed elsewhere\"" }
        return "Q.850;cause=\(record.hangupCause ?? 16)"
    }

    private static func rank(_ code: Int) -> Int {
        switch code {
        case 600...: 0
        case 486: 1
        case 401, 407, 415, 420, 484, 488: 3
        case 408, 430, 480: 4
        case 500...: 5
        default: 2
        }
    }

    /// How a call ended, in the API's words.
    static func outcome(of code: Int) -> Call.Status {
        switch code {
        case 486, 600: .busy
        case 408, 480: .noAnswer
        case 487: .canceled
        case 603, 607: .busy
        case 200..<300: .completed
        default: .failed
        }
    }

    /// Q.850 causes for SIP codes (RFC 3398 §8.2.6.1).
    static func cause(forCode code: Int) -> Int {
        switch code {
        case 401, 402, 403, 407, 603: 21
        case 404: 1
        case 405: 63
        case 406, 415, 488, 606: 88
        case 408, 504: 102
        case 410: 22
        case 480: 18
        case 483: 25
        case 484: 28
        case 486, 600: 17
        case 487: 16
        case 502, 503: 41
        case 604: 1
        default: 31
        }
    }

    /// SIP codes for Q.850 causes (RFC 3398 §7.2.4.1), for a call that is refused before its answer.
    static func code(forCause cause: Int) -> Int {
        switch cause {
        case 1, 2, 3: 404
        case 17: 486
        case 18: 408
        case 19, 20, 31: 480
        case 21: 403
        case 22: 410
        case 28: 484
        case 34, 38, 41, 42, 47: 503
        case 88: 488
        default: 480
        }
    }

    static func status(of error: RPCError) -> Status {
        switch error.code {
        case .notAcceptable: Status(code: 488, cause: 88)
        case .notFound: Status(code: 404, cause: 1)
        case .invalid: Status(code: 400, cause: 111)
        case .forbidden: Status(code: 403, cause: 21)
        case .conflict, .exhausted, .unavailable, .timeout: Status(code: 503, cause: 41)
        case .fenced, .failed: Status(code: 500, cause: 41)
        }
    }
}
