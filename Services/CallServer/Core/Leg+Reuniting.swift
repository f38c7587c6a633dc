import Contracts

/// What one leg of a call did and another has not heard of, as whoever has taken them all over finds it. Hearing it twice changes nothing.
extension Leg {
    enum Reunion: Sendable {
        case tell(String, LegEvent)
        /// Done in the name of this leg.
        case perform(LegEffect)
    }

    /// The legs that belong to the call with this one, its first.
    var family: [String] { children + (bequest.map { [$0.heir, $0.newcomer] } ?? []) }

    /// Why a leg that was looked for is not here.
    enum Absence: Sendable {
        /// Nobody has ever seen anything of it.
        case unknown
        case over
    }

    /// `leg`: those that are here. `absence`: of those that were looked for; any other is just being made.
    func reunion(with leg: (String) -> Leg?, absence: (String) -> Absence?) -> [Reunion] {
        let id = record.id
        var steps: [Reunion] = []
        for child in children where leg(child)?.hasLeft(id) == true && !isEnded { steps.append(.tell(id, .partnerGoesElsewhere(child))) }
        for child in children where leg(child) == nil && !isEnded {
            guard let absence = absence(child) else { continue }
            // A child that nobody ever saw is made again; one that has ended has ended.
            if absence == .unknown, let effect = childAgain(child) { steps.append(.perform(effect)) } else {
                steps.append(.tell(id, .childEnded(child, Status(code: 480, cause: 31), .failed)))
            }
        }
        if let sending = sendingAgain(leg) { steps.append(sending) }
        // One that goes on by itself may have said so, or will when it sits.
        for child in children where !isEnded {
            guard let other = leg(child), !other.isEnded, other.record.parentCallID == nil, other.departure == nil, !other.hasLeft(id) else { continue }
            let isSent = referral?.program != nil && referral?.told == 100 && child == bridgedChild
            steps.append(.tell(id, Departure(parent: id, isSent: isSent).event(of: child)))
        }
        steps += bequeathing(to: leg)
        // The one it has left may not know.
        if let former = arrived?.leaves, let other = leg(former), !other.isEnded {
            if other.children.contains(id) { steps.append(.tell(former, .partnerGoesElsewhere(id))) }
            if other.record.parentCallID == id { steps.append(.tell(former, .replaced)) }
        }
        guard let parentID = record.parentCallID else { return steps }
        guard let parent = leg(parentID), !parent.isEnded else {
            if let parent = leg(parentID), parent.isBequeathed(to: id) { return steps + parent.bequeathing(to: leg) }
            if !isEnded { steps.append(.tell(id, .parentEnded)) }
            return steps
        }
        if parent.hasLeft(id) {
            if !isEnded { steps.append(.tell(id, .replaced)) }
        } else if isEnded {
            let status = Status(code: record.sipCode ?? 480, cause: record.hangupCause ?? 31).made(by: record.hangupBy ?? "platform")
            steps.append(.tell(parentID, .childEnded(id, status, record.status)))
        } else if takesPlaceOf != nil || joins == true {
            // It is on its way into the call, and says so when it sits there.
        } else if joins == false {
            steps.append(.tell(parentID, .joinedBy(id)))
        } else if let bridged = parent.bridgedChild, bridged != id, parent.transfer?.child != id, parent.children.contains(id) {
            // Another talks in its stead.
            steps.append(.tell(id, .replaced))
        } else if parent.children.contains(id) {
            if record.ringingAt != nil { steps.append(.tell(parentID, .childRang(id))) }
            if isForItsParent, parent.bridgedChild == nil || parent.transfer?.child == id { steps.append(.tell(parentID, .childAnswered(id))) }
        } else if let arrived, arrived.first == parentID {
            steps.append(.tell(parentID, .placeTaken(of: arrived.replaces, by: id)))
        } else if parent.performing?.isStarted == true, parent.performing?.action.kind.makesCalls == true {
            // The parent has given it up; one that has not come to it yet will find it.
            steps.append(.tell(id, .parentEnded))
        }
        return steps
    }

    /// It has gone to talk in another call.
    private func hasLeft(_ other: String) -> Bool { arrived?.leaves == other }

    private func isBequeathed(to leg: String) -> Bool { bequest.map { $0.heir == leg || $0.newcomer == leg } == true }

    /// It has left the call, and those who go on with it may not know yet.
    private func bequeathing(to leg: (String) -> Leg?) -> [Reunion] {
        guard let bequest, isEnded else { return [] }
        let (heir, newcomer) = (leg(bequest.heir), leg(bequest.newcomer))
        var steps: [Reunion] = []
        if let heir, heir.record.parentCallID == record.id {
            steps.append(.tell(bequest.heir, .inherited(bequest)))
        }
        guard newcomer?.record.parentCallID == record.id, newcomer?.isEnded == false else { return steps }
        steps.append(.tell(bequest.newcomer, heir.map(\.isEnded) == false ? .adopted(by: bequest.heir) : .parentEnded))
        return steps
    }
}
