import Contracts
import Deadlines
import SIP

/// The legs of a call that are being taken, one after the other: which belong to it shows when the first are there.
final class Claim {
    struct Name {
        let id: String
        /// Whoever has the first leg has the call.
        let root: String
        let former: String?
    }

    /// In the order they are taken; those before `place` have been looked at.
    var names: [Name]
    var place = 0
    var claimed: [Leg] = []
    var missing: [String: Adoption] = [:]
    /// It goes on in this one.
    var successor: Claim?
    var waiters: [CheckedContinuation<Void, Never>] = []

    init(_ root: String, _ wanted: String, from former: String?) {
        names = [Name(id: root, root: root, former: former)]
        if wanted != root { names.append(Name(id: wanted, root: root, former: former)) }
    }

    func add(_ ids: [String], of name: Name) {
        for id in ids where !names.contains(where: { $0.id == id }) { names.append(Name(id: id, root: name.root, former: name.former)) }
    }

    /// Another has it; and all of the call, when it is the first leg.
    func isOwned(_ name: Name, by owner: String) {
        missing[name.id] = .owned(by: owner)
        guard name.id == name.root else { return }
        for left in names[place...] where left.root == name.id { missing[left.id] = .owned(by: owner) }
        names = names[..<place] + names[place...].filter { $0.root != name.id }
    }

    func goOn(in other: Claim) {
        successor = other
        other.names += names[place...].filter { name in !other.names.contains { $0.id == name.id } }
        other.claimed += claimed
        other.missing.merge(missing) { $1 }
        other.waiters += waiters
        (claimed, waiters) = ([], [])
    }

    /// That it has become part of.
    var whole: Claim { successor?.whole ?? self }
}

extension CallEngine {
    /// Takes the legs of a call. A leg that has just changed its company belongs to two calls, which may be taken at the same time: both asked for
    /// it, the second would raise the epoch that the first goes on with. So who comes upon a leg that is being taken goes on with who takes it.
    func claim(_ root: String, _ wanted: String, from former: String?) async -> Adoption {
        let claim = Claim(root, wanted, from: former)
        while claim.place < claim.names.count {
            let name = claim.names[claim.place]
            let id = name.id
            if let other = claimants[id], other !== claim {
                claim.goOn(in: other)
                for (leg, claimant) in claimants where claimant === claim { claimants[leg] = other }
                await withCheckedContinuation { other.waiters.append($0) }
                break
            }
            claim.place += 1
            // What has just ended here is no former life's.
            if legs[id] != nil { continue }
            // What was given away a moment ago is not for us to take back.
            if let heir = heir(of: id), name.former == nil || name.former == runtime.instance {
                claim.isOwned(name, by: heir)
                continue
            }
            if journal.holds(id) {
                claim.missing[id] = .over
                continue
            }
            claimants[id] = claim
            switch await journal.succeed(id, from: name.former) {
            case .taken(let leg):
                claim.claimed.append(leg)
                // A leg that has just changed its company belongs to another first leg than its name led to.
                claim.add(leg.family + [leg.record.parentCallID].compactMap(\.self), of: name)
            case .owned(let owner): claim.isOwned(name, by: owner)
            case .over: claim.missing[id] = .over
            case .unknown: claim.missing[id] = .unknown
            }
        }
        if claim.successor == nil {
            goOn(with: claim.claimed, claim.missing, from: former ?? runtime.instance)
            for (leg, claimant) in claimants where claimant === claim { claimants[leg] = nil }
            for waiter in claim.waiters { waiter.resume() }
        }
        return legs[wanted] != nil ? .adopted : claim.whole.missing[wanted] ?? .unknown
    }

    // MARK: Seats

    /// Whether somebody of these legs' calls, taken over a moment ago, is still asking for its seat: nobody is brought together there before.
    func isSeating(_ ids: [String?]) -> Bool {
        ids.contains { id in
            guard let leg = id.flatMap({ legs[$0]?.leg }) else { return false }
            let first = leg.record.parentCallID ?? leg.record.id
            return ([first] + (legs[first]?.leg.children ?? [])).contains { id in
                legs[id].map { $0.former != nil && $0.leg.phase == .up && ($0.leg.seat.stage == .joining || $0.leg.seat.stage == .linking) } ?? false
            }
        }
    }

    func isSeating(_ named: DialogReference, with id: String? = nil) -> Bool { isSeating([id, legsByCallID[named.callID]?.leg]) }

    func untilSeated(_ named: DialogReference, with id: String? = nil) async {
        let end = loop.now + .seconds(2)
        while isSeating(named, with: id), loop.now < end { try? await Task.sleep(for: .milliseconds(10)) }
    }
}
