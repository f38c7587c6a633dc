import Addresses
import Contracts
import RTP

// What the mixer tells of its rooms so that another process can go on with them, and how it begins with what was told.
extension Mixer {
    /// Which deposits are to be made anew: of a seat, or with nil of the room itself.
    struct Change: Hashable, Sendable {
        var room: String
        var participant: String?
    }

    /// Something about the seat is not as it was deposited.
    mutating func touch(_ slot: Int) {
        guard keepsChanges else { return }
        changes.append(Change(room: rooms[seats[slot].room].identity.id, participant: seats[slot].settings.participantID))
    }

    mutating func touch(room: Int) {
        guard keepsChanges else { return }
        changes.append(Change(room: rooms[room].identity.id, participant: nil))
    }

    /// A play of the seat's ear, or of the room.
    mutating func touch(_ slot: Int?, room: Int) { if let slot { touch(slot) } else { touch(room: room) } }

    mutating func takeChanges() -> [Change] { exchange(&changes, with: []) }

    // MARK: Records

    func record(ofRoom id: String) -> RoomRecord? {
        guard let index = roomIndex[id] else { return nil }
        let room = rooms[index]
        return RoomRecord(
            identity: room.identity, place: room.place, number: room.number, plays: room.plays.record, meeting: room.meeting, ended: room.ended,
            stoppedEarly: room.stoppedEarly, operations: room.operations, link: room.link,
            recordings: positions(room.taps), tick: tickNumber, streams: room.seats.compactMap(streamMember))
    }

    func record(of participant: String, in room: String) -> SeatRecord? {
        // A socket sits there anew when it is connected anew.
        guard let slot = slot(of: participant, in: room), seats[slot].stream == nil else { return nil }
        let seat = seats[slot]
        return SeatRecord(
            room: room, settings: seat.settings, joinedAt: seat.joinedAt, ssrc: seat.ssrc, attendance: seat.attendance, plays: seat.plays.record,
            digits: seat.digits.record, takenAt: seat.takenAt, ownedAt: seat.ownedAt,
            direction: seat.direction == Direction() ? nil : seat.direction, watches: seat.ear?.watches)
    }

    // MARK: Positions

    /// Before what was made in this tick leaves.
    func note(on shelf: RoomShelf, due: UInt64) {
        for room in rooms {
            if !room.plays.isEmpty {
                shelf.write(
                    RoomPosition(number: room.number, heard: room.plays.mark, background: room.plays.backgroundMark), of: room.place)
            }
            for slot in room.seats { shelf.write(seats[slot].position, of: slot) }
        }
        shelf.write(TickPosition(tick: tickNumber, due: due))
    }

    // MARK: Going on

    /// Fills an empty mixer. Seats whose room is not there, and what cannot be read as an address, are left out.
    mutating func restore(_ roomRecords: [RoomRecord], _ seatRecords: [SeatRecord], from shelf: RoomShelf) {
        go(to: shelf.tick?.tick ?? 0)
        for record in roomRecords where roomIndex[record.identity.id] == nil {
            let position = shelf.room(record.place, number: record.number) ?? RoomPosition()
            var room = Room(identity: record.identity)
            (room.place, room.number) = (record.place, record.number)
            room.plays = PlayQueue(record.plays, heard: position.heard, background: position.background)
            (room.meeting, room.ended) = (record.meeting, record.ended)
            (room.stoppedEarly, room.operations) = (record.stoppedEarly, record.operations)
            room.link = record.link ?? RoomLink()
            noteNumbers(of: record.plays)
            lastRoomNumber = max(lastRoomNumber, record.number)
            roomIndex[record.identity.id] = rooms.count
            rooms.append(room)
        }
        let taken = Set(roomRecords.map(\.place))
        placesUsed = (taken.max() ?? -1) + 1
        freePlaces = (0..<placesUsed).filter { !taken.contains($0) }
        restore(seatRecords, from: shelf)
        for room in rooms.indices.reversed() where rooms[room].seats.isEmpty { remove(room: room) }
        for room in rooms.indices { arrange(room) }
        halted = roomRecords.compactMap(unfinished)
    }

    /// A room in which more than the mixer works, as far as that had come when its process died.
    private func unfinished(_ record: RoomRecord) -> RoomSnapshot? {
        guard var snapshot = snapshot(of: record.identity.id) else { return nil }
        snapshot.streams = record.streams
        let passed = record.tick.map { tickNumber > $0 ? Int(clamping: tickNumber - $0) * 20 : 0 } ?? 0
        snapshot.recordings = record.recordings?.map { position in
            var position = position
            if !position.paused { position.milliseconds += passed }
            return position
        }
        return snapshot.isHalted ? snapshot : nil
    }

    /// Rooms where more than the mixer waits to go on.
    mutating func takeHalted() -> [RoomSnapshot] { exchange(&halted, with: []) }

    private mutating func restore(_ records: [SeatRecord], from shelf: RoomShelf) {
        var bySlot: [Int: SeatRecord] = [:]
        for record in records where record.ssrc >> 16 != 0 { bySlot[record.slot] = record }
        guard let last = bySlot.keys.max() else { return }
        let blank = ParticipantSettings(
            participantID: "", callID: "", owner: "", epoch: 0, inside: InsideEndpoint(address: "", ssrc: 0))
        for slot in 0...last {
            let record = bySlot[slot]
            let relay = record.flatMap { SocketAddress($0.settings.inside.address) }
            let room = record.flatMap { roomIndex[$0.room] }
            let isThere = record != nil && relay != nil && room != nil
            var seat = Seat(
                record?.settings ?? blank, relay: relay ?? SocketAddress(.anyIPv4, port: 0), ssrc: isThere ? record?.ssrc ?? 0 : 0, room: room ?? 0,
                joinedAt: record?.joinedAt ?? Contracts.Timestamp(milliseconds: 0), tick: tickNumber, random: nextRandom())
            if let record, isThere {
                seat.resume(record, shelf.seat(slot, of: record.ssrc))
                noteNumbers(of: record.plays)
                if let direction = record.direction { seat.take(direction) }
                seat.ear = record.watches.flatMap(SeatEar.init)
            } else {
                freeSlots.append(slot)
            }
            takeSlot(seat, at: slot)
            if let room, isThere { rooms[room].seats.append(slot) }
        }
        // In the order in which they came, also within a tick; slots are used again.
        for room in rooms.indices {
            let slots = rooms[room].seats.sorted { (seats[$0].takenAt, seats[$0].joinedAt, $0) < (seats[$1].takenAt, seats[$1].joinedAt, $1) }
            rooms[room].seats = slots
        }
    }

    private mutating func noteNumbers(of plays: PlayQueueRecord) {
        for play in plays.all { lastPlayNumber = max(lastPlayNumber, play.number) }
    }

    /// What must be rendered anew: the sound of a play is nobody's deposit.
    func unrendered() -> [Rendering.Job] {
        rooms.flatMap { room in
            (room.plays.all + room.seats.flatMap { seats[$0].plays.all }).map { play in
                Rendering.Job(room: room.identity.id, customer: room.identity.customerID, playID: play.id, sources: play.request.sources)
            }
        }
    }
}

extension PlayQueue {
    var mark: PlayMark { plays.first?.mark ?? PlayMark() }
    var backgroundMark: PlayMark { background.first?.mark ?? PlayMark() }
}
