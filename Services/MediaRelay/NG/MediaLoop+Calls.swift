import Deadlines
import MediaSession
import NG
import Threads

// What is done with calls that are there: by request, and in time.
extension MediaLoop {
    /// Every request about a call; the answer is what goes back.
    func perform(_ request: Request, isDraining: Bool) -> Reply {
        do throws(NGRefusal) {
            switch request.command {
            case .offer: return try offer(request, isDraining: isDraining)
            case .answer: return try answer(request)
            case .delete: return try delete(request)
            case .query: return try query(request)
            case .blockMedia: return try gate(request) { $0.blocksMedia = true }
            case .unblockMedia: return try gate(request) { $0.blocksMedia = false }
            case .blockDTMF: return try gate(request) { $0.blocksEvents = true }
            case .unblockDTMF: return try gate(request) { $0.blocksEvents = false }
            case .silenceMedia: return try gate(request) { $0.silencesMedia = true }
            case .unsilenceMedia: return try gate(request) { $0.silencesMedia = false }
            case .pauseRecording: return try pauseRecording(request)
            case .stopMedia: return try stopMedia(request)
            case .playDTMF: return try playDTMF(request)
            default: throw NGRefusal("'\(request.command.rawValue)' is not done by this relay")
            }
        } catch {
            return error.reply
        }
    }

    /// The call that somebody wants to do something with, or to know something of: all of it is in our hands.
    func attended(_ id: String) -> Call? {
        guard let call = calls[id] else { return nil }
        for leg in call.legs { leaveFastPath(leg) }
        return call
    }

    private func delete(_ request: Request) throws(NGRefusal) -> Reply {
        guard let call = attended(request.callID) else { return try missing(request, "Call-ID not found or tags didn't match") }
        let meant = call.dialogues(of: request.fromTag, to: request.toTag, branch: request.viaBranch)
        guard !meant.isEmpty else { return try missing(request, "Call-ID not found or tags didn't match") }
        let report = statistics(of: call)
        let isWhole = meant.count == call.dialogues.count
        if isWhole, let delay = request.options.deleteDelay, delay > 0 {
            call.endsAt = loop.now + .seconds(min(delay, 3600))
        } else {
            for dialogue in meant { end(dialogue, of: call) }
        }
        return .ok(report)
    }

    /// Deleting what is gone is no error, unless whoever asks wants it to be one.
    private func missing(_ request: Request, _ reason: String) throws(NGRefusal) -> Reply {
        guard !request.options.isFatal else { throw NGRefusal(reason) }
        return .ok(["warning": .text(reason)])
    }

    private func query(_ request: Request) throws(NGRefusal) -> Reply {
        guard let call = attended(request.callID) else { throw NGRefusal("Unknown call-id") }
        return .ok(statistics(of: call))
    }

    func end(_ dialogue: Dialogue, of call: Call) {
        for leg in dialogue.legs { close(leg) }
        call.dialogues.removeAll { $0 === dialogue }
        if call.dialogues.isEmpty { calls[call.id] = nil }
    }

    func end(_ call: Call) {
        for dialogue in call.dialogues { end(dialogue, of: call) }
    }

    // MARK: Time

    /// Once a second for every leg.
    func lookAfterNG(_ leg: Leg, now: Instant) {
        if now >= leg.nextReportAt, leg.session.plan?.isTransparent == false {
            leg.nextReportAt = now + reportPause(isFirst: false)
            sendReport(leg, isLast: false)
        }
        guard let call = calls[leg.callID], now - call.checkedAt >= .seconds(1) else { return }
        call.checkedAt = now
        if now >= call.endsAt { return end(call) }
        for dialogue in call.dialogues where isSilent(dialogue, now: now) {
            traffic.silentCalls += 1
            end(dialogue, of: call)
        }
    }

    /// Nobody has sent anything for too long; where nobody has to, because it rings or is held, for very long.
    private func isSilent(_ dialogue: Dialogue, now: Instant) -> Bool {
        let silences = dialogue.streams.flatMap { stream in
            stream.legs.indices.compactMap { stream.sides[$0].agreement == nil ? nil : stream.legs[$0].session.silence(now: now) }
        }
        if let shortest = silences.min() { return shortest >= settings.timeout }
        let quiet = dialogue.legs.map { $0.session.quiet(now: now) }.min() ?? .zero
        return quiet >= settings.ng.quietTimeout
    }
}
