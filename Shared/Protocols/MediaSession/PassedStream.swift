internal import Deadlines
internal import RTP

/// A stream that passes under its own SSRC and numbers, until its source begins them anew: then they are shifted, so that they go on.
///
/// Under SRTP a number that comes again is refused, and one that jumps makes the receiver lose count (RFC 3711 §3.3.1).
struct PassedStream {
    /// RFC 3550 A.1: beyond these the source has restarted.
    private static let maximumDropout = 3000
    private static let maximumMisorder = 100

    private var ssrc: SSRC?
    private var newest = SequenceNumber(0)
    private var newestTimestamp = Timestamp(0)
    private var lastAt = Instant(nanoseconds: 0)
    private var sequenceShift: UInt16 = 0
    private var timestampShift: UInt32 = 0

    /// The numbers of a packet; nil: those it has.
    mutating func place(_ header: Header, clockRate: Int, now: Instant) -> (sequence: SequenceNumber, timestamp: Timestamp)? {
        guard header.ssrc == ssrc else {
            (ssrc, sequenceShift, timestampShift) = (header.ssrc, 0, 0)
            note(header, now: now)
            return nil
        }
        let distance = header.sequence.distance(from: newest)
        if distance > Self.maximumDropout || distance < -Self.maximumMisorder {
            sequenceShift = sequenceShift &+ newest.value &+ 1 &- header.sequence.value
            let elapsed = (now - lastAt).nanoseconds / 1_000_000 * Int64(clockRate) / 1000
            timestampShift = timestampShift &+ newestTimestamp.advanced(by: max(1, Int(elapsed))).value &- header.timestamp.value
            note(header, now: now)
        } else if distance > 0 {
            note(header, now: now)
        }
        guard sequenceShift != 0 || timestampShift != 0 else { return nil }
        return (
            SequenceNumber(header.sequence.value &+ sequenceShift), Timestamp(header.timestamp.value &+ timestampShift)
        )
    }

    private mutating func note(_ header: Header, now: Instant) {
        (newest, newestTimestamp, lastAt) = (header.sequence, header.timestamp, now)
    }

    // MARK: Control packets

    /// RFC 3550 §7.2: a translator that shifts timestamps shifts them in sender reports, too.
    func translate(_ packet: inout MutableSpan<UInt8>, count: Int) {
        guard timestampShift != 0, let ssrc else { return }
        ControlPacket.shiftSenderTimestamps(&packet, count: count, of: ssrc, by: timestampShift)
    }

    /// And sequence numbers back in what receivers report.
    func retell(_ packet: inout MutableSpan<UInt8>, count: Int) {
        guard sequenceShift != 0, let ssrc else { return }
        ControlPacket.shiftHighestSequence(&packet, count: count, about: ssrc, by: 0 &- sequenceShift)
    }
}
