import Contracts
import Flow

/// Phones that come into a call that there is (RFC 3891, RFC 3911), and what an inbound leg begins with.
extension Leg {
    /// Who takes a place in a call is expected there; all others are looked up.
    mutating func begin(_ number: String, into effects: inout [LegEffect]) {
        if takesPlaceOf != nil || joins != nil { return }
        guard let conference = joinsConference else { return effects.append(.resolve(number: number)) }
        // As if it had dialled the conference: who may come in is for the conference to say.
        var join = ConferenceJoin()
        join.conferenceID = conference
        program = Program(flowID: nil, actions: [Action(id: "conference", .conferenceJoin(join))])
        startRun(into: &effects)
    }

    /// Of who has answered, or was called.
    var connectedNumber: String {
        bridgedChild.flatMap { performing?.dialling?.numbers[$0] }.map { DialledNumber($0).user } ?? record.to
    }

    /// Somebody has sat down beside those who talk, or who will: until then it hears that it rings. It stays as long as the call does.
    mutating func joined(by newcomer: String, into effects: inout [LegEffect]) {
        if phase == .up, bridgedChild != nil || performing?.action.kind.makesCalls != true { effects.append(.tellChild(newcomer, .waiting(false))) } else {
            effects.append(.tellChild(newcomer, .waiting(true)))
        }
        guard !children.contains(newcomer) else { return }
        children.append(newcomer)
        publish("call.joined", with: ["joined_call_id": .string(newcomer)], into: &effects)
    }

    /// Those who have joined while it rang hear who talks.
    mutating func letJoinedHear(into effects: inout [LegEffect]) {
        for child in children where child != bridgedChild && child != transfer?.child && performing?.children?.contains(child) != true {
            effects.append(.tellChild(child, .waiting(false)))
        }
    }

    // MARK: Attended transfers

    /// Whose place it takes in another call, whose first leg that is, and whom it leaves; nil: nobody.
    struct Arrival: Codable, Sendable, Equatable {
        var first: String
        var replaces: String
        var leaves: String?
    }

    /// How the partners of two legs of one phone's come together (RFC 5589 §7): who goes, and where to.
    struct Encounter: Sendable {
        var partner: String
        var arrival: Arrival
        var roomID: String
        var instance: String
    }

    /// The partner of the other leg comes into the room of this one, and takes its place there; nil when there are not two in each call, or
    /// when they are busy.
    static func encounter(_ id: String, and otherID: String, among legs: (String) -> Leg?) -> Encounter? {
        guard let leg = legs(id), let other = legs(otherID), otherID != id,
            let first = legs(leg.record.parentCallID ?? id), let otherFirst = legs(other.record.parentCallID ?? otherID),
            first.record.id != otherFirst.record.id, first.bridgedChild != nil, let child = otherFirst.bridgedChild,
            first.isSeated, otherFirst.isSeated, first.seat.conferenceID == nil, otherFirst.seat.conferenceID == nil,
            first.transfer == nil, otherFirst.transfer == nil,
            otherID == otherFirst.record.id || child == otherID, first.record.id == id || first.bridgedChild == id
        else { return nil }
        let partner = otherID == otherFirst.record.id ? child : otherFirst.record.id
        return Encounter(
            partner: partner, arrival: Arrival(first: first.record.id, replaces: id, leaves: otherID), roomID: first.seat.roomID,
            instance: first.seat.instance)
    }

    /// Whether its phone's attended transfer was accepted and is not over.
    var isBringingTogether: Bool { phase == .up && referral?.isAttended == true && referral?.told == 100 }

    /// Who is to talk there goes there first: only then do those leave who bring the two together.
    mutating func arrive(_ wanted: Arrival, roomID: String, instance: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard phase == .up, isSeated, arrival == nil, seat.roomID != roomID else {
            return effects.append(.tellChild(wanted.replaces, .referralTold(480)))
        }
        arrival = wanted
        moveRequested(roomID: roomID, instance: instance, conferenceID: nil, at: moment, into: &effects)
    }

    /// It sits there.
    mutating func arrived(at moment: Moment, into effects: inout [LegEffect]) {
        guard let arrival, phase == .up, isSeated else { return }
        (self.arrival, arrived) = (nil, arrival)
        if let former = arrival.leaves {
            if record.parentCallID == former {
                adopted(by: arrival.first, into: &effects)
                effects.append(.tellChild(former, .partnerGoesElsewhere(record.id)))
            } else {
                goesElsewhere(to: arrival.first, without: former, at: moment, into: &effects)
            }
        }
        effects.append(.tellParent(.placeTaken(of: arrival.replaces, by: record.id)))
    }

    mutating func arrivalFailed(into effects: inout [LegEffect]) {
        guard let arrival else { return }
        self.arrival = nil
        effects.append(.tellChild(arrival.replaces, .referralTold(480)))
    }
}
