internal import Codecs
public import Deadlines
internal import RTP

// A leg whose phone speaks another codec than G.711: each direction has a transcoder, which keeps time and puts packets in order.
extension Session {
    public var isTranscoding: Bool { plan?.coding != nil }

    /// When `expire` is to be called although nothing has come.
    public var transcodingDeadline: Instant? {
        let first: Instant? =
            switch inward {
            case .some(let stream): stream.deadline
            case nil: nil
            }
        let second: Instant? =
            switch outward {
            case .some(let stream): stream.deadline
            case nil: nil
            }
        guard let first else { return second }
        return second.map { min($0, first) } ?? first
    }

    /// What waited for a gap to close, or fills a pause, for the room.
    public mutating func expireInward(now: Instant, into buffer: inout PacketBuffer) {
        guard inward != nil else { return }
        // Time goes on where nobody hears it, too: a deadline that stays would be due for ever.
        inward?.expire(now: now, into: &buffer.transcoded)
        guard room != nil else { return }
        deliverInward(now: now, into: &buffer)
    }

    /// The same for the phone.
    public mutating func expireOutward(now: Instant, into buffer: inout PacketBuffer) {
        guard outward != nil else { return }
        outward?.expire(now: now, into: &buffer.transcoded)
        guard let plan, plan.sends else { return }
        deliverOutward(plan, now: now, into: &buffer)
    }

    // MARK: From the phone

    mutating func transcodeInward(
        _ header: Header, _ packet: Span<UInt8>, _ meaning: ForwardingPlan.Meaning, _ plan: ForwardingPlan, now: Instant,
        into buffer: inout PacketBuffer
    ) -> Bool {
        let coding: Coding? =
            switch meaning {
            case .coded: plan.coding(of: header.payloadType)
            case .sound: .pcmu
            case .soundInALaw: .pcma
            // Who speaks G.711 needs a transcoder from its first pause on: somebody has to make the noise.
            default: inwardCoding ?? plan.law.map { $0 == .ulaw ? .pcmu : .pcma }
            }
        guard let coding else { return false }
        if inwardCoding != coding || inward == nil {
            guard let transcoder = try? Transcoder(from: coding, to: .pcmu, origin: Timestamp(0)) else { return false }
            inward = TranscodingStream(transcoder, clockRate: coding.clockRate, settings: .init(jitter: settings.jitter))
            inwardCoding = coding
            inside.interrupt()
        }
        let content: Content = meaning == .comfortNoise ? .comfortNoise : .sound
        let arrival = inward?.receive(
            content, packet.extracting(header.payloadRange), sequence: header.sequence, timestamp: header.timestamp, now: now,
            into: &buffer.transcoded)
        deliverInward(now: now, into: &buffer)
        switch arrival {
        case .late, .duplicate, nil: return false
        default: return true
        }
    }

    private mutating func deliverInward(now: Instant, into buffer: inout PacketBuffer) {
        var payload = InlineArray<1400, UInt8>(repeating: 0)
        for index in 0..<buffer.transcoded.count {
            let packet = buffer.transcoded[index]
            let count = buffer.copyTranscoded(index, into: &payload)
            soundInward(payload.span.extracting(0..<count), packet.timestamp, marker: packet.marker, now: now, into: &buffer)
        }
    }

    /// Sound that was made here, without the tones of keys.
    private mutating func soundInward(
        _ payload: Span<UInt8>, _ timestamp: Timestamp, marker: Bool, now: Instant, into buffer: inout PacketBuffer
    ) {
        hear(payload, .ulaw, now: now)
        let table = digits.isEventDown(at: now) ? silence : nil
        switch ear {
        case .some(let ear) where payload.count <= ToneEar.longestPacket:
            inside.made(
                ear.codes.span.extracting(0..<payload.count), through: table, as: .pcmu, timestamp: timestamp, marker: marker, now: now,
                into: &buffer)
        default: inside.made(payload, through: table, as: .pcmu, timestamp: timestamp, marker: marker, now: now, into: &buffer)
        }
    }

    /// An event takes a number of the sound's stream, and stands in its clock; one that is not for the room takes it all the same.
    mutating func eventInward(
        _ header: Header, _ packet: Span<UInt8>, _ plan: ForwardingPlan, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        guard let event = try? TelephoneEvent(parsing: packet.extracting(header.payloadRange)) else { return false }
        let passage = digits.event(event, at: header.timestamp, now: now)
        guard inward != nil else {
            if passage == .forward { return inside.event(header, packet, as: Self.insideEventPayloadType, now: now, into: &buffer) }
            inside.skip(header)
            return true
        }
        let arrival = inward?.receive(
            .event, Span(), sequence: header.sequence, timestamp: header.timestamp, now: now, into: &buffer.transcoded)
        deliverInward(now: now, into: &buffer)
        if case .duplicate? = arrival { return false }
        guard passage == .forward else { return true }
        let begun = inward?.outgoing(header.timestamp) ?? header.timestamp
        let payload = Self.payload(of: event, from: plan.eventClockRate(of: header.payloadType), to: 8000)
        inside.made(payload.span, as: Self.insideEventPayloadType, timestamp: begun, marker: header.marker, now: now, into: &buffer)
        return true
    }

    // MARK: To the phone

    mutating func transcodeOutward(
        _ header: Header, _ payload: Span<UInt8>, _ plan: ForwardingPlan, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        guard let coding = plan.coding, openOutward(coding, plan) else { return false }
        let arrival = outward?.receive(
            .sound, payload, sequence: header.sequence, timestamp: header.timestamp, now: now, into: &buffer.transcoded)
        deliverOutward(plan, now: now, into: &buffer)
        switch arrival {
        case .late, .duplicate, nil: return false
        default: return true
        }
    }

    /// A packet that the phone does not get takes its number all the same.
    mutating func skipOutward(_ header: Header, _ plan: ForwardingPlan, now: Instant, into buffer: inout PacketBuffer) -> Bool {
        guard let coding = plan.coding, openOutward(coding, plan) else { return false }
        outward?.receive(.event, Span(), sequence: header.sequence, timestamp: header.timestamp, now: now, into: &buffer.transcoded)
        deliverOutward(plan, now: now, into: &buffer)
        return true
    }

    private mutating func openOutward(_ coding: Coding, _ plan: ForwardingPlan) -> Bool {
        guard outward == nil else { return true }
        let wished = Transcoder.Settings(packetTime: plan.packetSamples / 8, opus: settings.opus.meeting(plan.wishes))
        guard let transcoder = try? Transcoder(from: .pcmu, to: coding, origin: Timestamp(0), settings: wished) else { return false }
        outward = TranscodingStream(transcoder, clockRate: 8000, settings: .init(jitter: settings.jitter))
        outside.interrupt()
        return true
    }

    private mutating func deliverOutward(_ plan: ForwardingPlan, now: Instant, into buffer: inout PacketBuffer) {
        var payload = InlineArray<1400, UInt8>(repeating: 0)
        for index in 0..<buffer.transcoded.count {
            let packet = buffer.transcoded[index]
            let count = buffer.copyTranscoded(index, into: &payload)
            outside.made(
                payload.span.extracting(0..<count), as: plan.soundPayloadType, timestamp: packet.timestamp, marker: packet.marker, now: now,
                into: &buffer)
        }
    }

    mutating func eventOutward(
        _ header: Header, _ packet: Span<UInt8>, _ plan: ForwardingPlan, as payloadType: PayloadType, now: Instant,
        into buffer: inout PacketBuffer
    ) -> Bool {
        guard let coding = plan.coding, openOutward(coding, plan),
            let event = try? TelephoneEvent(parsing: packet.extracting(header.payloadRange))
        else { return false }
        let arrival = outward?.receive(
            .event, Span(), sequence: header.sequence, timestamp: header.timestamp, now: now, into: &buffer.transcoded)
        deliverOutward(plan, now: now, into: &buffer)
        if case .duplicate? = arrival { return false }
        let begun = outward?.outgoing(header.timestamp) ?? header.timestamp
        let payload = Self.payload(of: event, from: 8000, to: plan.eventClockRate)
        outside.made(payload.span, as: payloadType, timestamp: begun, marker: header.marker, now: now, into: &buffer)
        return true
    }

    /// The event with its duration in another clock.
    private static func payload(of event: TelephoneEvent, from rate: Int, to other: Int) -> InlineArray<4, UInt8> {
        let duration = UInt16(clamping: Int(event.duration) * other / max(1, rate))
        return [event.code, (event.isEnd ? 0x80 : 0) | event.volume & 0x3f, UInt8(duration >> 8), UInt8(truncatingIfNeeded: duration)]
    }
}
