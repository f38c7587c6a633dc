import Audio
import Contracts
import RTP

// Rooms that are recorded. A recorder takes part in a room without a seat: every tick, what it is to hear is copied into its ring.
extension Mixer {
    static let recordingsOfARoom = 8
    /// A key counts as held for so many ticks after its last packet.
    private static let keyTicks: UInt64 = 3
    /// What answers a secret question is still down, or on its way, when the question is over.
    private static let hiddenTicks: UInt64 = 50

    mutating func begin(_ order: RoomTap.Order) throws(RPCError) {
        guard let room = roomIndex[order.roomID] else { throw RPCError(.notFound, "no such room") }
        guard !rooms[room].taps.contains(where: { $0.order.number == order.number }) else { return }
        guard rooms[room].taps.count < Self.recordingsOfARoom else {
            throw RPCError(.exhausted, "a room has at most \(Self.recordingsOfARoom) recordings at a time")
        }
        let slot: Int? = if let participant = order.participantID { try seated(participant, in: order.roomID) } else { nil }
        let tap = RoomTap(order, slot: slot, nextTick: tickNumber &+ 1)
        if order.terms.layout == .tracks {
            for slot in rooms[room].seats { tap.name(seats[slot].ssrc, seats[slot].settings) }
        }
        if order.beeps { for slot in slot.map({ [$0] }) ?? rooms[room].seats { seats[slot].chime.start(.recorded) } }
        rooms[room].taps.append(tap)
        touch(room: room)
    }

    mutating func pause(tap number: UInt32, room id: String, _ paused: Bool) {
        guard let room = roomIndex[id], let tap = rooms[room].taps.first(where: { $0.order.number == number }) else { return }
        tap.pause(paused, nextTick: tickNumber &+ 1)
        touch(room: room)
    }

    mutating func end(tap number: UInt32, room id: String, _ reason: Recording.End) {
        guard let room = roomIndex[id] else { return }
        endTaps(room: room, reason) { $0.order.number == number }
    }

    mutating func takeTapEnds() -> [TapEnd] { exchange(&tapEnds, with: []) }

    /// How far the recordings of a room have come.
    func positions(_ taps: [RoomTap]) -> [RecordingPosition]? {
        guard !taps.isEmpty else { return nil }
        return taps.map { tap in
            RecordingPosition(
                id: tap.order.recordingID, participantID: tap.order.participantID, terms: tap.order.terms,
                milliseconds: tap.position(at: tickNumber &+ 1) * 20, paused: tap.isPaused)
        }
    }

    // MARK: What happens in the room

    /// Somebody has come: a recording of tracks has one more.
    func tapVoice(of slot: Int, room: Int) {
        for tap in rooms[room].taps where tap.order.terms.layout == .tracks { tap.name(seats[slot].ssrc, seats[slot].settings) }
    }

    /// Somebody has left, perhaps as the last.
    mutating func endTaps(of slot: Int, room: Int) {
        guard !rooms[room].taps.isEmpty else { return }
        endTaps(room: room, .left) { $0.slot == slot }
        if rooms[room].seats.isEmpty { endTaps(room: room, .roomEnded) { _ in true } }
    }

    /// The room is another's now.
    mutating func abandonTaps(room: Int) { endTaps(room: room, .interrupted) { _ in true } }

    /// A key ends the recordings that wait for it: those of whoever pressed it, and those of its room.
    mutating func endTaps(key: Character, of slot: Int) {
        let room = seats[slot].room
        guard !rooms[room].taps.isEmpty else { return }
        endTaps(room: room, .key) { ($0.slot ?? slot) == slot && $0.order.terms.endKeys?.contains(key) == true }
    }

    private mutating func endTaps(room: Int, _ reason: Recording.End, where isOver: (RoomTap) -> Bool) {
        for tap in rooms[room].taps where isOver(tap) {
            tapEnds.append(
                TapEnd(
                    number: tap.order.number, roomID: tap.order.roomID, reason: reason, position: tap.position(at: tickNumber &+ 1),
                    isPaused: tap.isPaused, dropped: tap.dropped))
        }
        rooms[room].taps.removeAll(where: isOver)
        touch(room: room)
    }

    // MARK: The tick

    /// Keeps what an ear was just sent.
    func tapEar(_ slot: Int, room: Int) {
        for tap in rooms[room].taps where tap.slot == slot {
            tap.keep(ear: packet.span.extracting(Header.length..<(Header.length + Samples.frame)))
        }
    }

    /// Copies the frame of this tick for every recording of the room.
    mutating func tap(room: Int, speakers: Int, hasRoomSound: Bool, isMixed: Bool) {
        var isMixed = isMixed
        guard !rooms[room].taps.isEmpty else { return }
        let secret = secretFlags(room)
        for index in rooms[room].taps.indices {
            let tap = rooms[room].taps[index]
            tap.sayNames()
            guard !tap.isPaused else {
                tap.hasEar = false
                continue
            }
            let position = tap.position(at: tickNumber)
            if let slot = tap.slot {
                copySides(slot, tap, position, secret)
            } else if tap.order.terms.layout == .tracks {
                copyTracks(room, tap, position)
            } else {
                if !isMixed, speakers > 0 || hasRoomSound {
                    // A whisper is for one ear, and not for the recording.
                    if rooms[room].isDirected {
                        mixOpenVoices(room, hasRoomSound: hasRoomSound)
                    } else {
                        mixRoom(room, hasRoomSound: hasRoomSound)
                    }
                    isMixed = true
                }
                copyMix(room, tap, position, secret, isSilent: speakers == 0 && !hasRoomSound)
            }
        }
    }

    private mutating func copySides(_ slot: Int, _ tap: RoomTap, _ position: Int, _ secret: UInt64) {
        var (length, flags) = (0, secret | (isKeyDown(slot) ? RoomTap.Flag.key : 0))
        if seats[slot].isSpeaking {
            TapScratch.write(codes, from: slot * Samples.frame, into: &tapped.bytes, at: 0)
            (length, flags) = (Samples.frame, flags | RoomTap.Flag.voice)
        }
        if tap.hasEar {
            TapScratch.write(tap.ear, from: 0, into: &tapped.bytes, at: length)
            (length, flags) = (length + Samples.frame, flags | RoomTap.Flag.heard)
        }
        tap.hasEar = false
        tap.copy(.sides, tapped.bytes.span.extracting(0..<length), at: position, flags: flags)
    }

    private func copyTracks(_ room: Int, _ tap: RoomTap, _ position: Int) {
        for slot in rooms[room].seats {
            let (speaks, key) = (seats[slot].isSpeaking, isKeyDown(slot))
            guard speaks || key else { continue }
            let (start, length) = (slot * Samples.frame, speaks ? Samples.frame : 0)
            let hidden = tickNumber < seats[slot].hidesKeysUntil ? RoomTap.Flag.hidden : 0
            let flags = (key ? RoomTap.Flag.key : 0) | (speaks ? RoomTap.Flag.voice : 0) | hidden
            tap.copy(.track, codes.span.extracting(start..<(start + length)), at: position, flags: flags, track: seats[slot].ssrc)
        }
        tap.copy(.clock, codes.span.extracting(0..<0), at: position)
    }

    private mutating func copyMix(_ room: Int, _ tap: RoomTap, _ position: Int, _ secret: UInt64, isSilent: Bool) {
        var flags = secret
        for slot in rooms[room].seats where isKeyDown(slot) { flags |= RoomTap.Flag.key }
        guard !isSilent else { return tap.copy(.mix, tapped.bytes.span.extracting(0..<0), at: position, flags: flags) }
        TapScratch.write(mix, into: &tapped)
        tap.copy(.mix, tapped.bytes.span, at: position, flags: flags | RoomTap.Flag.voice)
    }

    /// Whether anybody in the room is asked for a secret, as by a flow with `keys: hidden` or for a conference's PIN, and has a key down. Who hears
    /// the one hears its keys, so this holds for all that is heard there.
    private mutating func secretFlags(_ room: Int) -> UInt64 {
        var flags: UInt64 = 0
        for slot in rooms[room].seats {
            let isDown = isKeyDown(slot)
            let isAsked = seats[slot].settings.hidesKeys == true || !seats[slot].isInside
            if isAsked || isDown && tickNumber < seats[slot].hidesKeysUntil { seats[slot].hidesKeysUntil = tickNumber &+ Self.hiddenTicks }
            guard tickNumber < seats[slot].hidesKeysUntil else { continue }
            flags |= RoomTap.Flag.hidden | (isDown ? RoomTap.Flag.key : 0)
        }
        return flags
    }

    private func isKeyDown(_ slot: Int) -> Bool {
        guard let last = seats[slot].keyAt else { return false }
        return tickNumber &- last <= Self.keyTicks
    }
}
