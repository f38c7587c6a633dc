import Audio
import Contracts

// What is played in rooms, and how it is changed meanwhile. Each is safe to repeat.
extension Mixer {
    static let queuedPlays = 16

    /// Begins a play whose pieces follow with `extend`; to one participant, or to all. False when it had begun before.
    @discardableResult
    mutating func play<Out: Outgoing & ~Copyable>(_ request: PlayInRoom, into outgoing: inout Out) throws(RPCError) -> Bool {
        guard let room = roomIndex[request.roomID] else { throw RPCError(.notFound, "no such room") }
        guard !hasPlay(request.playID, room: room) else { return false }
        if let operation = request.operationID, rooms[room].operations.contains(operation) { return false }
        let slot: Int? =
            if let participant = request.participantID { try seated(participant, in: request.roomID) } else { nil }
        lastPlayNumber += 1
        var play = Play(request)
        play.number = lastPlayNumber
        if rooms[room].stoppedEarly.remove(play.id) {
            // The command to stop it was quicker.
            report(play, .stopped, slot: slot, room: room, into: &outgoing)
            return false
        }
        let waiting = slot.map { seats[$0].plays.plays.count } ?? rooms[room].plays.plays.count
        guard waiting < Self.queuedPlays || [.replace, .background].contains(request.placement) else {
            throw RPCError(.exhausted, "too many plays are waiting")
        }
        if let operation = request.operationID { rooms[room].operations.insert(operation) }
        let ended = if let slot { seats[slot].plays.add(play) } else { rooms[room].plays.add(play) }
        touch(slot, room: room)
        if request.operationID != nil { touch(room: room) }
        for other in ended { report(other, .stopped, slot: slot, room: room, into: &outgoing) }
        return true
    }

    /// Adds a rendered piece; false when the play has ended meanwhile, and rendering more is in vain.
    mutating func extend(play id: String, room: String, with piece: Play.Piece) throws(SoundProblem) -> Bool {
        var fits = true
        let isPlaying = change(play: id, room: room) { fits = $0.append(piece) } != nil
        guard fits else { throw SoundProblem("the play is longer than \(Play.longestSound / Samples.rate) s") }
        return isPlaying
    }

    /// No more pieces will come.
    mutating func complete(play id: String, room: String) {
        _ = change(play: id, room: room) { $0.complete() }
    }

    /// Changes a play that is heard or waits; the same operation again changes nothing.
    mutating func control(_ command: ControlPlay) throws(RPCError) -> PlayState {
        guard let room = roomIndex[command.roomID] else { throw RPCError(.notFound, "no such room") }
        let isNew = !rooms[room].operations.contains(command.operationID)
        let state = change(play: command.playID, room: command.roomID) { play in
            guard isNew else { return }
            switch command.change {
            case .pause: play.pause()
            case .resume: play.resume()
            case .seek(let milliseconds): play.seek(milliseconds: milliseconds)
            case .skip(let milliseconds): play.skip(milliseconds: milliseconds)
            case .volume(let decibels): play.change(volume: decibels)
            }
        }
        guard let state else { throw RPCError(.notFound, "no such play: it may be over") }
        rooms[room].operations.insert(command.operationID)
        touch(room: room)
        return state
    }

    /// Ends a play; false when it was over already.
    mutating func end<Out: Outgoing & ~Copyable>(
        play id: String, room name: String, _ end: Play.End, into outgoing: inout Out
    ) -> Bool {
        guard let room = roomIndex[name] else { return false }
        for slot in rooms[room].seats {
            if let ended = seats[slot].plays.remove(id) {
                report(ended, end, slot: slot, room: room, into: &outgoing)
                return true
            }
        }
        guard let ended = rooms[room].plays.remove(id) else {
            if !rooms[room].ended.contains(id) {
                rooms[room].stoppedEarly.insert(id)
                touch(room: room)
            }
            return false
        }
        report(ended, end, slot: nil, room: room, into: &outgoing)
        return true
    }

    /// Ends what a participant hears, or else what its room hears, when that was to be so.
    mutating func interrupt<Out: Outgoing & ~Copyable>(
        _ end: Play.End, by slot: Int, into outgoing: inout Out, _ remove: (inout PlayQueue) -> Play?
    ) {
        let room = seats[slot].room
        if let ended = remove(&seats[slot].plays) {
            report(ended, end, slot: slot, room: room, into: &outgoing)
        } else if !seats[slot].isOutsider, let ended = remove(&rooms[room].plays) {
            report(ended, end, slot: nil, room: room, into: &outgoing)
        }
    }

    func positions(_ queue: PlayQueue) -> [RoomSnapshot.PlayPosition] {
        queue.all.map { RoomSnapshot.PlayPosition(id: $0.id, milliseconds: $0.milliseconds, play: $0.resumption) }
    }

    private func hasPlay(_ id: String, room: Int) -> Bool {
        rooms[room].plays.contains(id) || rooms[room].seats.contains { seats[$0].plays.contains(id) }
    }

    /// How the play stands then; nil when there is no such play.
    private mutating func change(play id: String, room: String, _ change: (inout Play) -> Void) -> PlayState? {
        guard let room = roomIndex[room] else { return nil }
        for slot in rooms[room].seats where seats[slot].plays.change(id, change) {
            touch(slot)
            return seats[slot].plays.state(of: id)
        }
        return rooms[room].plays.change(id, change) ? rooms[room].plays.state(of: id) : nil
    }

    // MARK: Reports

    mutating func report<Out: Outgoing & ~Copyable>(_ news: PlayNews, slot: Int?, room: Int, into outgoing: inout Out) {
        for play in news.began { tell(play, nil, slot: slot, room: room, into: &outgoing) }
        for play in news.ended { report(play, .completed, slot: slot, room: room, into: &outgoing) }
    }

    /// The owner of the participant whose ear it was is told; of what everybody heard, everybody's owner.
    mutating func report<Out: Outgoing & ~Copyable>(
        _ play: Play, _ end: Play.End, slot: Int?, room: Int, into outgoing: inout Out
    ) {
        rooms[room].ended.insert(play.id)
        touch(room: room)
        if let slot { touch(slot) }
        for slot in slot.map({ [$0] }) ?? rooms[room].seats where seats[slot].stream == nil {
            let settings = seats[slot].settings
            outgoing.report(
                .played(
                    callID: settings.callID, owner: settings.owner, playID: play.id, end: end, milliseconds: play.milliseconds))
        }
        tell(play, end, slot: slot, room: room, into: &outgoing)
    }

    private func tell<Out: Outgoing & ~Copyable>(
        _ play: Play, _ end: Play.End?, slot: Int?, room: Int, into outgoing: inout Out
    ) {
        outgoing.report(
            .play(
                rooms[room].identity, participantID: slot.map { seats[$0].settings.participantID }, playID: play.id, end: end,
                milliseconds: play.milliseconds))
    }
}
