public import Deadlines
internal import RTP

// The control packets we send: always a whole compound (RFC 3550 §6.1), also where smaller ones would be welcome (RFC 5506).
extension Session {
    /// A sender report when we sent, a receiver report when not, our name, and what more the phone asked for; with a goodbye at the
    /// end of the session. Nil when there is nobody to say goodbye to: whoever never spoke leaves in silence (§6.3.7).
    public mutating func report(now: Instant, ntpTime: UInt64, canonicalName: String, isLast: Bool = false) -> [UInt8]? {
        guard !isLast || control.hasSpoken || outside.packets > 0 else { return nil }
        control.hasSpoken = true
        var compound: [UInt8] = []
        let blocks = reportBlocks(now: now)
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
        let extended = extendedBlocks(now: now, ntpTime: ntpTime)
        if !extended.isEmpty {
            ControlPacket.extendedReport(ExtendedReport(ssrc: outside.ssrc, blocks: extended)).append(to: &compound)
        }
        if isLast { ControlPacket.goodbye(sources: [outside.ssrc], reason: nil).append(to: &compound) }
        return compound
    }

    private mutating func reportBlocks(now: Instant) -> [ReportBlock] {
        guard let phone = latch.locked, receiver.expected > 0 else { return [] }
        let delay = Self.delay(since: control.lastSenderReportAt, now: now)
        return [receiver.report(about: phone.ssrc, lastSenderReport: control.lastSenderReport, delaySinceLast: delay)]
    }

    /// What was agreed on (RFC 3611 §5); a reference time is answered whoever sends it.
    private mutating func extendedBlocks(now: Instant, ntpTime: UInt64) -> [ExtendedReport.Block] {
        var blocks: [ExtendedReport.Block] = []
        guard let phone = latch.locked?.ssrc else { return blocks }
        if control.lastReferenceAt != nil {
            let delay = ExtendedReport.Delay(
                ssrc: phone, lastReference: control.lastReference, delay: Self.delay(since: control.lastReferenceAt, now: now))
            blocks.append(.delaysSinceReference([delay]))
        }
        guard let wanted = plan?.extendedReports else { return blocks }
        // Who sends sound has sender reports for that.
        if wanted.roundTrip, outside.packets == 0 { blocks.append(.referenceTime(ntpTime: ntpTime)) }
        if wanted.voice, receiver.expected > 0 { blocks.append(.voice(voiceMetrics(of: phone))) }
        return blocks
    }

    /// In 1/65536 s; zero when there was none (RFC 3550 §6.4.1).
    private static func delay(since then: Instant?, now: Instant) -> UInt32 {
        then.map { UInt32(clamping: (now - $0).nanoseconds / 15_259) } ?? 0
    }
}
