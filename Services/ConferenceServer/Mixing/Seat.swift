import Addresses
import Audio
import Contracts
import RTP

/// One ear and one voice in a room: what the mixer keeps in a participant's slot.
struct Seat {
    var settings: ParticipantSettings
    private(set) var joinedAt: Contracts.Timestamp
    var attendance = Attendance()
    /// The room's place among the mixer's rooms.
    var room: Int

    // Towards the participant's relay.
    var relay: SocketAddress
    private(set) var sequence: SequenceNumber
    private var clock: RTP.Timestamp
    private var startsTalkspurt = true

    // From it.
    /// What the relay writes into its packets: the slot and the generation that tells this participant from the slot's last.
    private(set) var ssrc: UInt32
    var jitter = JitterBuffer()
    var events = EventReceiver()
    /// The key that was down already when the seat was taken.
    var earlierEvent: RTP.Timestamp?
    /// When a packet of a key last came.
    var keyAt: UInt64?
    /// Its keys are nobody's business before this tick.
    var hidesKeysUntil: UInt64 = 0
    var heardAt: UInt64
    private(set) var takenAt: UInt64
    /// When its owner last asked for it.
    var ownedAt: UInt64
    var isReportedSilent = false
    /// Its relay has spoken to this room: whoever was to point it here has.
    var isHeard = false
    /// Whether this tick's frame holds a voice others may hear.
    var isSpeaking = false
    /// And that frame is not silence itself, which adds nothing: what a muted phone sends.
    var isSounding = false
    private var talkTicksLeft = 0
    /// Heard with only while a prompt waits for a voice.
    var onset = VoiceOnset()

    // Who hears it, and whom it hears.
    var direction = Direction()
    var reach = Reach.all
    var hearing = Hearing.all
    /// A socket sits here, and no phone.
    var stream: SeatedStream?
    var voiceGain = Gain()
    var earGain = Gain()

    /// Of those who want to know what it says.
    var ear: SeatEar?

    // For its ear alone.
    var chime = ChimePlayer()
    var spoken = SpokenLine()
    /// It waits, or is alone, and hears its conference's music.
    var hearsMusic = false
    var plays = PlayQueue()
    var digits = DigitSender()
    /// The other's event under way here, and how its timestamps translate.
    private var forwarded: (sender: UInt32, theirs: UInt32, ours: UInt32)?

    init(
        _ settings: ParticipantSettings, relay: SocketAddress, ssrc: UInt32, room: Int, joinedAt: Contracts.Timestamp,
        tick: UInt64,
        random: UInt64
    ) {
        (self.settings, self.relay, self.ssrc, self.room) = (settings, relay, ssrc, room)
        (self.joinedAt, heardAt, takenAt, ownedAt) = (joinedAt, tick, tick, tick)
        sequence = SequenceNumber(UInt16(truncatingIfNeeded: random))
        clock = RTP.Timestamp(UInt32(truncatingIfNeeded: random >> 16))
    }

    /// Sits in another room of the same mixer from now on, with its voice, its ear and its stream as they are; what its ear alone heard there
    /// is over.
    mutating func go(to room: Int, _ settings: ParticipantSettings, relay: SocketAddress, at time: Contracts.Timestamp, tick: UInt64) {
        (self.settings, self.relay, self.room, joinedAt) = (settings, relay, room, time)
        (heardAt, takenAt, ownedAt, isHeard) = (tick, tick, tick, false)
        (attendance, plays, chime) = (Attendance(), PlayQueue(), ChimePlayer())
        (spoken, hearsMusic) = (SpokenLine(), false)
        // A key that is down was told of there.
        earlierEvent = events.current.flatMap { $0.isEnded ? nil : $0.timestamp } ?? earlierEvent
    }

    /// Others' slots are found for it by `Mixer.arrange`.
    mutating func take(_ direction: Direction) {
        self.direction = direction
        voiceGain.change(to: direction.gainIn)
        earGain.change(to: direction.gainOut)
    }

    /// Goes on with a seat of another process.
    mutating func resume(_ record: SeatRecord, _ position: SeatPosition?) {
        (attendance, takenAt, ownedAt) = (record.attendance, record.takenAt, record.ownedAt)
        let at = position ?? SeatPosition()
        plays = PlayQueue(record.plays, heard: at.heard, background: at.background)
        guard let position else { return digits = DigitSender(record.digits, left: .max) }
        digits = DigitSender(record.digits, left: Int(position.digitsLeft))
        (sequence, clock, startsTalkspurt) = (SequenceNumber(position.sequence), RTP.Timestamp(position.clock), position.startsTalkspurt)
        if position.key.isThere {
            events = EventReceiver(
                resuming: .init(
                    code: position.key.code, timestamp: RTP.Timestamp(position.key.timestamp), duration: position.key.duration,
                    isEnded: position.key.isEnded))
        }
        let mark = position.forwarded
        forwarded = mark.isThere ? (mark.sender, mark.theirs, mark.ours) : nil
    }

    var position: SeatPosition {
        var position = SeatPosition(ssrc: ssrc, clock: clock.value, sequence: sequence.value, startsTalkspurt: startsTalkspurt)
        position.digitsLeft = UInt16(clamping: digits.waitingCount)
        if let key = events.current {
            position.key = EventMark(
                isThere: true, isEnded: key.isEnded, code: key.code, duration: key.duration, timestamp: key.timestamp.value)
        }
        if let forwarded {
            position.forwarded = ForwardedMark(isThere: true, sender: forwarded.sender, theirs: forwarded.theirs, ours: forwarded.ours)
        }
        if !plays.isEmpty { (position.heard, position.background) = (plays.mark, plays.backgroundMark) }
        return position
    }

    /// When this tick is on the stream's clock.
    var timestamp: UInt32 { clock.value }

    /// Nobody sits here any more: late packets find no owner, and what was kept is let go.
    mutating func vacate() {
        ssrc = 0
        ear = nil
        plays = PlayQueue()
        digits = DigitSender()
        chime = ChimePlayer()
        (spoken, hearsMusic) = (SpokenLine(), false)
        stream = nil
    }

    var isVacant: Bool { ssrc == 0 }

    // What is asked of every seat in every tick is asked without `||` and `&&`: the closures they are would hold a copy of the seat.

    var isSupervisor: Bool { settings.supervision != nil }

    /// Not a member: neither counted nor announced.
    var isOutsider: Bool { isSupervisor ? true : stream != nil }

    /// Hears and is heard: not before a PIN is given or while the moderator is waited for.
    var isInside: Bool { attendance.presence == .inside }

    var isMuted: Bool { settings.muted ? true : attendance.isMuted }

    /// Loud within the last 300 ms.
    var isTalking: Bool { talkTicksLeft > 0 }

    mutating func noteVoice(isLoud: Bool) {
        talkTicksLeft = isLoud ? 15 : max(0, talkTicksLeft - 1)
    }

    /// The header of the next packet of sound; its time is this tick's.
    mutating func nextHeader(_ payloadType: PayloadType) -> Header {
        defer {
            sequence = sequence.next
            startsTalkspurt = false
        }
        return Header(
            payloadType: payloadType, sequence: sequence, timestamp: clock, ssrc: SSRC(settings.inside.ssrc),
            marker: startsTalkspurt)
    }

    /// The header of a packet of an event, whose packets all carry the time it began (RFC 4733 §2.2).
    mutating func nextEventHeader(at timestamp: UInt32, marker: Bool) -> Header {
        defer { sequence = sequence.next }
        return Header(
            payloadType: .telephoneEvent, sequence: sequence, timestamp: RTP.Timestamp(timestamp),
            ssrc: SSRC(settings.inside.ssrc),
            marker: marker)
    }

    /// Our time for an event that began at `theirs` on the clock of `sender`; nil for a straggler of an event before the
    /// latest, which this ear has heard to its end.
    mutating func forwardedTime(of theirs: UInt32, from sender: UInt32) -> UInt32? {
        if let forwarded, forwarded.sender == sender {
            let distance = Int(Int32(bitPattern: theirs &- forwarded.theirs))
            if distance == 0 { return forwarded.ours }
            if distance < 0, distance > -EventReceiver.maximumLateness { return nil }
        }
        forwarded = (sender, theirs, timestamp)
        return timestamp
    }

    /// Whether this packet belongs to a key that went down before the seat was taken, so that the room before has told of it:
    /// its marker was not heard here, and it has been held (or, with its end repeated, was held) for longer than that.
    func isOfEarlierSeat(_ event: TelephoneEvent, marker: Bool, at tick: UInt64) -> Bool {
        guard !marker else { return false }
        let age = Int(clamping: (tick &- takenAt) &* UInt64(Samples.frame))
        return Int(event.duration) + Self.longestFarewell >= age
    }

    /// The end of an event may come again for this long: 150 ms.
    private static let longestFarewell = 1200

    mutating func advance(samples: Int) { clock = clock.advanced(by: samples) }
}

extension PayloadType {
    /// RFC 4733 events between relays and rooms.
    static let telephoneEvent = PayloadType(101)
}
