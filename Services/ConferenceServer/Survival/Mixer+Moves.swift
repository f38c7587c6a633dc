import Addresses
import Contracts
import Deadlines

// Seats that go from one room of this mixer to another, rooms that another instance had, and rooms that are another's now.
extension Mixer {
    // MARK: From room to room

    /// The slot of one who comes from another room of this mixer and keeps it; nil: it comes from elsewhere.
    func goingOver(_ settings: ParticipantSettings) throws(RPCError) -> Int? {
        guard let from = settings.from, let slot = slot(of: settings.participantID, in: from), seats[slot].settings.callID == settings.callID
        else { return nil }
        guard settings.epoch >= seats[slot].settings.epoch else { throw RPCError(.fenced, "the call has another owner") }
        return slot
    }

    mutating func bring(
        _ slot: Int, into identity: RoomIdentity, _ settings: ParticipantSettings, relay: SocketAddress, at time: Timestamp
    ) {
        tidy(rise(slot))
        // Only now: rooms may have changed places.
        let room = room(identity)
        seats[slot].go(to: room, settings.taken(instead: nil), relay: relay, at: time, tick: tickNumber)
        rooms[room].seats.append(slot)
        disturb(room)
        tapVoice(of: slot, room: room)
        // Who supervised may be a member now, or the other way round.
        arrange(room)
        touch(slot)
    }

    // MARK: From instance to instance

    /// Goes on with a room of an instance that is gone, as its last snapshot says. `rules` when it is a conference's. A room that is here
    /// stays as it is.
    mutating func resume(_ snapshot: RoomSnapshot, _ rules: MeetingRules?, at time: Timestamp) -> [PlayInRoom] {
        guard roomIndex[snapshot.id] == nil else { return [] }
        let identity = RoomIdentity(id: snapshot.id, customerID: snapshot.customerID, conferenceID: snapshot.conferenceID)
        for member in snapshot.members {
            guard let relay = SocketAddress(member.settings.inside.address),
                (try? join(identity, member.settings, relay: relay, at: member.joinedAt)) != nil,
                let slot = slot(of: member.settings.participantID, in: snapshot.id)
            else { continue }
            if let direction = member.direction { seats[slot].take(direction) }
            seats[slot].ear = member.watches.flatMap(SeatEar.init)
            guard let rules, let attendance = member.attendance else { continue }
            seats[slot].attendance.presence = attendance.presence
            seats[slot].attendance.role = Role(named: member.role) ?? .member
            seats[slot].attendance.mutedItself = attendance.mutedItself
            seats[slot].attendance.isHeldMuted = attendance.isHeldMuted
            seats[slot].attendance.hasRaisedHand = attendance.hasRaisedHand
            seats[slot].attendance.humAt = now
            if attendance.presence == .entering { seats[slot].attendance.entrance = Entrance(rules.pins, rules.entrance, now: now) }
        }
        guard let room = roomIndex[snapshot.id] else { return [] }
        arrange(room)
        if let rules {
            var meeting = Meeting(rules)
            if let record = snapshot.meeting { meeting.resume(record, at: now) } else { meeting.hasStarted = true }
            rooms[room].meeting = meeting
        }
        touch(room: room)
        for slot in rooms[room].seats { touch(slot) }
        return snapshot.resumptions(at: time)
    }

    /// The room is another instance's now: nothing more is said of it, and nobody is told that anybody left. Whose seats they were. Its
    /// sockets are connected anew there; its recordings end here, and the archive knows whose they are.
    mutating func drop(_ id: String) -> [ParticipantSettings] {
        guard let room = roomIndex[id] else { return [] }
        let slots = rooms[room].seats
        let settings = slots.filter { seats[$0].stream == nil }.map { seats[$0].settings }
        abandonTaps(room: room)
        for slot in slots {
            touch(slot)
            seats[slot].stream?.line.close(.roomEnded)
            seats[slot].vacate()
            freeSlots.append(slot)
        }
        rooms[room].seats = []
        news.removeAll { $0.room.id == id }
        expelled.removeAll { $0.departure.room.id == id }
        remove(room: room)
        return settings
    }
}

extension ParticipantSettings {
    /// As a seat keeps them. Of one who resumes it, what was changed meanwhile stays.
    func taken(instead former: ParticipantSettings?) -> ParticipantSettings {
        var settings = self
        if settings.resumes != nil, let former {
            (settings.muted, settings.deaf, settings.echo) = (former.muted, former.deaf, former.echo)
        }
        (settings.resumes, settings.from) = (nil, nil)
        return settings
    }
}

extension Meeting {
    func record(at now: Instant) -> RoomSnapshot.MeetingRecord {
        RoomSnapshot.MeetingRecord(
            hasStarted: hasStarted, isOpen: isOpen, isLocked: isLocked, isMuted: isMuted,
            endsIn: endsAt.map { max(0, Int(($0 - now).milliseconds)) })
    }

    mutating func resume(_ record: RoomSnapshot.MeetingRecord, at now: Instant) {
        (hasStarted, isOpen, isLocked, isMuted) = (record.hasStarted, record.isOpen, record.isLocked, record.isMuted)
        endsAt = record.endsIn.map { now + .milliseconds($0) }
    }
}
