import Contracts
import Deadlines

@testable import CallServer

/// What each leg was handed, when, and what it wanted done: with the leg as it was at the beginning, all that is needed to do it again.
struct LegLog {
    enum Entry {
        case begun(Moment, [LegEffect])
        case resumed(offer: String?, Moment, [LegEffect])
        case applied(LegEvent, Moment, [LegEffect])
        /// What surrounds it wrote into it: names, dialogs.
        case amended(@Sendable (inout Leg) -> Void)

        /// What a leg wants done that is handed this, and what was wanted.
        fileprivate func hand(to leg: inout Leg) -> (now: [LegEffect], then: [LegEffect]) {
            switch self {
            case .begun(let moment, let then): return (leg.begin(at: moment), then)
            case .resumed(let offer, let moment, let then): return (leg.resume(offer: offer, at: moment), then)
            case .applied(let event, let moment, let then): return (leg.apply(event, at: moment), then)
            case .amended(let change):
                change(&leg)
                return ([], [])
            }
        }
    }

    /// A leg with one owner.
    struct Life {
        var start: Leg
        var entries: [Entry] = []
        /// As it was after the last of them.
        var end: Leg
    }

    private var lives: [String: Life] = [:]
    private(set) var closed: [Life] = []

    mutating func open(_ leg: Leg) {
        close(leg.record.id)
        lives[leg.record.id] = Life(start: leg, end: leg)
    }

    mutating func note(_ entry: Entry, _ leg: Leg) {
        lives[leg.record.id]?.entries.append(entry)
        lives[leg.record.id]?.end = leg
    }

    mutating func close(_ id: String) {
        if let life = lives.removeValue(forKey: id) { closed.append(life) }
    }

    mutating func closeAll() { for id in lives.keys.sorted() { close(id) } }
}

extension LegLog.Life {
    /// Hands the same to a leg once more; nil when it does the same and becomes the same. `throughSnapshot`: half-way it goes on from what is written of it.
    func difference(throughSnapshot: Bool) throws -> String? {
        var leg = start
        for (place, entry) in entries.enumerated() {
            if throughSnapshot, place == entries.count / 2 { leg = try JSON.roundTrip(leg) }
            let effects = entry.hand(to: &leg)
            let (now, then) = (Plain.text(effects.now), Plain.text(effects.then))
            if now != then { return "\(start.record.id) at \(place) of \(entries.count): \(now) instead of \(then)" }
        }
        let (now, then) = (Plain.text(try JSON.roundTrip(leg)), Plain.text(try JSON.roundTrip(end)))
        return now == then ? nil : "\(start.record.id): \(now) instead of \(then)"
    }
}

/// A value in words, which are the same for equal values: what has no order is sorted.
enum Plain {
    static func text(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        guard !mirror.children.isEmpty else { return String(describing: value) }
        let parts = mirror.children.map { child in (child.label.map { "\($0): " } ?? "") + text(child.value) }
        let isOrdered = mirror.displayStyle != .dictionary && mirror.displayStyle != .set
        return "(" + (isOrdered ? parts : parts.sorted()).joined(separator: ", ") + ")"
    }
}
