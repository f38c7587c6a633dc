import Glibc

/// Times protecting and opening RTP packets of 172 bytes (20 ms of G.711), each with a sequence number of its own: here, in libsrtp2, and
/// what the cryptography of OpenSSL takes in other ways.
///
/// Prints the best and the median of many rounds in nanoseconds of CPU time a packet; with `--count` it marks the rounds of our own
/// contexts with SIGUSR2, so that `Tests/Benchmarks/srtp` can count what they took from the heap.
@main
struct Program {
    static func main() {
        let isCounted = CommandLine.arguments.contains("--count")
        for suite in Rounds.suites {
            Rounds.ours(suite, isCounted: isCounted)
            if !isCounted { Rounds.theirs(suite) }
        }
        if !isCounted { Primitives.measure() }
    }
}

/// Times of rounds, in nanoseconds each.
struct Times {
    private var values: [Double] = []
    private let count: Int

    init(of count: Int) {
        self.count = count
        values.reserveCapacity(1_000)
    }

    mutating func measure(_ body: () -> Void) {
        let began = Self.now()
        body()
        values.append(Double(Self.now() - began) / Double(count))
    }

    func show(_ subject: String) {
        let sorted = values.sorted()
        print("\(subject): best \(Int(sorted[0])) ns, median \(Int(sorted[sorted.count / 2])) ns")
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
