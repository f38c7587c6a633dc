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
