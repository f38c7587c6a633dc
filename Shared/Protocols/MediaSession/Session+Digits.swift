internal import Audio
internal import Codecs
public import Deadlines
internal import RTP

// Keys: one stream of events inside, whether the phone sends events, tones or messages (docs/dtmf.md).
extension Session {
    /// Whether a key of the phone is down: what must not hold its tone or its event is silent meanwhile.
    public func isInDigit(at now: Instant) -> Bool { digits.isDown(at: now) }

    /// Whether a key is being spoken to the phone as a tone.
    public func isSpeakingDigit(at now: Instant) -> Bool { voice?.isSpeaking(at: now) ?? false }

    /// Whether the room hears nothing of the phone's keys; its owner is told of them instead (`takeToldDigits`).
    public var blocksDigits: Bool {
        get { digits.areBlocked }
        set {
            guard newValue != digits.areBlocked else { return }
            digits.areBlocked = newValue
            listen()
        }
    }

    /// Keys, by their codes (RFC 4733 §3.2), that the owner is to be told of.
    public var hasToldDigits: Bool { !digits.told.isEmpty }
    public mutating func takeToldDigits() -> [UInt8] { digits.takeTold() }

    /// The phone told of a key by a message; `code` is that of the event.
    public mutating func press(_ code: UInt8, for duration: Interval, now: Instant) {
        guard code < 16 else { return }
        digits.message(code, for: duration, now: now)
    }

    /// Whether anything may be due although nothing comes from the phone.
    public var hasDeadlines: Bool { isTranscoding || inward != nil || digits.sender.deadline != nil }

    /// When `expireDigits` wants to be called.
    public var digitDeadline: Instant? { digits.sender.deadline }

    /// The events that are due, for the room.
    public mutating func expireDigits(now: Instant, into buffer: inout PacketBuffer) {
        let before = buffer.count
        while let packet = digits.sender.next(now: now) {
            guard room != nil, plan?.receives == true else { continue }
            if packet.isFirst { keyTimestamp = inside.timestamp(at: now) }
            let event = packet.event
            let payload: InlineArray<4, UInt8> = [
                event.code, (event.isEnd ? 0x80 : 0) | event.volume, UInt8(event.duration >> 8), UInt8(truncatingIfNeeded: event.duration),
            ]
            inside.insert(
                payload.span, as: Self.insideEventPayloadType, at: keyTimestamp, marker: packet.isFirst, now: now, into: &buffer)
        }
        counts.insideOut += buffer.count - before
    }

    /// Whether keys are looked for in the phone's sound: then nobody passes it on unheard. Wideband stays what it is (docs/dtmf.md).
    var isListenedTo: Bool {
        guard ear != nil, let plan else { return false }
        return !plan.isTransparent && plan.coding == nil
    }

    /// In sound keys are looked for only where they cannot come as events, or nothing of them may be left.
    mutating func listen() {
        let isDigit = settings.hearsTones && plan?.eventPayloadType == nil
        guard plan != nil, isDigit || digits.areBlocked else {
            ear = nil
            return
        }
        if ear == nil { ear = ToneEar() }
    }

    /// A packet of G.711 from the phone.
    mutating func soundInward(
        _ header: Header, _ packet: Span<UInt8>, _ law: G711.Law, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        let payload = packet.extracting(header.payloadRange)
        let isSilent = digits.isEventDown(at: now)
        hear(payload, law, now: now)
        switch ear {
        case .some(let ear):
            return inside.sound(
                header, payload: ear.codes.span.extracting(0..<payload.count), through: isSilent ? silence : nil, as: .pcmu, now: now,
                into: &buffer)
        case nil:
            let table = isSilent ? silence : law == .alaw ? inwardTable : nil
            return inside.sound(header, payload: payload, through: table, as: .pcmu, now: now, into: &buffer)
        }
    }

    /// Listens for keys, where that makes sense; in `ear.codes` is then what is left of the sound.
    mutating func hear(_ payload: Span<UInt8>, _ law: G711.Law, now: Instant) {
        guard let heard = ear?.hear(payload, law) else { return }
        let isDigit = settings.hearsTones && plan?.eventPayloadType == nil
        for index in 0..<heard.count {
            switch heard.events[index] {
            case .began(let code): digits.toneBegan(code, isDigit: isDigit, now: now)
            case .ended(let code, let samples): digits.toneEnded(code, samples: samples, isDigit: isDigit, now: now)
            }
        }
    }

    /// An event for a phone that takes none becomes a tone.
    mutating func toneOutward(
        _ header: Header, _ packet: Span<UInt8>, _ plan: ForwardingPlan, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        guard let event = try? TelephoneEvent(parsing: packet.extracting(header.payloadRange)), let digit = event.digit else {
            return passOverOutward(header, plan, now: now, into: &buffer)
        }
        var speaker = voice ?? ToneVoice()
        voice = nil
        defer { voice = speaker }
        let (count, offset) = speaker.speak(event, digit, at: header.timestamp, now: now)
        guard count > 0 else { return passOverOutward(header, plan, now: now, into: &buffer) }
        let place = Header(
            payloadType: .pcmu, sequence: header.sequence, timestamp: header.timestamp.advanced(by: offset), ssrc: header.ssrc,
            marker: header.marker)
        let payload = speaker.codes.span.extracting(0..<count)
        guard plan.coding != nil else {
            return outside.sound(
                place, payload: payload, through: plan.outwardTable, as: plan.soundPayloadType, now: now, into: &buffer)
        }
        return transcodeOutward(place, payload, plan, now: now, into: &buffer)
    }

    /// A packet of the room that the phone does not get: no loss.
    mutating func passOverOutward(
        _ header: Header, _ plan: ForwardingPlan, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        guard plan.coding != nil else {
            outside.skip(header)
            return true
        }
        return skipOutward(header, plan, now: now, into: &buffer)
    }
}
