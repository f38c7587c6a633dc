import RTP
import Testing

@Suite("RTP: extended reports (RFC 3611)")
struct RTPExtendedReportTests {
    private static var voice: VoiceMetrics {
        var metrics = VoiceMetrics(ssrc: SSRC(0x0a0b_0c0d))
        (metrics.lossRate, metrics.discardRate, metrics.burstDensity, metrics.gapDensity) = (1, 2, 3, 4)
        (metrics.burstDuration, metrics.gapDuration, metrics.roundTripDelay, metrics.endSystemDelay) = (0x0102, 0x0304, 0x0506, 0x0708)
        (metrics.rating, metrics.listeningScore, metrics.conversationalScore) = (93, 44, 41)
        (metrics.concealment, metrics.isJitterBufferAdaptive) = (.standard, true)
        (metrics.jitterBufferNominal, metrics.jitterBufferMaximum, metrics.jitterBufferLimit) = (40, 80, 100)
        return metrics
    }

    private let report = ControlPacket.extendedReport(
        ExtendedReport(
            ssrc: SSRC(1),
            blocks: [
                .referenceTime(ntpTime: 0x0102_0304_0506_0708),
                .delaysSinceReference([.init(ssrc: SSRC(2), lastReference: 3, delay: 4), .init(ssrc: SSRC(5), lastReference: 6, delay: 7)]),
                .voice(voice), .other(type: 1),
            ]))

    @Test("§2: a report is read as it was written, among the packets of a compound")
    func roundTrip() throws {
        var bytes: [UInt8] = []
        let packets: [ControlPacket] = [.receiverReport(ReceiverReport(ssrc: SSRC(1))), report, .goodbye(sources: [SSRC(1)], reason: nil)]
        for packet in packets { packet.append(to: &bytes) }
        #expect(try ControlPacket.parse(bytes.span) == packets)
    }

    @Test("§4.7: the octets of the voice metrics are where the figure puts them")
    func layout() {
        var bytes: [UInt8] = []
        ControlPacket.extendedReport(ExtendedReport(ssrc: SSRC(1), blocks: [.voice(Self.voice)])).append(to: &bytes)
        #expect(Array(bytes[..<16]) == [0x80, 207, 0, 10, 0, 0, 0, 1, 7, 0, 0, 8, 0x0a, 0x0b, 0x0c, 0x0d])
        #expect(Array(bytes[16..<28]) == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(Array(bytes[28...]) == [127, 127, 127, 16, 93, 127, 44, 41, 0xf0, 0, 0, 40, 0, 80, 0, 100])
    }

    @Test("§3: blocks of an unknown type or the wrong length are passed over, those behind them are read")
    func unknown() throws {
        let bytes: [UInt8] = [0x80, 207, 0, 8, 0, 0, 0, 1, 200, 0, 0, 1, 9, 9, 9, 9, 4, 0, 0, 1, 1, 2, 3, 4, 4, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
        let expected = ExtendedReport(ssrc: SSRC(1), blocks: [.other(type: 200), .other(type: 4), .referenceTime(ntpTime: 1 << 32 | 2)])
        #expect(try ControlPacket.parse(bytes.span) == [.extendedReport(expected)])
    }

    @Test("V6: no truncation and no changed octet traps")
    func hostile() {
        var bytes: [UInt8] = []
        report.append(to: &bytes)
        for end in bytes.indices { _ = try? ControlPacket.parse(bytes.span.extracting(0..<end)) }
        for index in bytes.indices {
            for octet in [0, 1, 0x1f, 0x7f, 0xa0, 0xff] as [UInt8] {
                var changed = bytes
                changed[index] = octet
                _ = try? ControlPacket.parse(changed.span)
            }
        }
        let long: [UInt8] = [0x80, 207, 0, 2, 0, 0, 0, 1, 4, 0, 0, 9]
        #expect(throws: ParseError.inconsistent) { try ControlPacket.parse(long.span) }
    }
}

@Suite("RTP: bursts of losses and report intervals")
struct RTPLossPatternTests {
    /// `x` is a lost packet.
    private func pattern(_ text: String) -> LossPattern {
        var statistics = ReceiverStatistics()
        for (sequence, letter) in ("..." + text + ".").enumerated() where letter != "x" {
            let header = Header(
                payloadType: .pcmu, sequence: SequenceNumber(UInt16(sequence)), timestamp: Timestamp(0), ssrc: SSRC(1))
            statistics.receive(header, now: .init(nanoseconds: 0))
        }
        return statistics.pattern
    }

    @Test("RFC 3611 §4.7.2: sixteen packets between two losses make them single ones in a gap, fewer a burst")
    func densities() {
        let gap = String(repeating: ".", count: 20)
        let single = pattern(gap + "x" + gap + "x" + gap).densities
        #expect(single.burst == 0 && single.burstLength == 0 && single.gap > 0.02 && single.gap < 0.05)
        let burst = pattern(gap + "xx.x.x" + gap).densities
        #expect(burst.burst > 0.5 && burst.burstLength >= 4 && burst.burstLength <= 8 && burst.gap == 0)
    }

    @Test("ITU-T G.107 §7.2: the burst ratio is 1 for losses one by one, and the length of the runs otherwise")
    func ratio() {
        let gap = String(repeating: ".", count: 30)
        let single = pattern(gap + "x" + gap + "x" + gap)
        #expect(single.lost == 2 && single.runs == 2 && single.burstRatio == 1)
        let runs = pattern(gap + "xxxx" + gap + "xxxx" + gap)
        #expect(runs.lost == 8 && runs.runs == 2 && runs.burstRatio > 3 && runs.burstRatio < 4)
        #expect(pattern(gap).burstRatio == 1 && pattern(gap).share == 0)
    }

    @Test("RFC 3550 §6.3.1: reports come between half and one and a half times of the interval over 1.21828, the first in half the time")
    func interval() {
        #expect(ReportInterval.pause(random: 0).nanoseconds / 1_000_000 == 2052)
        #expect(ReportInterval.pause(random: 1).nanoseconds / 1_000_000 == 6156)
        #expect(ReportInterval.pause(isFirst: true, random: 0.5).nanoseconds / 1_000_000 == 2052)
    }
}
