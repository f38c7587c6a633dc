import Codecs
import Deadlines
import RTP

enum CodecSurface {
    private static let pairs: [(Coding, Coding)] = [
        (.opus, .pcmu), (.g722, .pcmu), (.g729, .pcmu), (.gsm, .pcmu), (.pcma, .opus), (.opus, .g722), (.linear(rate: 44100), .gsm),
        (.pcmu, .g729),
    ]

    /// A choice of codecs, then packets: a byte of content and steps, one of length, the payload. What leaves is a packet, and later
    /// than the one before.
    static func stream(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let (source, target) = pairs[Int(first & 7)]
        let settings = Transcoder.Settings(
            packetTime: first & 8 == 0 ? 20 : 10, hearsTones: target == .pcmu, erasesTones: first & 16 != 0 && target == .pcmu)
        guard let transcoder = try? Transcoder(from: source, to: target, origin: Timestamp(0), settings: settings) else { return }
        var stream = TranscodingStream(transcoder, clockRate: source.clockRate)
        var packets = TranscodedPackets()
        var (position, sequence, timestamp, now, last) = (1, SequenceNumber(65_530), Timestamp(0), Instant(nanoseconds: 0), -1)
        while position + 2 <= bytes.count {
            let (control, length) = (bytes[position], Int(bytes[position + 1]))
            let end = min(bytes.count, position + 2 + length)
            let payload = Array(bytes[(position + 2)..<end])
            position = end
            sequence = sequence.advanced(by: control & 0x80 != 0 ? -3 : Int(control >> 2 & 3))
            timestamp = timestamp.advanced(by: control & 0x40 != 0 ? -9_000_000 : Int(control >> 4 & 3) * source.clockRate / 50)
            now = now + .milliseconds(Int(control & 31))
            stream.receive(
                Content(rawValue: control & 3) ?? .sound, payload.span, sequence: sequence, timestamp: timestamp, now: now,
                into: &packets)
            check(packets, &last)
            guard let deadline = stream.deadline, deadline <= now else { continue }
            stream.expire(now: now, into: &packets)
            check(packets, &last)
        }
    }

    private static func check(_ packets: borrowing TranscodedPackets, _ last: inout Int) {
        for index in 0..<packets.count {
            precondition(Int(packets[index].timestamp.value) > last, "a packet goes back in time")
            precondition(!packets.payload(index).isEmpty, "an empty packet")
            last = Int(packets[index].timestamp.value)
        }
    }
}
