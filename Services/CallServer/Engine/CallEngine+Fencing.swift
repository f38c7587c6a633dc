import Bus
import Contracts
import Deadlines
import SIP
import ServiceKit

/// A process that stood still (SIGSTOP, a machine that was paused) may have lost its calls to others meanwhile: before it says anything
/// to a phone it asks whose they are (RELIABILITY K9). What it writes or commands with an old epoch is refused anyway.
extension CallEngine {
    private static let beatPause = Interval.milliseconds(100)
    /// Less than after what others call an instance dead.
    private static let standstill = Interval.milliseconds(700)
    private static let askedAtOnce = 1_000

    func beat() {
        _ = mayAct()
        lastBeat = loop.now
        loop.schedule(at: loop.now + Self.beatPause) { self.assumeIsolated { $0.beat() } }
    }

    /// Whether this instance may speak; false until it is known again which calls are its own.
    func mayAct() -> Bool {
        guard !isFrozen else { return false }
        guard lastBeat.nanoseconds > 0, loop.now - lastBeat > Self.standstill, !legs.isEmpty else { return true }
        isFrozen = true
        logger.notice("stood still for \(Int((loop.now - lastBeat).milliseconds)) ms: asks which calls are still its own")
        Task { await self.thaw() }
        return false
    }

    private func thaw() async {
        for id in await lostCalls() { abandon(id) }
        (isFrozen, lastBeat) = (false, loop.now)
        let saves = frozenSaves
        frozenSaves = []
        for save in saves { written(save.id, save.revision) }
        let waiting = frozenMessages
        frozenMessages = []
        for message in waiting { deliver(message) }
        layer.expire(now: loop.now, into: &outbox)
        drain()
        readable()
        armAllTimers()
        armLayer()
    }

    /// Redis knows whose the calls are. While it is away from here it may be there for others: they are asked, until one of the two answers.
    private func lostCalls() async -> [String] {
        var isSaid = false
        while true {
            if let lost = await journal.lostLeases() { return lost }
            if let lost = await callsOfOthers() { return lost }
            if !isSaid { logger.warning("whose the calls are neither Redis nor another call server can be asked: they wait") }
            isSaid = true
            try? await Task.sleep(for: .nanoseconds(Self.beatPause.nanoseconds))
        }
    }

    /// Those of our calls that others have; nil when one of the others does not say.
    func callsOfOthers() async -> [String]? {
        let claims = legs.map { (id: $0.key, epoch: $0.value.leg.epoch) }
        var lost: [String] = []
        for other in runtime.fleet.living(.callServer).map(\.instance) where other != runtime.instance {
            for start in stride(from: 0, to: claims.count, by: Self.askedAtOnce) {
                let chunk = claims[start..<min(start + Self.askedAtOnce, claims.count)]
                let asked = HeldCalls(epochs: Dictionary(chunk.map { ($0.id, $0.epoch) }) { $1 })
                do throws(RPCError) {
                    lost += try await bus.call(asked, to: .instance(other), context: CallContext(deadline: .milliseconds(500))).ids
                } catch {
                    // One that is gone has none, and one of an older version says of none.
                    guard Bus.isUnserved(error) || error.code == .invalid else { return nil }
                }
            }
        }
        return lost
    }

    /// Those that are here, at a higher epoch than whoever asks has them.
    func taken(of epochs: [String: UInt64]) -> [String] {
        epochs.compactMap { id, epoch in (legs[id]?.leg.epoch ?? 0) > epoch ? id : nil }
    }

    /// Nothing of a leg that belongs to another is repeated or answered any more.
    func fallSilent(_ id: String, _ entry: Entry) {
        journal.drop(id)
        for waiting in entry.whenSaved { waiting.done(false) }
        let answered = Array(entry.unacknowledged)
        for transaction in [entry.invite, entry.reinvite].compactMap(\.self) + answered + invites.filter({ $0.value == id }).map(\.key) {
            layer.forget(transaction)
            invites[transaction] = nil
        }
        for transaction in entry.branches.values {
            layer.forget(transaction)
            purposes[transaction] = nil
        }
        for (transaction, purpose) in purposes {
            switch purpose {
            case .move(id, _, _), .refresh(id, _), .referral(id), .notice(id), .notify(id, _): break
            default: continue
            }
            layer.forget(transaction)
            purposes[transaction] = nil
        }
    }
}
