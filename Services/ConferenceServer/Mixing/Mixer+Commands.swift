import Addresses
import Audio
import Bytes
import Contracts

// What the bus asks of rooms. Each is safe to repeat.
extension Mixer {
    static let largestRoom = 5000

    /// Takes a seat, making the room when it is new; again with the same participant renews its settings. Gives the SSRC its
    /// relay writes into packets for us.
    mutating func join(
        _ identity: RoomIdentity, _ settings: ParticipantSettings, relay: SocketAddress, at time: Timestamp
    ) throws(RPCError) -> UInt32 {
        if let slot = slot(of: settings.participantID, in: identity.id) {
            guard settings.epoch >= seats[slot].settings.epoch else { throw RPCError(.fenced, "the call has another owner") }
            seats[slot].settings = settings
            seats[slot].relay = relay
            // Whoever asks for the seat owns it: its silence is counted from now.
            (seats[slot].heardAt, seats[slot].ownedAt) = (tickNumber, tickNumber)
            return seats[slot].ssrc
        }
        let taken = roomIndex[identity.id].map { rooms[$0].seats.count } ?? 0
        guard taken < min(identity.limit ?? largestRoom, largestRoom) else {
            throw RPCError(.exhausted, "the room is full")
        }
        let slot = try freeSlot()
        let room = room(identity)
        seed = StableHash.avalanche(seed &+ 0x9e37_79b9_7f4a_7c15)
        // The upper half is never 0, so that 0 can mean a vacated seat.
        let generation = UInt32(truncatingIfNeeded: seed >> 48) % 0xffff + 1
        let seat = Seat(
            settings, relay: relay, ssrc: generation << 16 | UInt32(slot), room: room, joinedAt: time, tick: tickNumber,
            random: seed)
        if slot == seats.count {
            seats.append(seat)
            codes.append(contentsOf: repeatElement(G711.Law.ulaw.silence, count: Samples.frame))
            linear.append(contentsOf: repeatElement(0, count: Samples.frame))
        } else {
            seats[slot] = seat
        }
        rooms[room].seats.append(slot)
        return seat.ssrc
    }

    /// Leaves the seat; a room without anybody is no more. Nil when it was left before.
    mutating func leave(room id: String, participant: String, epoch: UInt64 = .max) throws(RPCError) -> Departure? {
        guard let slot = slot(of: participant, in: id) else { return nil }
        guard epoch >= seats[slot].settings.epoch else { throw RPCError(.fenced, "the call has another owner") }
        return vacate(slot)
    }

    mutating func vacate(_ slot: Int) -> Departure {
        let room = seats[slot].room
        let departure = Departure(room: rooms[room].identity, member: member(slot))
        rooms[room].seats.removeAll { $0 == slot }
        farewell(departure, slot: slot, room: room)
        departed.late += seats[slot].jitter.counters.late
        departed.concealed += seats[slot].jitter.counters.concealed
        seats[slot].vacate()
        freeSlots.append(slot)
        if rooms[room].seats.isEmpty { remove(room: room) }
        return departure
    }

    mutating func set(
        room: String, participant: String, muted: Bool? = nil, deaf: Bool? = nil, echo: Bool? = nil
    ) throws(RPCError) {
        let slot = try seated(participant, in: room)
        if let muted { seats[slot].settings.muted = muted }
        if let deaf { seats[slot].settings.deaf = deaf }
        if let echo { seats[slot].settings.echo = echo }
    }

    /// Another relay carries the participant's media from now on.
    mutating func point(room: String, participant: String, at inside: InsideEndpoint, _ relay: SocketAddress) throws(RPCError) {
        let slot = try seated(participant, in: room)
        seats[slot].settings.inside = inside
        seats[slot].relay = relay
    }

    /// Durations in ms.
    mutating func send(digits: String, duration: Int, interval: Int, room: String, participant: String) throws(RPCError) {
        let slot = try seated(participant, in: room)
        guard seats[slot].digits.add(digits, duration: duration, interval: interval) else {
            throw RPCError(.invalid, "digits are 0-9, A-D, * and #, at most \(DigitSender.queueLimit) at a time")
        }
    }

    func snapshot(of id: String) -> RoomSnapshot? {
        guard let index = roomIndex[id] else { return nil }
        let room = rooms[index]
        return RoomSnapshot(
            id: id, customerID: room.identity.customerID, conferenceID: room.identity.conferenceID,
            members: room.seats.map(member), plays: positions(room.plays))
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

    private mutating func room(_ identity: RoomIdentity) -> Int {
        if let room = roomIndex[identity.id] { return room }
        rooms.append(Room(identity: identity))
        roomIndex[identity.id] = rooms.count - 1
        return rooms.count - 1
    }

    /// The last room moves into the gap.
    private mutating func remove(room: Int) {
        roomIndex[rooms[room].identity.id] = nil
        let moved = rooms.removeLast()
        guard room < rooms.count else { return }
        rooms[room] = moved
        roomIndex[moved.identity.id] = room
        for slot in moved.seats { seats[slot].room = room }
    }
}
