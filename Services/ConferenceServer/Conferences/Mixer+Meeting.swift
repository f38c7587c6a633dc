import Addresses
import Contracts
import Deadlines

// Conferences in rooms: who is let in, and what follows when somebody comes or goes.
extension Mixer {
    static let locked = RPCError(
        .conflict, "the conference is locked",
        problems: [Problem(pointer: "", code: Entrance.Refusal.locked.rawValue, detail: "nobody more is let in")])
    /// A look at conferences every 100 ms.
    private static let ticksBetweenLooks: UInt64 = 5
    private static let humEvery = Interval.seconds(5)

    /// The mixer's own time: that of its ticks.
    var now: Instant { Instant(nanoseconds: 0) + MixerLoop.tick * Int(clamping: tickNumber) }

    /// Takes a seat in a conference: inside, or before it until a PIN is given.
    mutating func join(
        _ identity: RoomIdentity, _ settings: ParticipantSettings, relay: SocketAddress, at time: Timestamp, _ rules: MeetingRules
    ) throws(RPCError) -> UInt32 {
        let isNew = slot(of: settings.participantID, in: identity.id) == nil
        if isNew, meeting(in: identity.id)?.refusesNewcomers ?? rules.policy.locked { throw Self.locked }
        let ssrc = try join(identity, settings, relay: relay, at: time)
        guard isNew, let slot = slot(of: settings.participantID, in: identity.id) else { return ssrc }
        let room = seats[slot].room
        if var meeting = rooms[room].meeting {
            meeting.rules = rules
            rooms[room].meeting = meeting
        } else {
            rooms[room].meeting = Meeting(rules)
        }
        touch(room: room)
        touch(slot)
        if rules.pins.isEmpty {
            admit(slot, as: .member)
        } else {
            seats[slot].attendance.presence = .entering
            seats[slot].attendance.entrance = Entrance(rules.pins, rules.entrance, now: now)
            say(.pin, to: slot)
        }
        return ssrc
    }

    func meeting(in room: String) -> Meeting? { roomIndex[room].flatMap { rooms[$0].meeting } }

    /// A key in a conference; true when it is nobody else's business: a PIN.
    mutating func steer(_ key: Character, slot: Int) -> Bool {
        guard let meeting = rooms[seats[slot].room].meeting, !seats[slot].isOutsider else { return false }
        if seats[slot].attendance.presence == .entering {
            guard var entrance = seats[slot].attendance.entrance else { return true }
            seats[slot].spoken.clear()
            let step = entrance.press(key, now: now)
            seats[slot].attendance.entrance = entrance
            take(step, slot: slot)
            return true
        }
        if meeting.rules.policy.digitControls, let control = seats[slot].attendance.keys.press(key, now: now) {
            perform(control, slot: slot)
        }
        return false
    }

    /// Whether keys pass from one phone of this room to the other.
    func forwardsKeys(from slot: Int, to other: Int) -> Bool {
        guard let meeting = rooms[seats[slot].room].meeting else { return true }
        return !meeting.rules.policy.digitControls && seats[slot].isInside && seats[other].isInside
    }

    private mutating func take(_ step: Entrance.Step, slot: Int) {
        switch step {
        case .wait: break
        case .askAgain:
            seats[slot].chime.start(.wrongPIN)
            say(.wrongPIN, to: slot)
        case .admit(let role): admit(slot, as: role)
        case .refuse(let refusal): expel(slot, refusal.rawValue)
        }
    }

    private mutating func admit(_ slot: Int, as role: Role) {
        let room = seats[slot].room
        guard var meeting = rooms[room].meeting else { return }
        guard !meeting.refusesNewcomers else {
            expel(slot, Entrance.Refusal.locked.rawValue)
            return
        }
        let policy = meeting.rules.policy
        seats[slot].attendance.entrance = nil
        seats[slot].attendance.role = role
        seats[slot].attendance.isHeldMuted = role == .guest || (meeting.isMuted && role != .moderator)
        seats[slot].attendance.mutedItself = policy.muteOnEntry && role != .moderator
        let waits = meeting.keepsWaiting && role != .moderator
        seats[slot].attendance.presence = waits ? .waiting : .inside
        seats[slot].attendance.humAt = now
        if !waits, policy.announce != .name, policy.hasEntryTone { meeting.chime.start(.entry) }
        rooms[room].meeting = meeting
        report(.joined, slot: slot)
        seats[slot].spoken.clear()
        if waits { say(.waiting, to: slot) } else { announce(slot, .joined) }
        if role == .moderator { moderatorCame(to: room) }
        startIfNeeded(room)
    }

    private mutating func startIfNeeded(_ room: Int) {
        guard var meeting = rooms[room].meeting, !meeting.hasStarted, rooms[room].seats.contains(where: { seats[$0].isInside })
        else { return }
        meeting.hasStarted = true
        rooms[room].meeting = meeting
        touch(room: room)
        news.append(ConferenceNews(kind: .started, room: rooms[room].identity))
    }

    /// Whoever waited is inside now.
    mutating func moderatorCame(to room: Int) {
        guard var meeting = rooms[room].meeting else { return }
        (meeting.isOpen, meeting.endsAt) = (true, nil)
        rooms[room].meeting = meeting
        touch(room: room)
        letIn(room)
    }

    mutating func letIn(_ room: Int) {
        for slot in rooms[room].seats where seats[slot].attendance.presence == .waiting {
            seats[slot].attendance.presence = .inside
            seats[slot].spoken.clear()
            report(.admitted, slot: slot)
            announce(slot, .joined)
        }
        startIfNeeded(room)
    }

    /// The conference ends with its moderators, unless one comes back in time.
    mutating func endWithoutModerator(_ room: Int) {
        guard var meeting = rooms[room].meeting, meeting.rules.policy.endWhenModeratorLeaves, meeting.endsAt == nil,
            !rooms[room].seats.contains(where: { seats[$0].isInside && seats[$0].attendance.role == .moderator })
        else { return }
        meeting.endsAt = now + meeting.rules.grace
        rooms[room].meeting = meeting
        touch(room: room)
    }

    /// Somebody has left; called while the seat still knows who it was.
    mutating func farewell(_ departure: Departure, slot: Int, room: Int) {
        guard var meeting = rooms[room].meeting, seats[slot].attendance.presence != .entering, !seats[slot].isOutsider else {
            return
        }
        news.append(ConferenceNews(kind: .left, room: departure.room, participant: departure.member.participant))
        guard rooms[room].seats.contains(where: { seats[$0].attendance.presence != .entering && !seats[$0].isOutsider }) else {
            if meeting.hasStarted { news.append(ConferenceNews(kind: .ended, room: departure.room)) }
            // Who still gives a PIN comes to the next one.
            rooms[room].meeting = Meeting(meeting.rules)
            touch(room: room)
            return
        }
        if meeting.rules.policy.speakerEvents { meeting.speaker.leave(slot) }
        let policy = meeting.rules.policy
        if policy.announce != .name, policy.hasExitTone, seats[slot].isInside { meeting.chime.start(.exit) }
        rooms[room].meeting = meeting
        if seats[slot].isInside { announce(slot, .left) }
        if seats[slot].attendance.role == .moderator { endWithoutModerator(room) }
    }

    /// Puts somebody out and tells the call's owner, who goes on with the flow; with the reason when it was never inside.
    mutating func expel(_ slot: Int, _ reason: String?) {
        let stream = seats[slot].stream
        stream?.line.close(.roomEnded)
        let departure = vacate(slot)
        guard stream == nil else { return }
        expelled.append(Expulsion(departure: departure, reason: reason))
    }

    mutating func report(_ kind: ConferenceNews.Kind, slot: Int) {
        touch(slot)
        guard !seats[slot].isOutsider else { return }
        let identity = rooms[seats[slot].room].identity
        news.append(ConferenceNews(kind: kind, room: identity, participant: member(slot).participant))
    }

    var hasNews: Bool { !news.isEmpty || !expelled.isEmpty || !tapEnds.isEmpty || !spokenOrders.isEmpty }

    mutating func takeNews() -> [ConferenceNews] { exchange(&news, with: []) }

    mutating func takeExpulsions() -> [Expulsion] { exchange(&expelled, with: []) }

    // MARK: Time

    /// Looks after the conferences: silences that lasted too long, meetings whose moderators are gone, who talks.
    mutating func lookAtMeetings() {
        guard tickNumber % Self.ticksBetweenLooks == 0 else { return }
        let time = now
        // Rooms move into gaps when one ends: those with something to end are collected first.
        var expiring: [(participant: String, room: String)] = []
        var ending: [String] = []
        for room in rooms.indices {
            guard let meeting = rooms[room].meeting else { continue }
            lookAtSpeakers(of: room, meeting)
            lookAtMusic(of: room, meeting)
            if let end = meeting.endsAt, now >= end { ending.append(rooms[room].identity.id) }
            for slot in rooms[room].seats {
                switch seats[slot].attendance.presence {
                case .entering:
                    // Silence is counted from the end of the prompt.
                    if !seats[slot].spoken.isEmpty { seats[slot].attendance.entrance?.hold(now: time) }
                    guard let deadline = seats[slot].attendance.entrance?.deadline, now >= deadline else { continue }
                    expiring.append((seats[slot].settings.participantID, rooms[room].identity.id))
                case .waiting:
                    guard now >= seats[slot].attendance.humAt, !seats[slot].hearsMusic, seats[slot].spoken.isEmpty else { continue }
                    seats[slot].attendance.humAt = now + Self.humEvery
                    seats[slot].chime.start(.waiting)
                case .inside:
                    if seats[slot].attendance.talk.look(seats[slot].isTalking) { report(.talking, slot: slot) }
                }
            }
        }
        for (participant, room) in expiring {
            guard let slot = slot(of: participant, in: room), var entrance = seats[slot].attendance.entrance else { continue }
            let step = entrance.expire(now: now)
            seats[slot].attendance.entrance = entrance
            touch(slot)
            take(step, slot: slot)
        }
        for room in ending { endMeeting(room) }
    }

    /// Puts everybody out.
    mutating func endMeeting(_ id: String) {
        guard let room = roomIndex[id] else { return }
        // With the last member the others go by themselves.
        for slot in rooms[room].seats where !seats[slot].isVacant { expel(slot, nil) }
    }
}

/// Somebody was put out; why, when it had not come in.
struct Expulsion: Sendable, Equatable {
    var departure: Departure
    var reason: String?
}
