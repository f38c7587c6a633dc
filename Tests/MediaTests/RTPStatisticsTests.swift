import Deadlines
import RTP
import Testing

private func header(_ sequence: Int, timestamp: Int = 0) -> Header {
    Header(
        payloadType: .pcmu, sequence: SequenceNumber(UInt16(truncatingIfNeeded: sequence)),
        timestamp: Timestamp(UInt32(truncatingIfNeeded: timestamp)), ssrc: SSRC(1))
}

@Suite("RTP: receiver statistics (RFC 3550 appendix A)")
struct RTPStatisticsTests {
    private func feed(_ sequences: [Int]) -> ReceiverStatistics {
        var statistics = ReceiverStatistics()
        for sequence in sequences { statistics.receive(header(sequence), now: Instant(nanoseconds: 0)) }
        return statistics
    }

    @Test("A.1: a source is valid after two packets in sequence")
    func probation() {
        var statistics = ReceiverStatistics()
        let valid = [10, 900, 901].map { statistics.receive(header($0), now: Instant(nanoseconds: 0)) }
        #expect(valid == [false, false, true])
        #expect(statistics.expected == 1 && statistics.lost == 0)
    }

    @Test("A.1: the counter wraps into cycles")
    func cycles() {
        let statistics = feed(Array(65530...65545))
        #expect(statistics.highestSequence == 65545 && statistics.lost == 0 && statistics.received == 15)
    }

    @Test("A.1: one wild packet changes nothing; two in sequence are a restarted source")
    func restart() {
        #expect(feed([1, 2, 3, 30000, 4, 5]).highestSequence == 5)
        #expect(feed([1, 2, 3, 30000, 30001, 30002]).highestSequence == 30002)
    }

    @Test("Who goes on for another counts nothing as lost that it was not told of")
    func resumed() {
        var statistics = feed([1, 2, 3, 4, 6])
        let before = statistics
        statistics.resume()
        statistics.receive(header(17), now: Instant(nanoseconds: 0))
        #expect(statistics.lost == before.lost && statistics.pattern.lost == before.pattern.lost)
        #expect(statistics.highestSequence == 17)
        statistics.receive(header(19), now: Instant(nanoseconds: 0))
        #expect(statistics.lost == before.lost + 1)
    }

    @Test("A.3: losses, late packets and duplicates")
    func losses() {
        #expect(feed([1, 2, 3, 5, 6, 9]).lost == 3)
        #expect(feed([1, 2, 4, 3, 5]).lost == 0)
        #expect(feed([1, 2, 3, 3, 3]).lost == -2)
        var statistics = feed([0, 1, 2, 3, 6, 7, 8])
        let report = statistics.report(about: SSRC(9))
        #expect(report.cumulativeLost == 2 && report.fractionLost == 64 && report.highestSequence == 8)
        let next = statistics.report(about: SSRC(9))
        #expect(next.fractionLost == 0)
    }

    @Test("A.8: even packets have no jitter; a late one adds a sixteenth of its lateness")
    func jitter() {
        var statistics = ReceiverStatistics()
        for index in 0..<10 {
            statistics.receive(header(index, timestamp: index * 160), now: Instant(nanoseconds: UInt64(index) * 20_000_000))
        }
        #expect(statistics.jitter == 0)
        statistics.receive(header(10, timestamp: 1600), now: Instant(nanoseconds: 210_000_000))
        #expect(statistics.jitter == 5)
    }
}

@Suite("RTP: packets that were not looked at one by one")
struct PacketRunTests {
    /// What is known after packets of 20 ms, each some time later than it should be.
    private func statistics(_ sequences: Range<Int>, run: Range<Int>? = nil) -> ReceiverStatistics {
        var statistics = ReceiverStatistics(clockRate: 8000)
        let arrivals = sequences.map { Instant(nanoseconds: UInt64(1_000_000_000 + $0 * 20_000_000 + $0 % 3 * 1_000_000)) }
        var (jitter, previous) = (0.0, Double?.none)
        for (sequence, arrival) in zip(sequences, arrivals) {
            let transit = Double(arrival.nanoseconds) - Double(sequence) * 20_000_000
            if run?.first == sequence { jitter = Double(statistics.jitterInNanoseconds) }
            if let previous { jitter += abs(transit - previous) - jitter / 16 }
            previous = transit
            guard let run, run.contains(sequence) else {
                statistics.receive(header(sequence, timestamp: sequence * 160), now: arrival)
                continue
            }
            guard sequence == run.last else { continue }
            #expect(statistics.nextSequence == SequenceNumber(UInt16(truncatingIfNeeded: run.lowerBound)))
            statistics.receive(
                PacketRun(
                    packets: run.count, octets: 172 * run.count, sequence: SequenceNumber(UInt16(truncatingIfNeeded: sequence)),
                    timestamp: Timestamp(UInt32(sequence * 160)), arrivedAt: arrival, jitter: UInt64(jitter)))
        }
        return statistics
    }

    @Test("RFC 3550 appendix A: a run in order leaves the same behind as its packets would, also when the counter goes round", arguments: [10..<300, 65_400..<65_700])
    func same(sequences: Range<Int>) {
        let (one, other) = (statistics(sequences), statistics(sequences, run: sequences.dropFirst(20).dropLast(30).indices))
        #expect(one.received == other.received && one.expected == other.expected && one.lost == 0 && other.lost == 0)
        #expect(one.highestSequence == other.highestSequence && one.pattern == other.pattern)
        // Timestamp units are an eighth of a millisecond.
        #expect(abs(one.jitter - other.jitter) < 0.5, "\(one.jitter) \(other.jitter)")
    }

    @Test("A clock rate and times that nobody has (a hostile description) give a jitter that can be reported", arguments: [1, 8000, 1_000_000_000, Int(UInt32.max)])
    func hostileClock(rate: Int) {
        var statistics = ReceiverStatistics(clockRate: rate)
        for number in 0..<40 {
            statistics.receive(header(number, timestamp: number % 2 * 0x7fff_ffff), now: Instant(nanoseconds: UInt64(number) * 1_000_000_000))
        }
        #expect(statistics.jitterInNanoseconds <= 1_000_000_000_000_000_000)
        statistics.receive(
            PacketRun(
                packets: 1, octets: 172, sequence: SequenceNumber(40), timestamp: Timestamp(0), arrivedAt: Instant(nanoseconds: 1 << 60), jitter: .max))
        #expect(statistics.report(about: SSRC(1)).jitter <= 0x8000_0000)
    }

    @Test("What is not certain of its source takes no run, and has no next number")
    func uncertain() {
        var statistics = ReceiverStatistics()
        statistics.receive(header(5), now: Instant(nanoseconds: 0))
        #expect(statistics.nextSequence == nil)
        statistics.receive(
            PacketRun(packets: 9, octets: 9, sequence: SequenceNumber(14), timestamp: Timestamp(0), arrivedAt: Instant(nanoseconds: 1), jitter: nil))
        #expect(statistics.received == 0)
    }
}
