import Addresses
import Audio
import Bytes
import Contracts

// What the bus asks of rooms. Each is safe to repeat.
extension Mixer {
    static let largestRoom = 5000

    /// Takes a seat, making the room when it is new; again with the same participant renews its settings. Gives the SSRC its
    /// relay writes into packets for us. `isOwnershipOnly`: whoever asks has taken the call over, and says nothing to its relay.
    mutating func join(
        _ identity: RoomIdentity, _ settings: ParticipantSettings, relay: SocketAddress, at time: Timestamp, isOwnershipOnly: Bool = false
    ) throws(RPCError) -> UInt32 {
        if let slot = slot(of: settings.participantID, in: identity.id) {
            guard settings.epoch >= seats[slot].settings.epoch else { throw RPCError(.fenced, "the call has another owner") }
            let wasOutsider = seats[slot].isOutsider
            let keepsWay = isOwnershipOnly && seats[slot].relay == relay && seats[slot].settings.session == settings.session
            seats[slot].settings = settings.taken(instead: seats[slot].settings)
            seats[slot].relay = relay
            if wasOutsider || seats[slot].isOutsider { arrange(seats[slot].room) }
            // Whoever asks for the seat owns it: its silence is counted from now.
            (seats[slot].heardAt, seats[slot].ownedAt) = (tickNumber, tickNumber)
            touch(slot)
            if !keepsWay { disturb(seats[slot].room) }
            return seats[slot].ssrc
        }
        try checkSupervision(settings, of: identity)
        let taken = roomIndex[identity.id].map { rooms[$0].memberCount } ?? 0
        guard taken < min(identity.limit ?? largestRoom, largestRoom) else {
            throw RPCError(.exhausted, "the room is full")
        }
        if let slot = try goingOver(settings) {
            bring(slot, into: identity, settings, relay: relay, at: time)
            return seats[slot].ssrc
        }
        let room = room(identity)
        let slot: Int
        do { slot = try takeSlot(settings, relay: relay, room: room, at: time) } catch {
            if rooms[room].seats.isEmpty { remove(room: room) }
            throw error
        }
        return seats[slot].ssrc
    }

    /// A seat in a room that is there.
    mutating func takeSlot(
        _ settings: ParticipantSettings, relay: SocketAddress, room: Int, at time: Timestamp
    ) throws(RPCError) -> Int {
        let slot = try freeSlot()
        let random = nextRandom()
        // The upper half is never 0, so that 0 can mean a vacated seat.
        let generation = UInt32(truncatingIfNeeded: random >> 48) % 0xffff + 1
        let seat = Seat(
            settings.taken(instead: nil), relay: relay, ssrc: generation << 16 | UInt32(slot), room: room, joinedAt: time, tick: tickNumber,
            random: random)
        takeSlot(seat, at: slot)
        rooms[room].seats.append(slot)
        disturb(room)
        tapVoice(of: slot, room: room)
        rearrange(room, for: slot)
        touch(slot)
        return slot
    }

    mutating func nextRandom() -> UInt64 {
        seed = StableHash.avalanche(seed &+ 0x9e37_79b9_7f4a_7c15)
        return seed
    }

    mutating func takeSlot(_ seat: Seat, at slot: Int) {
        if slot == seats.count {
            seats.append(seat)
            codes.append(contentsOf: repeatElement(G711.Law.ulaw.silence, count: Samples.frame))
            linear.append(contentsOf: repeatElement(0, count: Samples.frame))
        } else {
            seats[slot] = seat
        }
    }

    /// Only what goes on is supervised, and only the customer's own.
    private func checkSupervision(_ settings: ParticipantSettings, of identity: RoomIdentity) throws(RPCError) {
        guard settings.supervision != nil else { return }
        guard let room = roomIndex[identity.id], rooms[room].identity.customerID == identity.customerID else {
            throw RPCError(.notFound, "no such room")
        }
    }

    /// Leaves the seat; a room without anybody is no more. Nil when it was left before.
    mutating func leave(room id: String, participant: String, epoch: UInt64 = .max) throws(RPCError) -> Departure? {
        guard let slot = slot(of: participant, in: id) else { return nil }
        guard epoch >= seats[slot].settings.epoch else { throw RPCError(.fenced, "the call has another owner") }
        return vacate(slot)
    }

    mutating func vacate(_ slot: Int) -> Departure {
        let departure = rise(slot)
        departed.late += seats[slot].jitter.counters.late
        departed.concealed += seats[slot].jitter.counters.concealed
        if let stream = seats[slot].stream {
            stream.line.close(.requested)
            touch(room: seats[slot].room)
        }
        seats[slot].vacate()
        freeSlots.append(slot)
        tidy(departure)
        return departure
    }

    /// One who goes is not among those in the room any more, and these know.
    mutating func rise(_ slot: Int) -> Departure {
        let room = seats[slot].room
        let departure = Departure(room: rooms[room].identity, member: member(slot))
        rooms[room].seats.removeAll { $0 == slot }
        disturb(room)
        endTaps(of: slot, room: room)
        touch(slot)
        farewell(departure, slot: slot, room: room)
        rearrange(room, for: slot)
        return departure
    }

    /// What is left of a room that somebody has gone from: nothing; or not those alone who are no members, nor his streams. Rooms may
    /// change their places.
    mutating func tidy(_ departure: Departure) {
        guard let room = roomIndex[departure.room.id] else { return }
        if rooms[room].seats.isEmpty { return remove(room: room) }
        clearOutsiders(room)
        guard let room = roomIndex[departure.room.id], rooms[room].outsiders > 0 else { return }
        clearStreams(of: departure.member.settings.participantID, room: room)
    }

    mutating func set(
        room: String, participant: String, muted: Bool? = nil, deaf: Bool? = nil, echo: Bool? = nil, hidesKeys: Bool? = nil
    ) throws(RPCError) {
        let slot = try seated(participant, in: room)
        if let hidesKeys { seats[slot].settings.hidesKeys = hidesKeys ? true : nil }
        if let muted { seats[slot].settings.muted = muted }
        if let deaf { seats[slot].settings.deaf = deaf }
        if let echo { seats[slot].settings.echo = echo }
        touch(slot)
    }

    /// Another relay carries the participant's media from now on.
    mutating func point(
        room: String, participant: String, at inside: InsideEndpoint, _ relay: SocketAddress,
        of carrier: (relay: String?, session: String?) = (nil, nil)
    ) throws(RPCError) {
        let slot = try seated(participant, in: room)
        (seats[slot].settings.relay, seats[slot].settings.session) = carrier
        disturb(seats[slot].room)
        seats[slot].settings.inside = inside
        seats[slot].relay = relay
        touch(slot)
    }

    /// Durations in ms.
    mutating func send(digits: String, duration: Int, interval: Int, room: String, participant: String) throws(RPCError) {
        let slot = try seated(participant, in: room)
        guard seats[slot].digits.add(digits, duration: duration, interval: interval) else {
            throw RPCError(.invalid, "digits are 0-9, A-D, * and #, at most \(DigitSender.queueLimit) at a time")
        }
        touch(slot)
    }

    func snapshot(of id: String) -> RoomSnapshot? {
        guard let index = roomIndex[id] else { return nil }
        let room = rooms[index]
        var snapshot = RoomSnapshot(
            id: id, customerID: room.identity.customerID, conferenceID: room.identity.conferenceID,
            members: room.seats.filter { seats[$0].stream == nil }.map(member), plays: positions(room.plays),
            recordings: positions(room.taps), meeting: room.meeting.map { $0.record(at: now) })
        let streams = room.seats.compactMap(streamMember)
        snapshot.streams = streams.isEmpty ? nil : streams
        return snapshot
    }

    func streamMember(_ slot: Int) -> RoomSnapshot.StreamMember? {
        let seat = seats[slot]
        guard let stream = seat.stream else { return nil }
        return RoomSnapshot.StreamMember(
            request: stream.request, muted: seat.settings.muted || seat.isMuted, deaf: seat.settings.deaf, talking: seat.isTalking,
            direction: seat.direction == Direction() ? nil : seat.direction, joinedAt: seat.joinedAt)
    }

    /// Of all buffers there ever were.
    func bufferCounters() -> JitterBuffer.Counters {
        var sum = departed
        for room in rooms {
            for slot in room.seats {
                sum.late += seats[slot].jitter.counters.late
                sum.concealed += seats[slot].jitter.counters.concealed
            }
        }
        return sum
    }

    func member(_ slot: Int) -> RoomSnapshot.Member {
        let attendance = seats[slot].attendance
        var member = RoomSnapshot.Member(
            settings: seats[slot].settings, role: attendance.role.rawValue, talking: seats[slot].isTalking,
            joinedAt: seats[slot].joinedAt,
            ssrc: seats[slot].ssrc, plays: positions(seats[slot].plays))
        if seats[slot].direction != Direction() { member.direction = seats[slot].direction }
        member.watches = seats[slot].ear?.watches
        if rooms[seats[slot].room].meeting != nil {
            member.attendance = RoomSnapshot.AttendanceRecord(
                presence: attendance.presence, mutedItself: attendance.mutedItself, isHeldMuted: attendance.isHeldMuted,
                hasRaisedHand: attendance.hasRaisedHand)
        }
        return member
    }

    // MARK: Places

    func slot(of participant: String, in room: String) -> Int? {
        guard let room = roomIndex[room] else { return nil }
        return rooms[room].seats.first { seats[$0].settings.participantID == participant }
    }

    func seated(_ participant: String, in room: String) throws(RPCError) -> Int {
        guard let slot = slot(of: participant, in: room) else { throw RPCError(.notFound, "no such participant") }
        return slot
    }

    private mutating func freeSlot() throws(RPCError) -> Int {
        if let slot = freeSlots.popLast() { return slot }
        guard seats.count <= 0xffff else { throw RPCError(.exhausted, "every slot of this mixer is taken") }
        return seats.count
    }

    mutating func room(_ identity: RoomIdentity) -> Int {
        if let room = roomIndex[identity.id] { return room }
        var room = Room(identity: identity)
        lastRoomNumber += 1
        room.number = lastRoomNumber
        if let place = freePlaces.popLast() { room.place = place } else { (room.place, placesUsed) = (placesUsed, placesUsed + 1) }
        rooms.append(room)
        roomIndex[identity.id] = rooms.count - 1
        touch(room: rooms.count - 1)
        return rooms.count - 1
    }

    /// The last room moves into the gap.
    mutating func remove(room: Int) {
        touch(room: room)
        freePlaces.append(rooms[room].place)
        roomIndex[rooms[room].identity.id] = nil
        let moved = rooms.removeLast()
        guard room < rooms.count else { return }
        rooms[room] = moved
        roomIndex[moved.identity.id] = room
        for slot in moved.seats { seats[slot].room = room }
    }
}
