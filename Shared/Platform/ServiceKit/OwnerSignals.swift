public import Bus
public import Cache
public import Contracts
internal import Deadlines
internal import Synchronization
internal import Telemetry
internal import Threads

/// Tells the owner of a call what happened to it: one thing after the other, until the owner has written it down, or whoever goes on
/// with the call after the owner's death (RELIABILITY §4.4). Callers do not wait, on whatever thread they are.
public final class OwnerSignals: Sendable {
    private static let perCall = 64
    private static let calls = 10_000
    /// An owner that lives answers within milliseconds.
    private static let answerTime = Interval.milliseconds(700)
    private static let (pause, longestPause) = (Interval.milliseconds(100), Interval.milliseconds(500))
    /// By then the call has another owner, or none; the broker, or all call servers, may have been away meanwhile (RELIABILITY D1, K8).
    private static let patience = Interval.seconds(120)
    private static let lost = Counter("tandem_signals_lost_total", "what happened to calls and no owner could be told")

    private struct Signal: Sendable {
        let send: @Sendable (_ owner: String, _ key: String, @escaping @Sendable (RPCError?) -> Void) -> Void
        let key: String
        let owner: String
        let end: Instant
    }

    private let bus: Bus
    private let snapshots: Snapshots
    /// What waits, by call; the first of each is on its way.
    private let waiting = Mutex<[String: [Signal]]>([:])
    private let number = Atomic<UInt64>(.random(in: 0 ... .max))

    public init(bus: Bus, cache: Cache) { (self.bus, snapshots) = (bus, Snapshots(cache: cache)) }

    /// A name nobody else gives.
    public func newKey() -> String { String(number.wrappingAdd(1, ordering: .relaxed).newValue, radix: 36) }

    /// `key` is the same however often it is told.
    public func tell<C: Command>(_ command: C, about call: String, to owner: String, key: String? = nil) where C.Reply == Done {
        guard !owner.isEmpty else { return }
        let signal = Signal(
            send: { [bus] owner, key, done in
                bus.call(command, to: .instance(owner), context: CallContext(idempotencyKey: key, deadline: Self.answerTime)) { result in
                    switch result {
                    case .success: done(nil)
                    case .failure(let error): done(error)
                    }
                }
            }, key: key ?? newKey(), owner: owner, end: MonotonicClock.now() + Self.patience)
        let isFirst: Bool? = waiting.withLock { waiting in
            guard let queue = waiting[call] else {
                guard waiting.count < Self.calls else { return nil }
                waiting[call] = [signal]
                return true
            }
            guard queue.count < Self.perCall else { return nil }
            waiting[call]?.append(signal)
            return false
        }
        guard let isFirst else { return Self.lost.add() }
        if isFirst { attempt(signal, about: call, to: owner) }
    }

    /// `strangers`: how often it was told to somebody who did not know the call. Whoever is just taking it over does not yet, and would
    /// answer the same key with the same words again: it is another key then, as nothing was done under the one before.
    private func attempt(_ signal: Signal, about call: String, to owner: String, strangers: Int = 0, pause: Interval = pause) {
        signal.send(owner, strangers == 0 ? signal.key : "\(signal.key)/\(strangers)") { [self] error in
            guard let error else { return next(about: call) }
            switch error.code {
            case .unavailable, .timeout, .notFound:
                let strangers = error.code == .notFound ? strangers + 1 : strangers
                Task { await again(signal, about: call, askedWas: owner, error, strangers, after: pause) }
            default:
                next(about: call)
            }
        }
    }

    /// Whoever has the lease now is asked; a call that its owner does not know and nobody holds is over.
    private func again(_ signal: Signal, about call: String, askedWas asked: String, _ error: RPCError, _ strangers: Int, after pause: Interval) async {
        guard MonotonicClock.now() < signal.end else {
            Self.lost.add()
            return next(about: call)
        }
        let owner: String?
        do throws(CacheError) { owner = try await snapshots.owner(of: "call", call) } catch { owner = asked }
        if owner == nil, error.code == .notFound { return next(about: call) }
        try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
        attempt(signal, about: call, to: owner ?? asked, strangers: strangers, pause: min(pause * 2, Self.longestPause))
    }

    private func next(about call: String) {
        let signal: Signal? = waiting.withLock { waiting in
            guard var queue = waiting[call] else { return nil }
            queue.removeFirst()
            waiting[call] = queue.isEmpty ? nil : queue
            return queue.first
        }
        if let signal { attempt(signal, about: call, to: signal.owner) }
    }
}
