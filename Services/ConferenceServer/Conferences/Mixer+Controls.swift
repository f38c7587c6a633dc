import Contracts
import Deadlines

// What is done to a conference by keys and over the API.
extension Mixer {
    /// A control somebody pressed: whoever may not hears so.
    mutating func perform(_ control: Control, slot: Int) {
        let room = seats[slot].room
        guard let meeting = rooms[room].meeting, seats[slot].attendance.role.may(control) else {
            seats[slot].chime.start(.refused)
            return
        }
        switch control {
        case .mute:
            // Another's mute is not lifted by oneself.
            guard !seats[slot].settings.muted, !seats[slot].attendance.isHeldMuted else {
                seats[slot].chime.start(.refused)
                return
            }
            seats[slot].attendance.mutedItself.toggle()
            seats[slot].chime.start(seats[slot].isMuted ? .off : .on)
            report(.muted, slot: slot)
        case .hand:
            seats[slot].attendance.hasRaisedHand.toggle()
            seats[slot].chime.start(seats[slot].attendance.hasRaisedHand ? .on : .off)
            report(.handRaised, slot: slot)
        case .muteAll:
            muteAll(room, !meeting.isMuted)
            seats[slot].chime.start(meeting.isMuted ? .on : .off)
        case .lock:
            lock(room, !meeting.isLocked)
            seats[slot].chime.start(meeting.isLocked ? .on : .off)
        }
    }

    /// Mutes everybody but moderators, or gives the voices back that were taken: not those of guests, nor of who muted itself.
    private mutating func muteAll(_ room: Int, _ muted: Bool) {
        guard var meeting = rooms[room].meeting else { return }
        meeting.isMuted = muted
        rooms[room].meeting = meeting
        touch(room: room)
        for slot in rooms[room].seats where seats[slot].attendance.presence != .entering && !seats[slot].isOutsider {
            let role = seats[slot].attendance.role
            guard role != .moderator, muted || role != .guest, seats[slot].attendance.isHeldMuted != muted else { continue }
            seats[slot].attendance.isHeldMuted = muted
            seats[slot].chime.start(muted ? .off : .on)
            report(.muted, slot: slot)
        }
    }

    private mutating func lock(_ room: Int, _ locked: Bool) {
        guard var meeting = rooms[room].meeting, meeting.isLocked != locked else { return }
        meeting.isLocked = locked
        rooms[room].meeting = meeting
        touch(room: room)
        news.append(ConferenceNews(kind: .locked(locked), room: rooms[room].identity))
    }

    /// False when no conference meets there.
    mutating func control(_ action: ControlConference.Action, room id: String, _ rules: MeetingRules?) -> Bool {
        guard let room = roomIndex[id], var meeting = rooms[room].meeting else { return false }
        switch action {
        case .mute: muteAll(room, true)
        case .unmute: muteAll(room, false)
        case .lock: lock(room, true)
        case .unlock: lock(room, false)
        case .end: endMeeting(id)
        case .refresh:
            guard let rules else { break }
            meeting.rules = rules
            if !rules.policy.endWhenModeratorLeaves { meeting.endsAt = nil }
            rooms[room].meeting = meeting
            touch(room: room)
            if !meeting.keepsWaiting { letIn(room) }
        }
        return true
    }

    /// What the API changes of a participant.
    mutating func moderate(_ id: String, room name: String, _ change: Moderation) throws(RPCError) {
        guard let slot = slot(of: id, in: name), seats[slot].attendance.presence != .entering else {
            throw RPCError(.notFound, "no such participant")
        }
        if let direction = change.direction { try direct(id, room: name, direction) }
        let before = member(slot).participant
        if let muted = change.muted {
            seats[slot].attendance.isHeldMuted = muted
            if !muted {
                seats[slot].attendance.mutedItself = false
                seats[slot].settings.muted = false
            }
        }
        if let deaf = change.deaf { seats[slot].settings.deaf = deaf }
        if let raised = change.handRaised { seats[slot].attendance.hasRaisedHand = raised }
        if let role = change.role { give(role, to: slot) }
        touch(slot)
        let after = member(slot).participant
        if after.muted != before.muted { report(.muted, slot: slot) }
        if after.handRaised != before.handRaised { report(.handRaised, slot: slot) }
        if after.role != before.role { report(.role, slot: slot) }
    }

    private mutating func give(_ role: Role, to slot: Int) {
        guard seats[slot].attendance.role != role else { return }
        let room = seats[slot].room
        let was = seats[slot].attendance.role
        seats[slot].attendance.role = role
        if role == .guest { seats[slot].attendance.isHeldMuted = true }
        if was == .guest || role == .moderator { seats[slot].attendance.isHeldMuted = false }
        if role == .moderator {
            if seats[slot].attendance.presence == .waiting {
                seats[slot].attendance.presence = .inside
                seats[slot].spoken.clear()
                announce(slot, .joined)
            }
            moderatorCame(to: room)
        } else if was == .moderator {
            endWithoutModerator(room)
        }
    }
}

/// Changes of a participant; what is nil stays.
struct Moderation: Sendable {
    var muted: Bool?
    var deaf: Bool?
    var handRaised: Bool?
    var role: Role?
    var direction: DirectionChange?
}
