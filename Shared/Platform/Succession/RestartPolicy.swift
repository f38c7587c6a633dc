internal import Deadlines

/// How soon the next process begins after one has died: at once, unless they die young one after the other.
struct RestartPolicy {
    /// Who lives longer has not died of what it took over.
    static let infancy = Interval.seconds(5)
    private static let longest = Interval.seconds(5)

    private(set) var earlyDeaths = 0

    /// A process that began then has died now.
    mutating func died(begun: Instant, now: Instant) -> Interval {
        guard now - begun < Self.infancy else {
            earlyDeaths = 0
            return .zero
        }
        earlyDeaths += 1
        // Once or twice is an accident, or a test; then 100 ms, 200 ms, and so on.
        guard earlyDeaths > 2 else { return .zero }
        return min(Self.longest, .milliseconds(100) * (1 << min(earlyDeaths - 3, 6)))
    }
}

/// Whether a process still answers. Counted in beats of the asker's own: who was stopped itself does not blame others for it.
struct Pulse {
    static let pause = Interval.milliseconds(250)
    /// A process that has never answered is still starting.
    private static let patience = Interval.seconds(30)

    private let limit: Int
    private var unanswered = 0
    private var hasAnswered = false

    init(timeout: Interval) { limit = max(2, Int(timeout.nanoseconds / Self.pause.nanoseconds)) }

    mutating func answered() { (unanswered, hasAnswered) = (0, true) }

    /// Called every `pause`, before asking again; false when it is to be given up.
    mutating func beat() -> Bool {
        unanswered += 1
        return unanswered <= (hasAnswered ? limit : Int(Self.patience.nanoseconds / Self.pause.nanoseconds))
    }
}
