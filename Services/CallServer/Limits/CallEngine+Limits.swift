import Cache
import Contracts
import Deadlines
import Telemetry

/// The limits as the engine holds them: the table, and what each live leg is counted under.
struct LimitedCalls {
    let allowances: Allowances
    var table: CallLimitTable
    fileprivate var keys: [String: [String]] = [:]
    /// Those that are refreshed next.
    fileprivate var due: [String] = []

    init(cache: Cache, defaults: CallLimitTable.Defaults) {
        allowances = Allowances(cache: cache, name: "limits")
        table = CallLimitTable(defaults: defaults)
    }
}

/// Limits on calls, exact over all instances: Redis counts. A new leg's question goes to Redis right before its first snapshot, on the same
/// connection, so its answer is there before most of the leg can be seen outside; a 200 waits for it where it is not.
extension CallEngine {
    private static let refreshes = 20
    private static let overLimit = Counter("tandem_call_over_limit_total", "call legs refused because of a customer's, trunk's or destination's limit")
    private static let unchecked = Counter("tandem_call_limits_unchecked_total", "call legs let in without a look at the limits: Redis was away")

    /// Counts a new leg; what has no room is refused.
    func admit(_ id: String) {
        guard let leg = legs[id]?.leg, let counted = leg.counted else { return }
        let applied = limited.table.bounds(on: counted, of: leg.record.customerID)
        guard !applied.isEmpty else { return }
        if let longest = applied.compactMap(\.maxCallSeconds).min() {
            legs[id]?.leg.limits.duration = min(leg.limits.duration, .seconds(longest))
        }
        limited.keys[id] = applied.map(\.bound.key)
        // An outbound leg is up when its phone has answered, and that is called after Redis has.
        let waits = leg.isInbound
        if waits { legs[id]?.leg.awaitsAdmission = true }
        limited.allowances.admit(id, under: Self.bounds(applied, counted)) { [loop] result in
            let over = Self.verdict(result, applied)
            guard waits || over != nil else { return }
            loop.post { self.assumeIsolated { $0.handle(id, over.map { .overLimit($0) } ?? .admitted) } }
        }
    }

    /// The same for a call that the API asks for: it is told so, and no call comes into being.
    func admitted(_ leg: Leg) async throws {
        guard let counted = leg.counted else { return }
        let applied = limited.table.bounds(on: counted, of: leg.record.customerID)
        guard !applied.isEmpty else { return }
        let result = await withCheckedContinuation { continuation in
            limited.allowances.admit(leg.record.id, under: Self.bounds(applied, counted)) { continuation.resume(returning: $0) }
        }
        guard let over = Self.verdict(result, applied) else { return }
        throw RPCError(.exhausted, over.detail)
    }

    /// The leg is over: its place is free.
    func uncount(_ id: String) {
        guard let leg = legs[id]?.leg, let counted = leg.counted else { return }
        legs[id]?.leg.counted = nil
        // Of one that was taken over a moment ago nobody has looked yet what it is counted under.
        let keys = limited.keys.removeValue(forKey: id) ?? keys(of: counted, leg)
        // Its heir counts before it does not any more: no other call comes in between.
        if let heir = leg.bequest?.heir, let next = legs[heir]?.leg, next.counted != nil, !next.isEnded,
            let inherited = next.countInherited(from: counted)
        {
            count(heir, under: self.keys(of: inherited, next))
        }
        limited.allowances.release(id, under: keys)
    }

    /// It counts as something else: as long as it is up nothing refuses it.
    func recount(_ id: String) {
        guard let leg = legs[id]?.leg, !leg.isEnded, let counted = leg.counted else { return }
        count(id, under: keys(of: counted, leg))
    }

    private func count(_ id: String, under keys: [String]) {
        let before = limited.keys[id] ?? []
        limited.keys[id] = keys.isEmpty ? nil : keys
        for key in keys where !before.contains(key) { limited.allowances.refresh([id], under: key) }
        limited.allowances.release(id, under: before.filter { !keys.contains($0) })
    }

    private func keys(of counted: Leg.Counted, _ leg: Leg) -> [String] {
        limited.table.bounds(on: counted, of: leg.record.customerID).map(\.bound.key)
    }

    private static func bounds(_ applied: [CallLimitTable.Applied], _ counted: Leg.Counted) -> [Allowances.Bound] {
        counted.isExempt ? applied.map { Allowances.Bound(key: $0.bound.key, atOnce: nil, perSecond: nil) } : applied.map(\.bound)
    }

    private static func verdict(
        _ result: Result<Allowances.Verdict, CacheError>, _ applied: [CallLimitTable.Applied]
    ) -> Leg.OverLimit? {
        switch result {
        case .success(.admitted): return nil
        case .success(.full(let place)), .success(.tooFast(let place)):
            guard applied.indices.contains(place) else { return nil }
            overLimit.add()
            var isRate = false
            if case .success(.tooFast) = result { isRate = true }
            return Leg.OverLimit(scope: applied[place].scope, target: applied[place].target, isRate: isRate)
        case .failure:
            unchecked.add()
            return nil
        }
    }

    // MARK: Going on

    /// Refreshes what is counted, a part of it at a time, under the limits as they are now: those of a predecessor and those that began before
    /// there was a limit, too.
    func refreshLimits() {
        if mayAct() { refreshSome() }
        let pause = Interval.milliseconds(Int(Allowances.refreshPause.milliseconds) / Self.refreshes)
        loop.schedule(at: loop.now + pause) { self.assumeIsolated { $0.refreshLimits() } }
    }

    private func refreshSome() {
        if limited.due.isEmpty { limited.due = Array(legs.keys) }
        var members: [String: [String]] = [:]
        for id in limited.due.suffix(legs.count / Self.refreshes + 1) {
            guard let leg = legs[id]?.leg, !leg.isEnded, let counted = leg.counted else { continue }
            let keys = keys(of: counted, leg)
            limited.keys[id] = keys.isEmpty ? nil : keys
            for key in keys { members[key, default: []].append(id) }
        }
        limited.due.removeLast(min(limited.due.count, legs.count / Self.refreshes + 1))
        for (key, members) in members { limited.allowances.refresh(members, under: key) }
    }

    func use(_ table: CallLimitTable) { limited.table = table }
}
