import Deadlines
import MediaSession
import RTP
import SDP
import Testing

@Suite("MediaSession: how calls sound (ITU-T G.107, RFC 3550 §6, RFC 3611)")
struct MediaQualityTests {
    private func model(_ codec: String, loss: Double = 0, burst: Double = 1, delay: Double = 0, conceals: Bool = true) -> EModel {
        EModel(.init(codec: codec, conceals: conceals), loss: loss, burstRatio: burst, delay: delay)
    }

    @Test("G.107: the defaults give R 93.2 and a score of 4.41; G.729 at two percent of loss, and half a second of delay, give less")
    func ratings() {
        #expect(model("PCMU").rating == 93.2)
        #expect((model("PCMU").meanOpinionScore * 100).rounded() == 441)
        // Ie,eff = 11 + 84 * 2 / (2 + 19).
        #expect((model("G729", loss: 0.02).rating * 10).rounded() == 742)
        #expect(model("PCMA", delay: 100).rating == 93.2)
        #expect((model("PCMA", delay: 300).rating * 10).rounded() == 784)
        #expect(model("PCMU", loss: 1, conceals: false).meanOpinionScore < 1.5)
        #expect(model("PCMU", loss: 1, delay: 2000, conceals: false).meanOpinionScore == 1)
    }

    @Test("G.107 §7.5: losses in bursts are worse than losses one by one, and concealment makes both better")
    func losses() {
        let (single, burst) = (model("PCMU", loss: 0.05), model("PCMU", loss: 0.05, burst: 4))
        let bare = model("PCMU", loss: 0.05, conceals: false)
        #expect(burst.rating < single.rating && bare.rating < burst.rating)
    }

    @Test("What came from the phone: loss, its bursts and jitter make the score; nothing was heard, nothing is judged")
    func received() throws {
        var rig = try SessionRig(SessionRig.agreement([.pcmu]))
        #expect(rig.session.statistics.received.meanOpinionScore == nil && rig.session.statistics.sent == nil)
        for number in 0..<200 {
            rig.pass(milliseconds: 20)
            if number % 10 != 5 { rig.fromPhone(number, payload: SessionRig.sound()) }
        }
        let quality = rig.session.statistics.received
        #expect(quality.packets == 180 && quality.lost == 20 && quality.lossShare == 0.1 && quality.burstRatio == 1)
        #expect(quality.jitterMilliseconds == 0)
        let score = try #require(quality.meanOpinionScore)
        #expect(score < 2 && score >= 1)
    }

    @Test("RFC 3550 A.8: jitter is measured in the clock of the codec, and not by packets of a key, which all bear the time it went down")
    func clocks() throws {
        var rig = try SessionRig(SessionRig.agreement([.opus, .telephoneEvent(48_000)]))
        for number in 0..<50 {
            rig.pass(milliseconds: number % 2 == 0 ? 15 : 25)
            rig.fromPhone(number, number * 960, type: 96, payload: [0x08, 0xff])
        }
        // Every second packet is 10 ms late after one that was 10 ms early: a mean deviation of 5 to 10 ms.
        let jitter = rig.session.statistics.received.jitterMilliseconds
        #expect(jitter > 4 && jitter < 10.1)
        for number in 50..<60 {
            rig.pass(milliseconds: 20)
            rig.fromPhone(number, 50 * 960, type: 97, payload: [5, 10, 0, 160])
        }
        #expect(rig.session.statistics.received.jitterMilliseconds == jitter)
    }

    @Test("What the phone heard: its report blocks make loss, jitter and score; its own score counts more than ours")
    func sent() throws {
        var rig = try SessionRig(SessionRig.agreement([.pcmu]))
        for number in 1...2 { rig.fromPhone(number, payload: SessionRig.sound()) }
        for number in 0..<100 { rig.fromRoom(number, payload: SessionRig.sound()) }
        let block = ReportBlock(
            ssrc: rig.session.ssrc, fractionLost: 25, cumulativeLost: 10, highestSequence: 100, jitter: 80)
        let isTaken1 = rig.fromPhone(control: .receiverReport(ReceiverReport(ssrc: SSRC(5), blocks: [block])))
        #expect(isTaken1)
        let quality = try #require(rig.session.statistics.sent)
        #expect(quality.packets == 90 && quality.lost == 10 && quality.lossShare == 0.1 && quality.jitterMilliseconds == 10)
        let score = try #require(quality.meanOpinionScore)
        #expect(score > 2 && score < 4)

        var voice = VoiceMetrics(ssrc: rig.session.ssrc)
        voice.conversationalScore = 31
        let extended = ExtendedReport(ssrc: SSRC(5), blocks: [.voice(voice)])
        let isTaken2 = rig.fromPhone(control: .receiverReport(ReceiverReport(ssrc: SSRC(5), blocks: [block])), .extendedReport(extended))
        #expect(isTaken2)
        #expect(rig.session.statistics.sent?.meanOpinionScore == 3.1)
    }

    @Test("RFC 3611 §5: what the phone asked for it gets; a reference time is answered whoever sends it; without sound sent, one goes out")
    func extended() throws {
        var agreement = SessionRig.agreement([.pcmu])
        agreement.extendedReports = ExtendedReports(roundTrip: true, voice: true)
        var rig = try SessionRig(agreement)
        for number in 1...40 {
            rig.pass(milliseconds: 20)
            if number != 20 { rig.fromPhone(number, payload: SessionRig.sound()) }
        }
        let reference = ExtendedReport(ssrc: SSRC(5), blocks: [.referenceTime(ntpTime: 0x1234_5678_9abc << 16)])
        let isTaken3 = rig.fromPhone(control: .receiverReport(ReceiverReport(ssrc: SSRC(5))), .extendedReport(reference))
        #expect(isTaken3)
        rig.pass(milliseconds: 500)
        let packets = try rig.report(ntpTime: 77)
        guard case .extendedReport(let report)? = packets.last, report.blocks.count == 3 else {
            Issue.record("no extended report: \(packets)")
            return
        }
        #expect(report.blocks[0] == .delaysSinceReference([.init(ssrc: SSRC(5), lastReference: 0x5678_9abc, delay: 32767)]))
        #expect(report.blocks[1] == .referenceTime(ntpTime: 77))
        guard case .voice(let metrics) = report.blocks[2] else {
            Issue.record("no voice metrics")
            return
        }
        #expect(metrics.ssrc == SSRC(5) && metrics.lossRate == 6 && metrics.conversationalScore < 45 && metrics.conversationalScore > 20)

        // Nobody asked: nothing but the answer to what was sent to us.
        var plain = try SessionRig(SessionRig.agreement([.pcmu]))
        for number in 1...2 { plain.fromPhone(number, payload: SessionRig.sound()) }
        let count = try plain.report().count
        #expect(count == 2)
    }

    @Test("RFC 3611 §4.5: the answer to our reference time measures the round trip without any sound of ours")
    func roundTrip() throws {
        var rig = try SessionRig(SessionRig.agreement([.pcmu]))
        for number in 1...2 { rig.fromPhone(number, payload: SessionRig.sound()) }
        let delay = ExtendedReport.Delay(ssrc: rig.session.ssrc, lastReference: 0x10000, delay: 0x8000)
        let report = ExtendedReport(ssrc: SSRC(5), blocks: [.delaysSinceReference([delay])])
        let isTaken4 = rig.fromPhone(control: .extendedReport(report), ntpTime: 0x1_9000 << 16)
        #expect(isTaken4)
        #expect(rig.session.statistics.roundTripMilliseconds == 62.5)
    }

    @Test("RFC 3550 §6.3.7: who never sent anything does not say goodbye; RFC 3556: who wants no control packets gets none")
    func silence() throws {
        var rig = try SessionRig(SessionRig.agreement([.pcmu]))
        let nothing = try rig.report(isLast: true)
        rig.fromRoom(1, payload: SessionRig.sound())
        let goodbye = try rig.report(isLast: true)
        #expect(nothing.isEmpty && goodbye.count == 3)
        var agreement = SessionRig.agreement([.pcmu])
        agreement.takesReports = false
        let quiet = try SessionRig(agreement)
        #expect(quiet.session.controlDestination == nil)
    }
}

@Suite("SDP: control packets")
struct SDPControlPacketTests {
    private func answer(_ lines: String...) throws -> (Agreement, SessionDescription) {
        var exchange = OfferAnswer(sessionID: 1, local: LocalMedia(address: SessionRig.room))
        let head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0"]
        let answer = try exchange.answer(SessionDescription.parse((head + lines).map { $0 + "\r\n" }.joined()))
        return (try #require(exchange.agreement), answer)
    }

    @Test("RFC 3611 §5.2: extended reports that are asked for are answered with the wish for the same; others are not mentioned")
    func extended() throws {
        let (agreement, description) = try answer("a=rtcp-xr:pkt-loss-rle=10 rcvr-rtt=all:1000 voip-metrics")
        #expect(agreement.extendedReports == ExtendedReports(roundTrip: true, voice: true))
        #expect(description.media[0].attributes.contains(Attribute("rtcp-xr", "rcvr-rtt=all voip-metrics")))
        let (other, plain) = try answer("a=rtcp-xr:pkt-loss-rle=10")
        #expect(other.extendedReports == nil && !plain.media[0].attributes.contains(named: "rtcp-xr"))
    }

    @Test("RFC 3556 §2: bandwidths of zero for senders and receivers refuse control packets; one alone does not")
    func bandwidth() throws {
        let (both, one, none) = (try answer("b=RS:0", "b=RR:0").0, try answer("b=RS:0").0, try answer().0)
        #expect(!both.takesReports && one.takesReports && none.takesReports)
    }
}
