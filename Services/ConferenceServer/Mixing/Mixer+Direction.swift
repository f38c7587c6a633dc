import Audio
import Contracts
import RTP

// Who hears whom where it is not simply everybody: supervisors, whispers, chosen circles, streams of one call. A room where nobody
// has any of it takes none of these steps.
extension Mixer {
    /// Changes how loud a participant is, who hears it and whom it hears.
    mutating func direct(_ id: String, room name: String, _ change: DirectionChange) throws(RPCError) {
        let slot = try seated(id, in: name)
        var direction = seats[slot].direction
        try direction.apply(change)
        for named in [change.whisperTo].compactMap({ $0 }) + (change.hears ?? []) where !named.isEmpty {
            guard named != id, let other = self.slot(of: named, in: name), !seats[other].isSupervisor else {
                let pointer = named == change.whisperTo ? "/whisper_to" : "/hears"
                throw RPCError(
                    .invalid, "no such participant",
                    problems: [Problem(pointer: pointer, code: "unknown", detail: "nobody else in this room is \(named)")])
            }
        }
        if let target = change.whisperTo, seats[slot].isSupervisor {
            // A supervisor that whispers no more listens.
            seats[slot].settings.supervision =
                target.isEmpty ? Supervision(mode: .listen) : Supervision(mode: .whisper, whisperTo: target)
            direction.whisperTo = nil
        }
        take(direction, slot: slot)
    }

    /// What a seat has from now on: asked for, or of a snapshot.
    mutating func take(_ direction: Direction, slot: Int) {
        seats[slot].take(direction)
        arrange(seats[slot].room)
        touch(slot)
    }

    /// Somebody has come or gone: names mean other slots.
    mutating func rearrange(_ room: Int, for slot: Int) {
        guard rooms[room].hasNames || rooms[room].hasGains || seats[slot].isOutsider else { return }
        arrange(room)
    }

    /// Turns names into slots.
    mutating func arrange(_ room: Int) {
        var (whisperers, shadows, outsiders, hasNames, isDirected): ([Int], [Int], Int, Bool, Bool) = ([], [], 0, false, false)
        for slot in rooms[room].seats {
            let (reach, hearing) = (reach(of: slot, room: room), hearing(of: slot, room: room))
            (seats[slot].reach, seats[slot].hearing) = (reach, hearing)
            switch reach {
            case .all, .nobody: break
            case .only, .allBut: whisperers.append(slot)
            }
            if hearing.tapped != nil { shadows.append(slot) }
            if seats[slot].isOutsider { outsiders += 1 }
            if seats[slot].isOutsider || seats[slot].direction.whisperTo != nil || seats[slot].direction.hears != nil {
                hasNames = true
            }
            if hearing != .all { isDirected = true }
        }
        rooms[room].whisperers = whisperers
        rooms[room].shadows = shadows
        rooms[room].outsiders = outsiders
        rooms[room].hasNames = hasNames
        rooms[room].hasGains = rooms[room].seats.contains { seats[$0].direction.gainIn != 0 || seats[$0].direction.gainOut != 0 }
        rooms[room].isDirected = isDirected || !whisperers.isEmpty
    }

    private func reach(of slot: Int, room: Int) -> Reach {
        let seat = seats[slot]
        if let supervision = seat.settings.supervision {
            switch supervision.mode {
            case .listen: return .nobody
            case .barge: return .all
            case .whisper: return supervision.whisperTo.flatMap { place($0, room) }.map { .only($0) } ?? .nobody
            }
        }
        if let target = seat.direction.whisperTo { return place(target, room).map { .only($0) } ?? .nobody }
        guard let request = seat.stream?.request, let participant = request.participantID else { return .all }
        guard let place = place(participant, room) else { return .nobody }
        switch request.stream.speak {
        case .in: return .allBut(place)
        case .out: return .only(place)
        case .both: return .all
        }
    }

    private func hearing(of slot: Int, room: Int) -> Hearing {
        if let circle = seats[slot].direction.hears { return .only(circle.compactMap { place($0, room) }) }
        guard let request = seats[slot].stream?.request, let participant = request.participantID else { return .all }
        guard let place = place(participant, room) else { return .nobody }
        switch request.stream.listen {
        case .in: return .voice(of: place)
        case .out: return .ear(of: place)
        case .both: return .both(of: place)
        }
    }

    private func place(_ participant: String, _ room: Int) -> Int? {
        rooms[room].seats.first { seats[$0].settings.participantID == participant }
    }

    /// When nobody is left but those who are no members, they go as well: they keep no room alive.
    mutating func clearOutsiders(_ room: Int) {
        let rest = rooms[room].seats
        guard !rest.isEmpty, rest.allSatisfy({ seats[$0].isOutsider }) else { return }
        // The last of them ends the room, and another may take its place.
        for slot in rest where !seats[slot].isVacant { expel(slot, nil) }
    }

    // MARK: The tick

    /// Everybody who is heard by all but a few, once.
    mutating func mixOpenVoices(_ room: Int, hasRoomSound: Bool) {
        mix.clear()
        for slot in rooms[room].seats where seats[slot].isSpeaking {
            Sound.decode(codes, at: slot * Samples.frame, into: &linear)
            if seats[slot].reach.isOpen { Sound.add(linear, at: slot * Samples.frame, to: &mix) }
        }
        if hasRoomSound { Sound.add(roomSound, at: 0, to: &mix) }
    }

    /// Puts what one ear hears into the packet.
    mutating func mixDirected(
        to slot: Int, room: Int, hasRoomSound: Bool, hasEarSound: Bool, isMixed: inout Bool
    ) {
        if !isMixed { mixOpenVoices(room, hasRoomSound: hasRoomSound) }
        isMixed = true
        if seats[slot].settings.deaf || !seats[slot].isInside {
            ear.clear()
        } else {
            switch seats[slot].hearing {
            case .all: hearAll(slot, room: room)
            case .only(let circle): hear(circle, slot, room: room, hasRoomSound: hasRoomSound)
            case .voice(let other):
                ear.clear()
                if seats[other].isSpeaking { Sound.add(linear, at: other * Samples.frame, to: &ear) }
            case .ear, .both, .nobody: ear.clear()
            }
        }
        if hasEarSound { Sound.add(earSound, at: 0, to: &ear) }
        if !rooms[room].shadows.isEmpty { speakToShadows(of: slot, room: room) }
        Sound.encode(ear, minus: linear, at: nil, plus: nil, into: &packet)
    }

    /// The sum, less one's own voice and those that are not for this ear; with the whispers that are.
    private mutating func hearAll(_ slot: Int, room: Int) {
        ear.copy(mix)
        if seats[slot].isSpeaking, seats[slot].reach.isOpen, !seats[slot].settings.echo {
            Sound.subtract(linear, at: slot * Samples.frame, from: &ear)
        }
        for other in rooms[room].whisperers where other != slot && seats[other].isSpeaking {
            switch seats[other].reach {
            case .only(slot): Sound.add(linear, at: other * Samples.frame, to: &ear)
            case .allBut(slot): Sound.subtract(linear, at: other * Samples.frame, from: &ear)
            case .only, .allBut, .all, .nobody: break
            }
        }
    }

    /// A few voices, what is played to all, and whispers to this ear.
    private mutating func hear(_ circle: [Int], _ slot: Int, room: Int, hasRoomSound: Bool) {
        ear.clear()
        if hasRoomSound { Sound.add(roomSound, at: 0, to: &ear) }
        for other in circle where other != slot && seats[other].isSpeaking && seats[other].reach.includes(slot) {
            Sound.add(linear, at: other * Samples.frame, to: &ear)
        }
        for other in rooms[room].whisperers where seats[other].reach == .only(slot) && seats[other].isSpeaking {
            guard !circle.contains(other) else { continue }
            Sound.add(linear, at: other * Samples.frame, to: &ear)
        }
    }
}
