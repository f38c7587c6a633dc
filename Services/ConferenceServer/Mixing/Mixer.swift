import Addresses
import Audio
import Contracts
import RTP

/// The rooms of one loop: who sits in them, what they send, and once every 20 ms what they hear.
///
/// Pure: packets and ticks come in, packets and events go out. A packet finds its seat by the slot in its SSRC; a tick
/// touches every seat once and allocates nothing. What is asked of rooms is in `Mixer+Commands.swift`.
struct Mixer {
    struct Counters: Sendable, Equatable {
        var received = 0
        var malformed = 0
        /// For a slot that is free, or of its last owner.
        var unknown = 0
        var sent = 0
    }

    /// The silence of a relay that is reported: half a minute.
    static let silenceTicks: UInt64 = 1500

    /// By slot; a vacated seat has SSRC 0, which no packet finds.
    var seats: [Seat] = []
    var freeSlots: [Int] = []
    var rooms: [Room] = []
    var roomIndex: [String: Int] = [:]
    var seed: UInt64
    private(set) var tickNumber: UInt64 = 0
    private(set) var counters = Counters()
    /// What the buffers of those who left had counted.
    var departed = JitterBuffer.Counters()

    /// What was not yet deposited, while somebody keeps deposits.
    var changes: [Change] = []
    var keepsChanges = false
    /// Two who need nothing from here are linked by their relays.
    var linksPairs = false
    // Names of plays and rooms on the shelf.
    var lastPlayNumber: UInt64 = 0
    var lastRoomNumber: UInt64 = 0
    var freePlaces: [Int] = []
    var placesUsed = 0

    let largestRoom: Int
    /// What happened in conferences since it was last taken.
    var news: [ConferenceNews] = []
    var expelled: [Expulsion] = []
    /// What is to be spoken, since it was last taken.
    var spokenOrders: [SpokenOrder] = []
    var lastSpokenNumber: UInt64 = 0
    /// Recordings that have ended since they were last told of.
    var tapEnds: [TapEnd] = []
    /// Of a process that died: rooms where more than the mixer is to go on, and has not yet.
    var halted: [RoomSnapshot] = []

    // Scratch memory; of `codes` and `linear` each slot has a frame.
    var codes: [UInt8] = []
    var linear: [Int16] = []
    var mix = Mix()
    /// What one ear hears where not all hear the same.
    var ear = Mix()
    /// What a socket hears that listens at an ear.
    var shadowed = Mix()
    var roomSound = [Int16](repeating: 0, count: Samples.frame)
    var tapped = TapScratch()
    var earSound = [Int16](repeating: 0, count: Samples.frame)
    var gainSound = [Int16](repeating: 0, count: Samples.frame)
    var packet = [UInt8](repeating: 0, count: Header.length + Samples.frame)
    /// What those hear of a room who only listen, once it was encoded in this tick.
    private var sharedPacket = [UInt8](repeating: 0, count: Header.length + Samples.frame)
    private var hasSharedSound = false

    /// `seed` makes SSRCs and first sequence numbers hard to guess.
    init(seed: UInt64, largestRoom: Int = Mixer.largestRoom) { (self.seed, self.largestRoom) = (seed, largestRoom) }

    var seatCount: Int { seats.count - freeSlots.count }

    /// Goes on counting where another has stopped.
    mutating func go(to tick: UInt64) { tickNumber = max(tickNumber, tick) }

    // MARK: Packets

    mutating func receive<Out: Outgoing & ~Copyable>(_ bytes: Span<UInt8>, into outgoing: inout Out) {
        counters.received += 1
        guard let header = try? Header(parsing: bytes) else {
            counters.malformed += 1
            return
        }
        let slot = Int(header.ssrc.value & 0xffff)
        guard slot < seats.count, seats[slot].ssrc == header.ssrc.value else {
            counters.unknown += 1
            return
        }
        seats[slot].heardAt = tickNumber
        seats[slot].isReportedSilent = false
        seats[slot].isHeard = true
        let payload = bytes.extracting(header.payloadRange)
        switch header.payloadType {
        case .pcmu:
            seats[slot].jitter.insert(payload, at: header.timestamp.value)
        case .telephoneEvent:
            guard let event = try? TelephoneEvent(parsing: payload) else {
                counters.malformed += 1
                return
            }
            take(event, header, slot: slot, into: &outgoing)
        default:
            counters.malformed += 1
        }
    }

    /// One packet of a key: the first tells of it, and all are passed on.
    private mutating func take<Out: Outgoing & ~Copyable>(
        _ event: TelephoneEvent, _ header: Header, slot: Int, into outgoing: inout Out
    ) {
        let isNew = seats[slot].events.receive(event, timestamp: header.timestamp) != nil
        if isNew, seats[slot].isOfEarlierSeat(event, marker: header.marker, at: tickNumber) {
            seats[slot].earlierEvent = header.timestamp
        }
        guard seats[slot].earlierEvent != header.timestamp else { return }
        seats[slot].keyAt = tickNumber
        if isNew, let digit = event.digit {
            if steer(digit, slot: slot) {
                // The rest of the key is nobody else's business, either, even if the caller is inside by now.
                seats[slot].earlierEvent = header.timestamp
                touch(slot)
                return
            }
            press(digit, milliseconds: Int(event.duration) / 8, slot: slot, into: &outgoing)
        }
        forward(event, header, from: slot, into: &outgoing)
    }

    /// A digit is told to the call's owner, and ends what the phone hears when the play asked for that.
    private mutating func press<Out: Outgoing & ~Copyable>(
        _ digit: Character, milliseconds: Int, slot: Int, into outgoing: inout Out
    ) {
        let settings = seats[slot].settings
        tellStreams(digit, from: slot)
        outgoing.report(.digit(callID: settings.callID, owner: settings.owner, digit: digit, milliseconds: milliseconds))
        interrupt(.digit, by: slot, into: &outgoing) { $0.removeForDigit() }
        endTaps(key: digit, of: slot)
    }

    /// In a room of two the other's phone gets the event as it came, on its own stream's clock.
    private mutating func forward<Out: Outgoing & ~Copyable>(
        _ event: TelephoneEvent, _ header: Header, from slot: Int, into outgoing: inout Out
    ) {
        let members = rooms[seats[slot].room].seats
        guard rooms[seats[slot].room].memberCount == 2, !seats[slot].isMuted, !seats[slot].isOutsider,
            let other = members.first(where: { $0 != slot && !seats[$0].isOutsider }), !seats[other].settings.deaf, forwardsKeys(from: slot, to: other)
        else { return }
        guard let time = seats[other].forwardedTime(of: header.timestamp.value, from: header.ssrc.value) else { return }
        send(event, at: time, marker: header.marker, to: other, into: &outgoing)
    }

    // MARK: The tick

    /// Sends every participant its 20 ms.
    mutating func tick<Out: Outgoing & ~Copyable>(into outgoing: inout Out) {
        tickNumber += 1
        for room in rooms.indices { tick(room: room, into: &outgoing) }
        lookAtMeetings()
        lookAtLinks(into: &outgoing)
    }

    /// Ticks that were not kept because the thread stood still: streams go on where they would be by now.
    mutating func pass(ticks: Int) {
        tickNumber += UInt64(ticks)
        for room in rooms {
            for slot in room.seats {
                seats[slot].jitter.pass(frames: ticks)
                seats[slot].advance(samples: ticks * Samples.frame)
            }
        }
    }

    private mutating func tick<Out: Outgoing & ~Copyable>(room: Int, into outgoing: inout Out) {
        if rooms[room].link.isStraight { return passStraight(room) }
        var speakers = 0
        for position in rooms[room].seats.indices {
            let slot = rooms[room].seats[position]
            listen(to: slot, into: &outgoing)
            if rooms[room].weighsSpeakers { weigh(slot) }
            if seats[slot].isSounding { speakers += 1 }
        }
        var news = PlayNews()
        let isAlone = rooms[room].memberCount == 1
        let plays = !rooms[room].link.keepsPlaysWaiting
        var hasRoomSound = plays && rooms[room].plays.next(into: &roomSound, isAlone: isAlone, news: &news)
        if rooms[room].meeting?.chime.next(into: &roomSound, over: hasRoomSound) == true { hasRoomSound = true }
        if sayToAll(room, over: hasRoomSound) { hasRoomSound = true }
        if !news.isEmpty { report(news, slot: nil, room: room, into: &outgoing) }

        var isMixed = false
        hasSharedSound = false
        let isTapped = !rooms[room].taps.isEmpty
        for position in rooms[room].seats.indices {
            let slot = rooms[room].seats[position]
            let isSound = speak(
                to: slot, room: room, speakers: speakers, hasRoomSound: hasRoomSound, isMixed: &isMixed, into: &outgoing)
            if isTapped, isSound { tapEar(slot, room: room) }
        }
        if isTapped { tap(room: room, speakers: speakers, hasRoomSound: hasRoomSound, isMixed: isMixed) }
    }

    /// Takes the frame of one voice.
    private mutating func listen<Out: Outgoing & ~Copyable>(to slot: Int, into outgoing: inout Out) {
        let offset = slot * Samples.frame
        let hasFrame =
            if let line = seats[slot].stream?.line { line.take(into: &codes, at: offset) } else {
                seats[slot].jitter.read(into: &codes, at: offset)
            }
        seats[slot].isSpeaking = hasFrame && !seats[slot].isMuted && seats[slot].isInside && seats[slot].reach != .nobody
        seats[slot].isSounding = seats[slot].isSpeaking && !Sound.isSilence(codes, at: offset)
        if hasFrame, !seats[slot].voiceGain.isUnity {
            Sound.amplify(&codes, at: offset, by: &seats[slot].voiceGain, over: &gainSound)
        }
        // Who whispers does not talk in the room.
        seats[slot].noteVoice(isLoud: seats[slot].isSounding && seats[slot].reach.isOpen && isLoud(at: offset))
        if let ear = seats[slot].ear { hear(ear, slot: slot, hasFrame: hasFrame, into: &outgoing) }
        if seats[slot].plays.waitsForSpeech || (rooms[seats[slot].room].plays.waitsForSpeech && !seats[slot].isOutsider) {
            awaitVoice(of: slot, into: &outgoing)
        }
        if tickNumber &- seats[slot].heardAt > Self.silenceTicks, seats[slot].stream == nil, !seats[slot].isReportedSilent {
            seats[slot].isReportedSilent = true
            let identity = rooms[seats[slot].room].identity
            outgoing.report(.unheard(roomID: identity.id, participantID: seats[slot].settings.participantID))
        }
    }

    /// One who begins to speak ends a prompt that waits for it; of one who is muted nothing is heard.
    private mutating func awaitVoice<Out: Outgoing & ~Copyable>(of slot: Int, into outgoing: inout Out) {
        guard seats[slot].isSpeaking else { return seats[slot].onset.forget() }
        let offset = slot * Samples.frame
        Sound.decode(codes, at: offset, into: &linear)
        let power = VoiceOnset.power(of: linear.span.extracting(offset..<(offset + Samples.frame)))
        guard seats[slot].onset.hear(power: power) else { return }
        seats[slot].onset = VoiceOnset()
        interrupt(.speech, by: slot, into: &outgoing) { $0.removeForSpeech() }
    }

    /// A voice rather than the noise of a line: above about -36 dBFS somewhere in the frame.
    private func isLoud(at offset: Int) -> Bool {
        let frame = codes.span.extracting(offset..<(offset + Samples.frame))
        for index in frame.indices where ~frame[index] & 0x7f > 35 { return true }
        return false
    }

    /// Sends one ear its frame: silence, another's frame as it came, or the mix without its own voice. False when a key went out
    /// in its place.
    private mutating func speak<Out: Outgoing & ~Copyable>(
        to slot: Int, room: Int, speakers: Int, hasRoomSound: Bool, isMixed: inout Bool, into outgoing: inout Out
    ) -> Bool {
        defer { seats[slot].advance(samples: Samples.frame) }
        var news = PlayNews()
        let isAlone = rooms[room].memberCount == 1
        let plays = !rooms[room].link.keepsPlaysWaiting
        var hasEarSound = plays && seats[slot].plays.next(into: &earSound, isAlone: isAlone, news: &news)
        if seats[slot].chime.next(into: &earSound, over: hasEarSound) { hasEarSound = true }
        if sayTo(slot, over: hasEarSound, inRoomSound: hasRoomSound) { hasEarSound = true }
        if !news.isEmpty { report(news, slot: slot, room: room, into: &outgoing) }
        let isDirected = rooms[room].isDirected
        if isDirected {
            mixDirected(to: slot, room: room, hasRoomSound: hasRoomSound, hasEarSound: hasEarSound, isMixed: &isMixed)
        }
        if plays, let (digit, time) = seats[slot].digits.next(at: seats[slot].timestamp) {
            send(digit.event, at: time, marker: digit.marker, to: slot, into: &outgoing)
            if let ear = seats[slot].ear, ear.tapsOut { overhear(ear, nil) }
            return false
        }
        if !isDirected {
            mixForAll(to: slot, room: room, speakers: speakers, hasRoomSound: hasRoomSound, hasEarSound: hasEarSound, &isMixed)
        }
        if seats[slot].stream != nil {
            guard seats[slot].hearing.tapped == nil else { return false }
            sendToStream(slot)
            return true
        }
        if !seats[slot].earGain.isUnity { Sound.amplify(&packet, at: Header.length, by: &seats[slot].earGain, over: &gainSound) }
        if let ear = seats[slot].ear, ear.tapsOut { overhear(ear, packet) }
        Sound.write(seats[slot].nextHeader(.pcmu), into: &packet)
        counters.sent += 1
        outgoing.send(packet.span, to: seats[slot].relay)
        return true
    }

    /// Puts what one ear hears into the packet where everybody hears everybody.
    private mutating func mixForAll(
        to slot: Int, room: Int, speakers: Int, hasRoomSound: Bool, hasEarSound: Bool, _ isMixed: inout Bool
    ) {
        let isDeaf = seats[slot].settings.deaf || !seats[slot].isInside
        let takesOut = seats[slot].isSounding && !seats[slot].settings.echo
        let voices = isDeaf ? 0 : speakers - (takesOut ? 1 : 0)
        let hearsRoom = hasRoomSound && !isDeaf
        switch (voices, hearsRoom || hasEarSound) {
        case (0, false):
            Sound.silence(&packet)
        case (1, false):
            copyVoice(to: slot, room: room, takesOut: takesOut)
        default:
            if isDeaf {
                Sound.encode(earSound, into: &packet)
            } else {
                if !isMixed { mixRoom(room, hasRoomSound: hasRoomSound) }
                isMixed = true
                if takesOut || hasEarSound {
                    let own = takesOut ? slot * Samples.frame : nil
                    Sound.encode(mix, minus: linear, at: own, plus: hasEarSound ? earSound : nil, into: &packet)
                } else {
                    hearShared()
                }
            }
        }
    }

    /// All who only listen hear the same: it is encoded once.
    private mutating func hearShared() {
        if !hasSharedSound { Sound.encode(mix, minus: linear, at: nil, plus: nil, into: &sharedPacket) }
        hasSharedSound = true
        Sound.copy(sharedPacket, at: Header.length, into: &packet)
    }

    private mutating func copyVoice(to slot: Int, room: Int, takesOut: Bool) {
        guard let speaker = rooms[room].seats.first(where: { seats[$0].isSounding && !(takesOut && $0 == slot) }) else {
            return
        }
        Sound.copy(codes, at: speaker * Samples.frame, into: &packet)
    }

    mutating func mixRoom(_ room: Int, hasRoomSound: Bool) {
        mix.clear()
        for slot in rooms[room].seats where seats[slot].isSounding {
            Sound.decode(codes, at: slot * Samples.frame, into: &linear)
            Sound.add(linear, at: slot * Samples.frame, to: &mix)
        }
        if hasRoomSound { Sound.add(roomSound, at: 0, to: &mix) }
    }

    private mutating func send<Out: Outgoing & ~Copyable>(
        _ event: TelephoneEvent, at time: UInt32, marker: Bool, to slot: Int, into outgoing: inout Out
    ) {
        var bytes: [UInt8] = []
        seats[slot].nextEventHeader(at: time, marker: marker).append(to: &bytes)
        event.append(to: &bytes)
        counters.sent += 1
        outgoing.send(bytes.span, to: seats[slot].relay)
    }
}
