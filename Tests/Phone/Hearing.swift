import Addresses
import Audio
import Deadlines
import RTP

/// Listens to one call: counts its packets, keeps its last seconds of sound, and collects its digits.
///
/// Sound is kept as it came and decoded when somebody asks, so that hearing hundreds of calls costs little.
struct Hearing {
    private var report = SoundReport()
    private var statistics = ReceiverStatistics()
    private var source: SSRC?
    private var highest: SequenceNumber?
    private var events = EventReceiver()
    private var lostBefore = 0
    private var recent: [UInt8] = []
    private var law = G711.Law.ulaw
    private var senderReport: (middle: UInt32, at: Instant)?
    private var now = Instant(nanoseconds: 0)
    private let memory: Int

    /// `memory`: how much sound is kept.
    init(memory: Interval) { self.memory = max(1600, Int(memory.seconds * Double(Samples.rate))) }

    var current: SoundReport {
        var report = report
        report.lost = lostBefore + max(0, statistics.lost)
        report.jitter = .microseconds(Int(statistics.jitter * 125))
        report.level = Level(of: lastWindow.span).dBFS
        return report
    }

    /// The last 200 ms.
    private var lastWindow: [Int16] { G711.decode(recent.suffix(1600), law) }

    /// All that is remembered, oldest first.
    var sound: [Int16] { G711.decode(recent.suffix(memory), law) }

    /// The level of one frequency in the last 200 ms, in dBFS.
    func level(of frequency: Double) -> Double {
        let window = lastWindow
        guard window.count == 1600 else { return -120 }
        return Level(amplitude: Goertzel.amplitude(of: frequency, in: window.span)).dBFS
    }

    mutating func countUnexpected() { report.unexpected += 1 }

    mutating func forget() {
        let (source, highest, law) = (source, highest, law)
        self = Hearing(memory: .milliseconds(memory / 8))
        (self.source, self.highest, self.law) = (source, highest, law)
    }

    /// What a report says of what was heard (RFC 3550 §6.4.1).
    mutating func reportBlocks() -> [ReportBlock] {
        guard let source, statistics.expected > 0 else { return [] }
        let delay = senderReport.map { UInt32(clamping: (now - $0.at).nanoseconds / 15_259) } ?? 0
        return [statistics.report(about: source, lastSenderReport: senderReport?.middle ?? 0, delaySinceLast: delay)]
    }

    mutating func hear(control packet: Span<UInt8>, now: Instant) {
        self.now = now
        guard let packets = try? ControlPacket.parse(packet) else { return }
        for case .senderReport(let report) in packets where report.ssrc == source {
            senderReport = (UInt32(truncatingIfNeeded: report.ntpTime >> 16), now)
        }
    }

    mutating func receive(_ header: Header, now: Instant) {
        self.now = now
        if header.ssrc != source {
            // A new stream is counted from its own beginning.
            lostBefore += max(0, statistics.lost)
            statistics = ReceiverStatistics()
            (source, highest) = (header.ssrc, nil)
            report.sources += 1
        }
        statistics.receive(header, now: now)
        if let highest, header.sequence.distance(from: highest) <= 0 {
            report.outOfOrder += 1
        } else {
            highest = header.sequence
        }
        if let last = report.lastReceived { report.longestGap = max(report.longestGap, now - last) }
        report.packetsReceived += 1
        report.firstReceived = report.firstReceived ?? now
        report.lastReceived = now
    }

    mutating func hear(_ payload: Span<UInt8>, _ law: G711.Law) {
        if law != self.law {
            // The codec has changed: what was heard before is kept in the new one.
            recent = G711.encode(G711.decode(recent, self.law), law)
            self.law = law
        }
        payload.withUnsafeBufferPointer { recent.append(contentsOf: $0) }
        // Trimmed rarely, so that the cost per packet stays small.
        if recent.count > 2 * memory { recent.removeFirst(recent.count - memory) }
    }

    mutating func hear(_ event: TelephoneEvent, at timestamp: RTP.Timestamp) {
        if let event = events.receive(event, timestamp: timestamp), let digit = event.digit { report.digits.append(digit) }
    }
}
