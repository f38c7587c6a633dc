import Deadlines
import Testing

@testable import CallServer

@Suite("Congestion: more to do than can be done") struct CongestionTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    /// Answers that took so long, one every 50 ms from `begin` to `end`.
    private func answers(_ congestion: inout Congestion, of milliseconds: Int, from begin: Int, to end: Int) {
        for time in stride(from: begin, through: end, by: 50) {
            congestion.answered(after: .milliseconds(milliseconds), at: Self.start + .milliseconds(time))
        }
    }

    private func isThere(_ congestion: Congestion, at time: Int) -> Bool { congestion.isThere(at: Self.start + .milliseconds(time)) }

    @Test("is there when every answer has been slow for two seconds, and over with the first that is fast")
    func comesAndGoes() {
        var congestion = Congestion(limit: .milliseconds(200))
        #expect(!isThere(congestion, at: 0))
        answers(&congestion, of: 201, from: 0, to: 1950)
        #expect(!isThere(congestion, at: 1990), "a burst")
        answers(&congestion, of: 201, from: 2000, to: 2000)
        #expect(isThere(congestion, at: 2000))
        answers(&congestion, of: 200, from: 2050, to: 2050)
        #expect(!isThere(congestion, at: 2060))
    }

    @Test("one server that is slow or dead is none, as the others answer")
    func oneIsSlow() {
        var congestion = Congestion(limit: .milliseconds(200))
        for time in stride(from: 0, to: 5000, by: 50) {
            congestion.answered(after: .seconds(2), at: Self.start + .milliseconds(time))
            if time % 500 == 0 { congestion.answered(after: .milliseconds(3), at: Self.start + .milliseconds(time + 1)) }
            #expect(!isThere(congestion, at: time + 2))
        }
    }

    @Test("of a few slow answers nothing is concluded, and none outlives what was seen of it")
    func forgets() {
        var congestion = Congestion(limit: .milliseconds(200))
        for time in stride(from: 0, through: 4500, by: 500) { answers(&congestion, of: 900, from: time, to: time) }
        #expect(!isThere(congestion, at: 4500))
        answers(&congestion, of: 900, from: 4550, to: 5050)
        #expect(isThere(congestion, at: 5050))
        #expect(!isThere(congestion, at: 6050))
        answers(&congestion, of: 900, from: 6100, to: 7500)
        #expect(!isThere(congestion, at: 7500), "a while that begins anew")
    }
}
