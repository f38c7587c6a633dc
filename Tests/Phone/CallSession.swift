import Deadlines
import SDP
import SIP
import Threads

/// One call inside its line: the dialog, what was agreed, the sound, and who waits for it. Loop thread only.
final class CallSession {
    enum Role: Equatable { case caller, callee }

    struct Waiter {
        let phase: CallPhase
        let continuation: CheckedContinuation<Void, any Error>
        let timer: EventLoop.Timer
    }

    let id: Int
    let role: Role
    /// The number called, or of the caller.
    let peer: String
    let sound: SoundStream
    let started: Instant
    var media: OfferAnswer
    var dialog: Dialog?
    private(set) var phase = CallPhase.calling
    private(set) var ringTime: Interval?
    private(set) var setupTime: Interval?
    private(set) var end: CallEnd?
    var retryAfter: Int?

    /// As the caller: the INVITE under way.
    var invite: (id: ClientTransactionID, request: RequestBuilder)?
    /// As the caller: to be hung up as soon as there is something to hang up.
    var isGivenUp = false
    /// As the callee: the INVITE to answer.
    var incoming: (id: ServerTransactionID, request: Message, localTag: String)?
    /// The ACK of the last 2xx and its CSeq, to be repeated with it.
    var acknowledgement: (sequence: UInt32, bytes: [UInt8])?
    var answerTimer: EventLoop.Timer?
    /// The last request that was sent by itself within the dialog.
    var exchanged: RequestBuilder?
    /// What NOTIFYs have told of a transfer.
    var told: [Int] = []
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0

    init(id: Int, role: Role, peer: String, sound: SoundStream, media: OfferAnswer, now: Instant) {
        (self.id, self.role, self.peer) = (id, role, peer)
        (self.sound, self.media, started) = (sound, media, now)
    }

    var report: CallReport {
        CallReport(phase: phase, ringTime: ringTime, setupTime: setupTime, end: end, retryAfter: retryAfter, codec: sound.codec, sound: sound.report)
    }

    func advance(to phase: CallPhase, now: Instant, loop: EventLoop) {
        guard phase > self.phase, phase != .ended else { return }
        self.phase = phase
        if phase == .ringing { ringTime = now - started }
        if phase == .answered { setupTime = now - started }
        wake(loop: loop)
    }

    func finish(_ end: CallEnd, loop: EventLoop) {
        guard phase != .ended else { return }
        (phase, self.end) = (.ended, end)
        if let answerTimer { loop.cancel(answerTimer) }
        answerTimer = nil
        invite = nil
        dialog?.terminate()
        sound.close()
        wake(loop: loop)
    }

    /// Calls back when `phase` is reached, with an error when the call ends before, or after `limit`.
    func wait(for phase: CallPhase, limit: Interval, loop: EventLoop, _ continuation: CheckedContinuation<Void, any Error>) {
        if let outcome = outcome(of: phase) { return continuation.resume(with: outcome) }
        let number = nextWaiter
        nextWaiter += 1
        let timer = loop.schedule(at: loop.now + limit) { [weak self] in
            guard let self, let waiter = self.waiters.removeValue(forKey: number) else { return }
            let what = "call with \(self.peer) is \(self.phase) after \(limit.seconds) s, not \(phase)"
            waiter.continuation.resume(throwing: PhoneError.timedOut(what))
        }
        waiters[number] = Waiter(phase: phase, continuation: continuation, timer: timer)
    }

    /// Nil while it is open whether the phase will be reached.
    private func outcome(of phase: CallPhase) -> Result<Void, any Error>? {
        if self.phase == .ended, phase != .ended {
            // A call that was answered and is over has been answered.
            if phase == .answered && setupTime != nil || phase == .ringing && (ringTime ?? setupTime) != nil { return .success(()) }
            return .failure(failure)
        }
        return self.phase >= phase ? .success(()) : nil
    }

    private var failure: PhoneError {
        switch end {
        case .refused(let status, let reason): .refused(.invite, status: status, reason: reason)
        case .failed(let text): .unreachable(text)
        case .cancelled: .wrongState("the call with \(peer) was cancelled")
        case .hungUpHere, .hungUpThere, nil: .wrongState("the call with \(peer) is over")
        }
    }

    private func wake(loop: EventLoop) {
        for (number, waiter) in waiters {
            guard let outcome = outcome(of: waiter.phase) else { continue }
            waiters[number] = nil
            loop.cancel(waiter.timer)
            waiter.continuation.resume(with: outcome)
        }
    }
}
