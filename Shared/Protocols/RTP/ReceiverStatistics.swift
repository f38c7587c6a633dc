public import Deadlines

/// What a receiver knows of one source: validity, loss and jitter (RFC 3550 appendices A.1, A.3 and A.8).
public struct ReceiverStatistics: BitwiseCopyable, Sendable {
    /// RFC 3550 A.1: a new source must send this many packets in sequence before it counts as valid.
    public static let minimumSequential = 2
    private static let maximumDropout = 3000
    private static let maximumMisorder = 100
    private static let sequenceModulus = 1 << 16

    public private(set) var received = 0
    /// The mean deviation of transit times, in timestamp units.
    public var jitter: Double { jitterScaled / 16 }

    /// How the losses were spread; packets that were merely late count as lost here.
    public private(set) var pattern = LossPattern()

    public let clockRate: Int
    private var baseSequence = 0
    private var maximumSequence = 0
    private var cycles = 0
    private var badSequence: Int?
    private var probation = ReceiverStatistics.minimumSequential
    private var started = false
    private var expectedPrior = 0
    private var receivedPrior = 0
    private var lastTransit: Int32?
    private var isResumed = false
    private var jitterScaled: Double = 0

    public init(clockRate: Int = 8000) { self.clockRate = max(1, clockRate) }

    /// It was not told of all that came meanwhile: what is missing before the next packet is not lost.
    public mutating func resume() { isResumed = true }

    /// One packet arrived; false while the source is on probation and for a packet that does not belong to the stream.
    ///
    /// `isTimed`: its timestamp says when it was made, in this clock. That of an event says when the key went down (RFC 4733 §2.3).
    @discardableResult
    public mutating func receive(_ header: Header, isTimed: Bool = true, now: Instant) -> Bool {
        guard updateSequence(Int(header.sequence.value)) else { return false }
        if isTimed { updateJitter(header.timestamp, now: now) }
        return true
    }

    private mutating func initialise(_ sequence: Int) {
        (baseSequence, maximumSequence, cycles, badSequence) = (sequence, sequence, 0, nil)
        (received, receivedPrior, expectedPrior) = (0, 0, 0)
        lastTransit = nil
    }

    /// `update_seq` of A.1.
    private mutating func updateSequence(_ sequence: Int) -> Bool {
        if !started {
            started = true
            initialise(sequence)
            maximumSequence = (sequence - 1) & 0xffff
        }
        let delta = (sequence - maximumSequence) & 0xffff
        if probation > 0 {
            guard delta == 1 else {
                probation = Self.minimumSequential - 1
                maximumSequence = sequence
                return false
            }
            probation -= 1
            maximumSequence = sequence
            guard probation == 0 else { return false }
            initialise(sequence)
            received = 1
            return true
        }
        if delta < Self.maximumDropout {
            if sequence < maximumSequence { cycles += Self.sequenceModulus }
            maximumSequence = sequence
            if isResumed {
                received += max(0, delta - 1)
            } else {
                for _ in 0..<max(0, delta - 1) { pattern.missed() }
            }
            isResumed = false
            if delta > 0 { pattern.arrived() }
        } else if delta <= Self.sequenceModulus - Self.maximumMisorder {
            // A jump: believed when the next packet follows it, for then the source restarted.
            guard sequence == badSequence else {
                badSequence = (sequence + 1) & 0xffff
                return false
            }
            initialise(sequence)
        }
        received += 1
        return true
    }

    /// Not on probation, and nothing is unknown of what came before.
    var isCertain: Bool { started && probation == 0 && !isResumed }

    /// So many came in order, up to this one; false when that cannot be.
    mutating func advance(_ packets: Int, to sequence: Int) -> Bool {
        let highest = maximumSequence + packets
        guard started, probation == 0, highest % Self.sequenceModulus == sequence else { return false }
        isResumed = false
        cycles += highest / Self.sequenceModulus * Self.sequenceModulus
        maximumSequence = highest % Self.sequenceModulus
        received += packets
        pattern.arrived(packets)
        return true
    }

    /// Measured elsewhere, in sixteenths of a timestamp unit, up to a packet. Transit times of A.8 go round, and differ by no more than this.
    mutating func setJitter(_ scaled: Double, _ timestamp: Timestamp, _ arrivedAt: Instant) {
        jitterScaled = min(scaled, 16 * 2_147_483_648)
        lastTransit = transit(timestamp, arrivedAt)
    }

    /// The arrival instant in timestamp units, less the timestamp.
    private func transit(_ timestamp: Timestamp, _ now: Instant) -> Int32 {
        let seconds = now.nanoseconds / 1_000_000_000, rest = now.nanoseconds % 1_000_000_000
        let arrival = seconds &* UInt64(clockRate) &+ rest &* UInt64(clockRate) / 1_000_000_000
        return Int32(bitPattern: UInt32(truncatingIfNeeded: arrival) &- timestamp.value)
    }

    /// A.8.
    private mutating func updateJitter(_ timestamp: Timestamp, now: Instant) {
        let transit = transit(timestamp, now)
        defer { lastTransit = transit }
        guard let lastTransit else { return }
        let difference = Double((transit &- lastTransit).magnitude)
        jitterScaled += difference - jitterScaled / 16
    }

    public var highestSequence: UInt32 { UInt32(truncatingIfNeeded: cycles + maximumSequence) }

    public var expected: Int { probation > 0 ? 0 : cycles + maximumSequence - baseSequence + 1 }

    /// Negative when packets were duplicated (A.3).
    public var lost: Int { expected - received }

    /// The figures for a report, and the start of the next interval (A.3).
    public mutating func report(about ssrc: SSRC, lastSenderReport: UInt32 = 0, delaySinceLast: UInt32 = 0) -> ReportBlock {
        let expectedInterval = expected - expectedPrior
        let lostInterval = expectedInterval - (received - receivedPrior)
        (expectedPrior, receivedPrior) = (expected, received)
        let fraction = expectedInterval <= 0 || lostInterval <= 0 ? 0 : min(255, (lostInterval << 8) / expectedInterval)
        return ReportBlock(
            ssrc: ssrc, fractionLost: UInt8(fraction), cumulativeLost: Int32(max(-0x80_0000, min(0x7f_ffff, lost))),
            highestSequence: highestSequence, jitter: UInt32(jitter), lastSenderReport: lastSenderReport, delaySinceLast: delaySinceLast)
    }
}
