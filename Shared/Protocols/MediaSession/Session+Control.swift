public import Addresses
public import Deadlines
internal import RTP

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
            case .extendedReport(let report) where report.ssrc == phone.ssrc:
                for block in report.blocks { note(block, now: now, ntpTime: ntpTime) }
                isPhones = true
            case .goodbye(let sources, _) where sources.contains(phone.ssrc):
                control.saidGoodbye = true
                isPhones = true
            case .senderReport, .receiverReport, .extendedReport, .goodbye, .sourceDescription, .other:
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
        (control.block, control.sentAtBlock) = (block, outside.packets)
        measure(since: block.lastSenderReport, less: block.delaySinceLast, ntpTime: ntpTime)
    }

    private mutating func note(_ block: ExtendedReport.Block, now: Instant, ntpTime: UInt64) {
        switch block {
        case .referenceTime(let time):
            control.lastReference = UInt32(truncatingIfNeeded: time >> 16)
            control.lastReferenceAt = now
        case .delaysSinceReference(let delays):
            guard let own = delays.first(where: { $0.ssrc == outside.ssrc }) else { return }
            measure(since: own.lastReference, less: own.delay, ntpTime: ntpTime)
        case .voice(let metrics) where metrics.ssrc == outside.ssrc: control.voice = metrics
        case .voice, .other: break
        }
    }

    /// RFC 3550 §6.4.1: A - LSR - DLSR, in 1/65536 s; a clock that was set gives nonsense, which is left out.
    private mutating func measure(since then: UInt32, less delay: UInt32, ntpTime: UInt64) {
        guard then != 0 else { return }
        let roundTrip = UInt32(truncatingIfNeeded: ntpTime >> 16) &- then &- delay
        if roundTrip < 10 << 16 { counts.roundTripMilliseconds = Double(roundTrip) / 65.536 }
    }

    /// Where control packets to the phone go: where its own come from, else where it asked for them. Nil when neither is known
    /// to be the phone (behind a NAT that was latched), when it named no address, or when it wants none.
    public var controlDestination: SocketAddress? {
        guard let plan, plan.takesReports else { return nil }
        if hasControlChecks { return controlPath }
        if let source = control.source, source.address == destination?.address { return source }
        // RFC 5761: on a shared port control packets go where sound goes.
        if plan.isOnOnePort { return destination }
        return destination == plan.remote ? plan.remoteControl : nil
    }
}
