public import Deadlines
public import RTP

// Two legs whose phones speak the same: sound goes from one to the other in its own coding, as part of the stream that the phone
// hears of us anyway. So a leg goes from a room to another leg and back without its phone noticing more than a marker.
extension Session {
    /// What decides whether packets can come to this phone as another phone sent them.
    public mutating func directTerms() -> DirectTerms? {
        guard let plan, !blocksDigits, voice == nil else { return nil }
        return DirectTerms(plan: plan, isDirect: passing.isDirect)
    }

    /// Whether this packet of the phone can go to the phone of another leg without being made anew.
    public mutating func isDirect(_ packet: Span<UInt8>, on terms: DirectTerms) -> Bool {
        guard let plan, !blocksDigits, !isListenedTo, let header = try? Header(parsing: packet) else { return false }
        return terms.allow(header.payloadType, of: plan)
    }

    /// A packet of another leg's phone that speaks as this one does.
    public mutating func directPacket(
        _ header: Header, _ packet: Span<UInt8>, isEvent: Bool, now: Instant, into buffer: inout PacketBuffer
    ) -> Verdict {
        guard let plan, plan.sends else {
            outside.interrupt()
            counts.held += 1
            return .held
        }
        if !passing.isDirect {
            switchSource()
            passing.isDirect = true
        }
        let before = buffer.count
        let isTaken =
            if isEvent, let payloadType = plan.eventPayloadType {
                outside.event(header, packet, as: payloadType, now: now, into: &buffer)
            } else if plan.coding != nil {
                outside.coded(header, packet, as: plan.soundPayloadType, now: now, into: &buffer)
            } else {
                outside.sound(header, payload: packet.extracting(header.payloadRange), through: nil, as: plan.soundPayloadType, now: now, into: &buffer)
            }
        counts.outsideOut += buffer.count - before
        guard isTaken else {
            counts.late += 1
            return .late
        }
        return buffer.count > before ? .forwarded : .collected
    }

    /// What comes next for the phone has been made anew.
    public mutating func leaveDirect() {
        guard passing.isDirect else { return }
        passing.isDirect = false
        switchSource()
    }

    /// What the durations of the phone's keys count in: samples a second.
    public var eventClockRate: Int { plan?.eventClockRate ?? 8_000 }

    /// Whether a packet of the phone is a key.
    public mutating func isEvent(_ header: Header) -> Bool { plan?.meaning(of: header.payloadType) == .event }
}

/// What the phone of a leg takes.
public struct DirectTerms: Sendable {
    let plan: ForwardingPlan
    let isDirect: Bool

    func allow(_ payloadType: PayloadType, of other: ForwardingPlan) -> Bool {
        switch other.meaning(of: payloadType) {
        case .sound: return plan.coding == nil && plan.outwardTable == nil
        case .soundInALaw: return plan.coding == nil && plan.outwardTable != nil
        case .coded: return plan.coding != nil && other.coding(of: payloadType) == plan.coding
        // Keys stay with the sound they were pressed in.
        case .event: return isDirect && plan.eventPayloadType != nil && other.eventClockRate(of: payloadType) == plan.eventClockRate
        case .comfortNoise, .unknown: return false
        }
    }
}
