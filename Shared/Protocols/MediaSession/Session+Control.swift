public import Addresses
public import Deadlines
internal import RTP

/// What a session remembers between control packets.
struct ControlState {
    /// The middle 32 bits of the phone's last sender report, and when it came (RFC 3550 §6.4.1).
    var lastSenderReport: UInt32 = 0
    var lastSenderReportAt: Instant?
    /// Where the phone's control packets come from.
    var source: SocketAddress?
    var saidGoodbye = false
}

extension Session {
    /// A control packet of the phone; false when it is none, or another's (V6).
    @discardableResult
    public mutating func controlPacket(
        _ packet: Span<UInt8>, from source: SocketAddress, now: Instant, ntpTime: UInt64
    ) -> Bool {
        guard let phone = latch.locked, source.address == phone.address.address else {
            counts.strangers += 1
            return false
        }
        guard let packets = try? ControlPacket.parse(packet) else {
            counts.malformed += 1
            return false
        }
        var isPhones = false
        for packet in packets {
            switch packet {
            case .senderReport(let report) where report.ssrc == phone.ssrc:
                control.lastSenderReport = UInt32(truncatingIfNeeded: report.ntpTime >> 16)
                control.lastSenderReportAt = now
                note(report.blocks, ntpTime: ntpTime)
                isPhones = true
            case .receiverReport(let report) where report.ssrc == phone.ssrc:
                note(report.blocks, ntpTime: ntpTime)
                isPhones = true
            case .goodbye(let sources, _) where sources.contains(phone.ssrc):
                control.saidGoodbye = true
                isPhones = true
            case .senderReport, .receiverReport, .goodbye, .sourceDescription, .other:
                break
            }
        }
        guard isPhones else { return false }
        control.source = source
        // RFC 3550 §6.2.1: who reports is there, even if it suppresses silence. Who has said goodbye is not.
        if !control.saidGoodbye { heardAt = now }
        return true
    }

    private mutating func note(_ blocks: [ReportBlock], ntpTime: UInt64) {
        guard let block = blocks.first(where: { $0.ssrc == outside.ssrc }) else { return }
        counts.remoteLost = Int(block.cumulativeLost)
        guard block.lastSenderReport != 0 else { return }
        // RFC 3550 §6.4.1: A - LSR - DLSR, in 1/65536 s; a clock that was set gives nonsense, which is left out.
        let roundTrip = UInt32(truncatingIfNeeded: ntpTime >> 16) &- block.lastSenderReport &- block.delaySinceLast
        if roundTrip < 10 << 16 { counts.roundTripMilliseconds = Double(roundTrip) / 65.536 }
    }

    /// Where control packets to the phone go: where its own come from, else where it asked for them. Nil when neither is known
    /// to be the phone (behind a NAT that was latched) or when it named no address.
    public var controlDestination: SocketAddress? {
        guard let plan else { return nil }
        if let source = control.source, source.address == destination?.address { return source }
        // RFC 5761: on a shared port control packets go where sound goes.
        if plan.isOnOnePort { return destination }
        return destination == plan.remote ? plan.remoteControl : nil
    }

    /// The regular compound: a sender report when we sent, a receiver report when not, and our name (RFC 3550 §6.1);
    /// with a goodbye at the end of the session.
    public mutating func report(now: Instant, ntpTime: UInt64, canonicalName: String, isLast: Bool = false) -> [UInt8] {
        var blocks: [ReportBlock] = []
        if let phone = latch.locked, receiver.expected > 0 {
            var delay: UInt32 = 0
            if let at = control.lastSenderReportAt { delay = UInt32(clamping: (now - at).nanoseconds / 15_259) }
            blocks = [receiver.report(about: phone.ssrc, lastSenderReport: control.lastSenderReport, delaySinceLast: delay)]
        }
        var compound: [UInt8] = []
        if outside.packets > 0 {
            ControlPacket.senderReport(
                SenderReport(
                    ssrc: outside.ssrc, ntpTime: ntpTime, timestamp: outside.timestamp(at: now),
                    packetCount: UInt32(truncatingIfNeeded: outside.packets), octetCount: UInt32(truncatingIfNeeded: outside.octets),
                    blocks: blocks)
            ).append(to: &compound)
        } else {
            ControlPacket.receiverReport(ReceiverReport(ssrc: outside.ssrc, blocks: blocks)).append(to: &compound)
        }
        ControlPacket.sourceDescription([SourceDescription(ssrc: outside.ssrc, canonicalName: canonicalName)]).append(to: &compound)
        if isLast { ControlPacket.goodbye(sources: [outside.ssrc], reason: nil).append(to: &compound) }
        return compound
    }
}
