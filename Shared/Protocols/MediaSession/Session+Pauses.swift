internal import Deadlines
internal import RTP

// Comfort noise towards a phone that agreed to it (RFC 3389); from a phone it is the transcoder's business.
extension Session {
    /// A packet of the room's sound for a phone that speaks G.711.
    mutating func soundOutward(
        _ header: Header, _ packet: Span<UInt8>, _ plan: ForwardingPlan, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        let payload = packet.extracting(header.payloadRange)
        if settings.describesPauses, let noise = plan.noisePayloadType {
            switch pauses.next(payload) {
            case .send: break
            case .describe:
                defer { outside.pause() }
                let level: InlineArray<1, UInt8> = [PauseSender.level]
                return outside.describe(header, level.span, as: noise, now: now, into: &buffer)
            case .leaveOut:
                outside.skip(header)
                return true
            }
        }
        return outside.sound(
            header, payload: payload, through: plan.outwardTable, as: plan.soundPayloadType, now: now, into: &buffer)
    }
}
