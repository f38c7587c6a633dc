import Audio
import Codecs
import Glibc
import RTP
import Threads

/// Times what transcoding costs for a packet of 20 ms, from payload to payload, for every codec beside PCMU and some beside each other.
///
/// Prints the median of many rounds in microseconds of processor time; with `--count` it marks the rounds with SIGUSR2, so that
/// `Tests/Benchmarks/codecs` can count what they took from the heap.
@main
struct Program {
    static let rounds = 21
    static let packets = 500

    static func main() throws {
        let isCounted = CommandLine.arguments.contains("--count")
        let outside: [(String, Coding)] = [
            ("PCMA", .pcma), ("G.722", .g722), ("Opus", .opus), ("G.729", .g729), ("GSM", .gsm), ("L16/8000", .linear(rate: 8000)),
            ("L16/16000", .linear(rate: 16000)), ("L16/44100", .linear(rate: 44100)),
        ]
        for (name, coding) in outside { try both(name, coding, "PCMU", .pcmu, isCounted) }
        try both("Opus", .opus, "G.722", .g722, isCounted)
        try both("Opus", .opus, "PCMA", .pcma, isCounted)
        try both("G.722", .g722, "G.729", .g729, isCounted)
        guard !isCounted else { return }
        for complexity in [0, 2, 3, 4, 5, 6, 8, 10] {
            try both("Opus at complexity \(complexity)", .opus, "PCMU", .pcmu, false, OpusSettings(complexity: complexity))
        }
    }

    static func both(
        _ name: String, _ outside: Coding, _ insideName: String, _ inside: Coding, _ isCounted: Bool,
        _ opus: OpusSettings = OpusSettings()
    ) throws {
        let inward = try measure(outside, inside, isCounted, opus)
        let outward = try measure(inside, outside, isCounted, opus)
        print("\(name) - \(insideName): in \(text(inward)) us, out \(text(outward)) us, both \(text(inward + outward)) us")
    }

    /// Of this thread, so that others on the machine do not count.
    static func processorTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    static func text(_ nanoseconds: Int64) -> String { "\(nanoseconds / 1000).\(nanoseconds % 1000 / 100)" }

    static func measure(_ source: Coding, _ target: Coding, _ isCounted: Bool, _ opus: OpusSettings) throws -> Int64 {
        let settings = Transcoder.Settings(opus: opus)
        let payloads = try Speech.payloads(source, packets: packets)
        let duration = source.clockRate * source.packetTime(wished: 20) / 1000
        var stream = TranscodingStream(
            try Transcoder(from: source, to: target, origin: Timestamp(0), settings: settings), clockRate: source.clockRate)
        var made = TranscodedPackets()
        var times: [Int64] = []
        times.reserveCapacity(rounds)
        var (sequence, timestamp, count) = (SequenceNumber(0), Timestamp(0), 0)
        for round in 0..<rounds {
            // The first round fills what is filled once.
            if isCounted, round == 1 { raise(SIGUSR2) }
            let (now, began) = (MonotonicClock.now(), processorTime())
            for payload in payloads {
                stream.receive(.sound, payload.span, sequence: sequence, timestamp: timestamp, now: now, into: &made)
                (sequence, timestamp) = (sequence.next, timestamp.advanced(by: duration))
                count += made.count
            }
            times.append((processorTime() - began) / Int64(packets))
        }
        if isCounted { raise(SIGUSR2) }
        precondition(count > rounds * packets / 3, "the packets were transcoded")
        times.sort()
        return times[rounds / 2] * 20 / Int64(source.packetTime(wished: 20))
    }
}
